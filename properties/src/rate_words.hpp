#pragma once

#include <string>

#include "dropcheck/stats/counts.hpp"

namespace dropcheck::properties {

/// What is wrong with a drop probability that lies in the interval: keep and
/// drop swapped, a threshold on a grid of 1/8 to 1/65536, nothing dropped,
/// applied twice, normal numbers for uniform ones, a default in the place of
/// the argument. Two mistakes that fit are both named; where none is known, or
/// many fit, how far off it is.
std::string cause_of_rate(double specified, const stats::Interval& interval);

/// A probability with as many digits as the interval supports.
std::string rate_text(double observed, const stats::Interval& interval);

}  // namespace dropcheck::properties
