// Tests of somebody's wrong layers; sample_test.py reads what they say.
#include <chrono>
#include <thread>

#include "dropcheck/gtest/conforms.hpp"
#include "dropcheck/gtest/suite.hpp"
#include "toy_layers.hpp"

namespace {

using dropcheck::gtest::testing::ToyDropout;

ToyDropout drops_half_as_often(double drop) {
  return ToyDropout(drop, drop / 2);
}

class Hanging {
 public:
  explicit Hanging(double) {}
  void forward(const dropcheck::impl::TensorView&, bool,
               const dropcheck::impl::TensorView&) {
    for (;;) std::this_thread::sleep_for(std::chrono::hours(1));
  }
  void reseed(std::uint64_t) {}
};

TEST(Right, Conforms) {
  EXPECT_CONFORMS([](double drop) { return ToyDropout(drop); },
                  {.drop_probabilities = {0.5}});
}

// The second assertion of a test has a name of its own.
TEST(Wrong, DoesNotConform) {
  EXPECT_CONFORMS([](double drop) { return ToyDropout(drop); },
                  {.drop_probabilities = {0.5}});
  EXPECT_CONFORMS(drops_half_as_often, {.drop_probabilities = {0.5}});
}

TEST(Never, Returns) {
  EXPECT_CONFORMS([](double drop) { return Hanging(drop); },
                  {.drop_probabilities = {0.5}, .only = {"support"}});
}

DROPCHECK_CONFORMANCE_SUITE(ToyDropout, {.drop_probabilities = {0.5}});
DROPCHECK_CONFORMANCE_SUITE_OF(HalfAsOften, drops_half_as_often,
                               {.drop_probabilities = {0.5}});
DROPCHECK_CONFORMANCE_SUITE_OF(NoSuchLayer, drops_half_as_often, "dropuot");

}  // namespace
