#pragma once

#include <optional>
#include <string>

#include "context.hpp"

namespace dropcheck::properties {

/// Why `result` is not what `input` gives at evaluation: it is dropped as in
/// training, multiplied by some power of keep, made noisy. Calls the layer some
/// more times. Empty if none of these it is, or the law is no identity there.
std::optional<std::string> cause_of_evaluation(const Context& context,
                                               impl::Layer& layer,
                                               impl::Tensor& input,
                                               const impl::Tensor& result);

}  // namespace dropcheck::properties
