#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "dropcheck/stats/counts.hpp"

namespace dropcheck::properties {

/// A schedule that networks follow by mistake.
struct NamedSchedule {
  std::string words;
  std::vector<double> rates;  ///< one a block
};

/// The known mistakes for a rate and a number of blocks, but for those that
/// are what was promised.
std::vector<NamedSchedule> named_schedules(double rate,
                                           std::span<const double> promised);

/// What the rates of the blocks look like, given intervals that contain them:
/// one of the mistakes, or a multiple of what was promised.
std::optional<std::string> cause_of_schedule(
    double rate, std::span<const double> promised,
    std::span<const stats::Interval> seen);

}  // namespace dropcheck::properties
