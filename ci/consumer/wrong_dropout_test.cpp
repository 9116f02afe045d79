// A layer that drops half as often as it says: this test fails.
#include <dropcheck/gtest/conforms.hpp>

#include "toy_dropout.hpp"

TEST(WrongDropout, Conforms) {
  EXPECT_CONFORMS([](double drop) { return ToyDropout(drop, drop / 2); },
                  {.layer = "dropout", .drop_probabilities = {0.3}});
}
