#pragma once

#include <optional>

#include "black_box.hpp"
#include "dropcheck/properties/identify.hpp"

namespace dropcheck::properties {

/// What a network of random branches returns for one sample: a result out of
/// finitely many, time and again the very same. Noise never does that.
///
/// The samples of `input` are made equal, so that results of all of them count
/// together where evaluation treats them alike. Nothing where results do not
/// return. `log_inverse_alpha`: of the interval.
std::optional<BranchReading> read_branches(BlackBox& box,
                                           const impl::Tensor& input,
                                           double log_inverse_alpha);

}  // namespace dropcheck::properties
