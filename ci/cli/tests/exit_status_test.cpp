// The precedence that DESIGN section 5 promises to scripts.
#include "dropcheck/cli/exit_status.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace dropcheck::cli {
namespace {

TEST(WorseStatus, KeepsThePrecedence) {
  const std::vector<int> order = {130, 70, 2, 1, 4, 3, 5, 0};
  for (std::size_t i = 0; i < order.size(); ++i) {
    for (std::size_t j = i; j < order.size(); ++j) {
      EXPECT_EQ(worse_status(order[i], order[j]), order[i]);
      EXPECT_EQ(worse_status(order[j], order[i]), order[i]);
    }
  }
}

TEST(WorseStatus, NeverTurnsAnUnknownStatusIntoSuccess) {
  EXPECT_EQ(worse_status(17, 0), 70);
}

}  // namespace
}  // namespace dropcheck::cli
