#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

namespace dropcheck::stats {

/// Whether two numbers agree to a relative error; the failure prints both.
inline ::testing::AssertionResult agrees(double actual, double expected,
                                         double relative) {
  const double error = std::abs(actual - expected);
  if (error <= relative * std::abs(expected))
    return ::testing::AssertionSuccess();
  return ::testing::AssertionFailure()
         << ::testing::PrintToString(actual) << " is not "
         << ::testing::PrintToString(expected) << ", relative error "
         << error / std::abs(expected);
}

}  // namespace dropcheck::stats
