#pragma once

#include <functional>
#include <string>
#include <vector>

#include "dropcheck/stats/counts.hpp"

namespace dropcheck::stats {

/// Which numbers a parameter refuses, all of them with NaN and infinities.
enum class Rule {
  kFinite,
  kProbability,  ///< in [0, 1]
  kInner,        ///< in (0, 1)
  kPositive,
  kLevel,  ///< in (0, 0.5)
};

/// A public function of stats/, called with good arguments but for one. Whoever
/// adds a function adds its numbers in bad_numbers.cpp and the rest in
/// bad_calls.cpp; the sweep of bad_input_test.cpp does the rest, and fails
/// where a function is missing.
struct NumberParameter {
  std::string function;
  std::string parameter;  ///< As the message must name it.
  Rule rule;
  std::function<void(double)> call;
};
std::vector<NumberParameter> number_parameters();

/// The same where counts of drops and decisions are asked for.
struct CountsParameter {
  std::string function;
  std::function<void(const Counts&)> call;
};
std::vector<CountsParameter> counts_parameters();

/// The same for an interval of rates.
struct RatesParameter {
  std::string function;
  std::string parameter;
  std::function<void(const Interval&)> call;
};
std::vector<RatesParameter> rates_parameters();

/// Shapes that do not fit, and sums that overflow: one bad call each.
struct BadCall {
  std::string function;
  std::string parameter;
  std::function<void()> call;
};
std::vector<BadCall> bad_calls();

}  // namespace dropcheck::stats
