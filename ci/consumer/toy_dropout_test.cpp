// The layer of this project in GoogleTest: once as a whole, once check by
// check.
#include "toy_dropout.hpp"

#include <dropcheck/gtest/suite.hpp>

TEST(ToyDropoutAlone, Conforms) {
  EXPECT_CONFORMS([](double drop) { return ToyDropout(drop); }, "dropout");
}

DROPCHECK_CONFORMANCE_SUITE(ToyDropout, {.drop_probabilities = {0.3}});
