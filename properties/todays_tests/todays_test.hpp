#pragma once

#include <functional>
#include <string>
#include <vector>

#include "trial.hpp"

namespace dropcheck::properties::todays_tests {

/// A false-alarm rate as the project's record of defects states it.
struct StatedRate {
  enum class Kind {
    kExact,     ///< The exact rate, within 10 %.
    kByNormal,  ///< A normal approximation, within 10 %; the exact one differs.
    kAtMost,    ///< A bound.
    kNegligible,  ///< "~0": below 1e-9.
  };
  std::string text;
  Kind kind = Kind::kExact;
  double value = 0;
};

/// Whether a run goes through all cases, or takes one of them at random.
enum class Cases { kAll, kOneAtRandom };

/// How a library tests dropout today: the assertion as the project's record
/// describes it, with its sample sizes and tolerances, in our own code.
struct TodaysTest {
  std::string name;                      ///< Library and layer.
  std::string assertion;                 ///< In words.
  std::vector<std::string> layers = {};  ///< The laws that it is about.
  StatedRate stated = {};
  std::vector<Case> cases = {};
  /// Whether a layer meets the assertion in one case.
  std::function<bool(const Case&, Trial&)> passes = {};
  /// P(a right layer does not), exactly, where cases and calls are independent.
  std::function<double(const Case&)> false_alarm = {};
  Cases choice = Cases::kAll;
};

std::vector<TodaysTest> counting_tests();
std::vector<TodaysTest> other_tests();

/// All of them, in the order of the table.
std::vector<TodaysTest> todays_tests();

/// P(a right layer fails the test), exactly.
double false_alarm(const TodaysTest& test);

/// Decisions, at most, in one run on a layer of one law.
double decisions(const TodaysTest& test);

}  // namespace dropcheck::properties::todays_tests
