#pragma once

#include <optional>
#include <span>
#include <string>

#include "dropcheck/impl/config.hpp"
#include "dropcheck/stats/counts.hpp"

namespace dropcheck::properties {

/// Which places drop at another rate, of the drops counted at each unit of a
/// grid: all from one on, a stretch, every n-th, even ones of an axis, one
/// index of an axis, or a rate that rises along the tensor. The division that
/// makes the counts most likely is taken. Empty if none says much.
std::optional<std::string> cause_of_places(std::span<const stats::Counts> units,
                                           const impl::Shape& grid);

/// The same of a rate in time: parts of a sequence, each of `decisions`.
std::optional<std::string> cause_of_drift(std::span<const stats::Counts> parts,
                                          double decisions);

}  // namespace dropcheck::properties
