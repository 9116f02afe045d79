// Tests that look at how many elements were kept, or at a mean that says the
// same of a right layer.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <numeric>

#include "dropcheck/impl/tensor.hpp"
#include "exact.hpp"
#include "todays_test.hpp"

namespace dropcheck::properties::todays_tests {
namespace {

using Kind = StatedRate::Kind;
/// The assertion on one number, for a case.
using Accepts = std::function<bool(const Case&, double)>;

const std::vector<std::string> kElementLayers{"dropout"};
const std::vector<std::string> kChannelLayers{"dropout1d", "dropout2d",
                                              "dropout3d", "spatial_dropout"};

std::uint64_t elements(const Case& situation) {
  return static_cast<std::uint64_t>(impl::element_count(situation.shape) *
                                    situation.calls);
}

double mean(std::span<const float> values) {
  return std::accumulate(values.begin(), values.end(), 0.0) /
         static_cast<double>(values.size());
}

double nonzero(std::span<const float> values) {
  return static_cast<double>(std::count_if(
      values.begin(), values.end(), [](float value) { return value != 0; }));
}

/// A whole number in every case here.
double expected_kept(const Case& situation) {
  return std::round(static_cast<double>(elements(situation)) *
                    situation.keep());
}

/// The assertion is one on the count of elements that are not zero.
TodaysTest counts(TodaysTest test, const Accepts& accepts) {
  test.layers = kElementLayers;
  test.passes = [accepts](const Case& situation, Trial& trial) {
    return accepts(situation, nonzero(trial.train(situation, 1)));
  };
  test.false_alarm = [accepts](const Case& situation) {
    return rejected_mass(elements(situation), situation.keep(),
                         [&](double kept) { return accepts(situation, kept); });
  };
  return test;
}

std::vector<Case> at(const std::vector<double>& drops, const Case& common) {
  std::vector<Case> cases;
  for (const double drop : drops) {
    cases.push_back(common);
    cases.back().drop = drop;
  }
  return cases;
}

/// Mean of the output within .05, likewise of the gradient, both once out of
/// place and once in place; evaluation is the identity.
bool means_near_keep(const Case& situation, Trial& trial) {
  const double keep = situation.keep();
  const auto near = [keep](std::span<const float> values) {
    return std::abs(mean(values) - keep) < 0.05;
  };
  for (const bool in_place : {false, true}) {
    if (!near(trial.train(situation, keep, in_place && trial.can_in_place())) ||
        !near(trial.gradient(keep)) || !trial.evaluates_to_input()) {
      return false;
    }
  }
  return true;
}

/// Of both draws, for `units` decisions each.
double means_false_alarm(std::uint64_t units, double keep) {
  const double n = static_cast<double>(units);
  const double once = rejected_mass(units, keep, [=](double kept) {
    return std::abs(kept / n - keep) < 0.05;
  });
  return once * (2 - once);
}

TodaysTest pytorch_dropout() {
  return {.name = "PyTorch Dropout",
          .assertion = "abs(mean - .8) < .05, output and gradient, twice",
          .layers = kElementLayers,
          .stated = {"1.7e-4", Kind::kExact, 1.7e-4},
          .cases = {{.drop = 0.2, .shape = {1000}}},
          .passes = means_near_keep,
          .false_alarm = [](const Case& situation) {
            return means_false_alarm(elements(situation), situation.keep());
          }};
}

/// 10 to 15 samples of 10 to 15 channels.
std::vector<Case> few_channels() {
  std::vector<Case> cases;
  for (std::int64_t samples = 10; samples <= 15; ++samples) {
    for (std::int64_t channels = 10; channels <= 15; ++channels) {
      // Axes that may be spatial ones are short: channels decide.
      for (const char* layer : {"dropout1d", "spatial_dropout"}) {
        cases.push_back(
            {.drop = 0.2, .shape = {samples, channels, 4}, .layer = layer});
      }
      cases.push_back({.drop = 0.2,
                       .shape = {samples, channels, 2, 2},
                       .layer = "dropout2d"});
      cases.push_back({.drop = 0.2,
                       .shape = {samples, channels, 2, 2, 1},
                       .layer = "dropout3d"});
    }
  }
  return cases;
}

TodaysTest pytorch_dropout1d() {
  return {.name = "PyTorch Dropout1d, until May 2026",
          .assertion = "the same on 100 to 225 channels",
          .layers = kChannelLayers,
          .stated = {"24.7 %", Kind::kExact, 0.247},
          .cases = few_channels(),
          .passes = means_near_keep,
          .false_alarm =
              [](const Case& situation) {
                const auto units = static_cast<std::uint64_t>(
                    situation.shape[0] * situation.shape[1]);
                return means_false_alarm(units, situation.keep());
              },
          .choice = Cases::kOneAtRandom};
}

TodaysTest flax() {
  return counts(
      {.name = "Flax Dropout",
       .assertion = "kept fraction within 4 sigma, 1e5 for each of 9 rates",
       .stated = {"5.7e-4", Kind::kExact, 5.7e-4},
       .cases = at({0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9},
                   {.shape = {100, 100}, .calls = 10})},
      [](const Case& situation, double kept) {
        const auto n = static_cast<double>(elements(situation));
        const double keep = situation.keep();
        return std::abs(kept / n - keep) <
               4 * std::sqrt(keep * situation.drop / n);
      });
}

TodaysTest keras() {
  // assertAllClose has a relative tolerance of 1e-6 besides.
  const auto accepts = [](double mean_of_output) {
    return std::abs(mean_of_output - 1) <= 0.02 + 1e-6;
  };
  return {.name = "Keras 3 Dropout",
          .assertion = "mean = 1 +- .02, 1e4 ones at p = .5",
          .layers = kElementLayers,
          .stated = {"4.4 %", Kind::kExact, 0.044},
          .cases = {{.drop = 0.5, .shape = {20, 500}}},
          .passes =
              [accepts](const Case& situation, Trial& trial) {
                return accepts(mean(trial.train(situation, 1)));
              },
          .false_alarm =
              [accepts](const Case& situation) {
                return rejected_mass(
                    elements(situation), situation.keep(), [&](double kept) {
                      return accepts(kept / expected_kept(situation));
                    });
              }};
}

bool relative_error_below_15(const Case& situation, double kept) {
  const double expected = expected_kept(situation);
  return std::abs(kept - expected) < 0.15 * expected;
}

TodaysTest tensorflow() {
  return counts(
      {.name = "TensorFlow Dropout",
       .assertion = "relative error of the kept count < 15 %, 12,000 "
                    "at keep .1, .5, .8",
       .stated = {"4e-8", Kind::kByNormal, 4e-8},
       .cases = at({0.9, 0.5, 0.2}, {.shape = {40, 30}, .calls = 10})},
      relative_error_below_15);
}

TodaysTest mlpack() {
  return counts(
      {.name = "mlpack Dropout",
       .assertion = "relative error of the kept count <= 15 %, "
                    "15,000 at p from .1 to .8",
       .stated = {"~0", Kind::kNegligible, 0},
       .cases = at({0.1, 0.3, 0.5, 0.8}, {.shape = {1500}, .calls = 10})},
      [](const Case& situation, double kept) {
        const double expected = expected_kept(situation);
        return std::abs(kept - expected) <= 0.15 * expected;
      });
}

TodaysTest onnx_runtime() {
  return counts({.name = "ONNX Runtime Dropout",
                 .assertion = "abs(dropped fraction - p) < .1, 1000 at p = .5",
                 .stated = {"3e-10", Kind::kExact, 3e-10},
                 .cases = {{.drop = 0.5, .shape = {1000}}}},
                [](const Case& situation, double kept) {
                  const auto n = static_cast<double>(elements(situation));
                  return std::abs(n - kept - n * situation.drop) < 0.1 * n;
                });
}

TodaysTest tinygrad() {
  return counts({.name = "tinygrad dropout",
                 .assertion = "kept count within .2 %, 1e6 at p = .1",
                 .stated = {"2e-9", Kind::kExact, 2e-9},
                 .cases = {{.drop = 0.1, .shape = {1000000}}}},
                [](const Case& situation, double kept) {
                  const double expected = expected_kept(situation);
                  return std::abs(kept - expected) <= 0.002 * expected;
                });
}

}  // namespace

std::vector<TodaysTest> counting_tests() {
  return {pytorch_dropout(), pytorch_dropout1d(), flax(),
          keras(),           tensorflow(),        mlpack(),
          onnx_runtime(),    tinygrad()};
}

}  // namespace dropcheck::properties::todays_tests
