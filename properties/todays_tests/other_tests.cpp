// Tests of alpha dropout, of paths, of channels that share, and by p-values.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <numeric>

#include "dropcheck/impl/law.hpp"
#include "exact.hpp"
#include "todays_test.hpp"

namespace dropcheck::properties::todays_tests {
namespace {

using Kind = StatedRate::Kind;

/// The two values that alpha dropout makes of ones.
struct TwoValues {
  double kept;
  double dropped;
};

TwoValues of_ones(double drop) {
  const impl::Affine map = impl::affine(*impl::find_law("alpha_dropout"),
                                        {.drop_probability = drop});
  return {map.kept_slope() + map.kept_offset(), map.dropped_value()};
}

double sum(std::span<const float> values) {
  return std::accumulate(values.begin(), values.end(), 0.0);
}

double deviation(std::span<const float> values) {
  const auto n = static_cast<double>(values.size());
  const double mean = sum(values) / n;
  double squares = 0;
  for (const float value : values) {
    squares += (static_cast<double>(value) - mean) *
               (static_cast<double>(value) - mean);
  }
  return std::sqrt(squares / n);
}

TodaysTest pytorch_alpha() {
  const auto accepts = [](double total) { return total > 40 && total < 130; };
  return {.name = "PyTorch C++ AlphaDropout",
          .assertion = "40 < sum < 130, 100 ones at p = .5",
          .layers = {"alpha_dropout"},
          .stated = {"38 %", Kind::kExact, 0.38},
          .cases = {{.drop = 0.5, .shape = {100}}},
          .passes =
              [accepts](const Case& situation, Trial& trial) {
                return accepts(sum(trial.train(situation, 1)));
              },
          .false_alarm =
              [accepts](const Case& situation) {
                const TwoValues y = of_ones(situation.drop);
                return rejected_mass(100, situation.keep(), [&](double kept) {
                  return accepts(kept * y.kept + (100 - kept) * y.dropped);
                });
              }};
}

TodaysTest keras_alpha() {
  // assertAllClose has a relative tolerance of 1e-6 besides.
  const auto accepts = [](double spread) {
    return std::abs(spread - 1) <= 0.1 + 1e-6;
  };
  return {.name = "Keras 3 AlphaDropout",
          .assertion = "standard deviation = 1 +- .1, 1e4 ones at p = .3",
          .layers = {"alpha_dropout"},
          .stated = {".6 %", Kind::kByNormal, 0.006},
          .cases = {{.drop = 0.3, .shape = {20, 500}}},
          .passes =
              [accepts](const Case& situation, Trial& trial) {
                return accepts(deviation(trial.train(situation, 1)));
              },
          .false_alarm =
              [accepts](const Case& situation) {
                const TwoValues y = of_ones(situation.drop);
                return rejected_mass(10000, situation.keep(), [&](double kept) {
                  const double fraction = kept / 10000;
                  return accepts((y.kept - y.dropped) *
                                 std::sqrt(fraction * (1 - fraction)));
                });
              }};
}

/// Neighbours along the last axis are equal.
bool slices_are_equal(const Case& situation, Trial& trial) {
  const std::span<const float> y = trial.train(situation, 1);
  const auto width = static_cast<std::size_t>(situation.shape.back());
  for (std::size_t i = 0; i < y.size(); i += width) {
    if (y[i] != y[i + 1]) return false;
  }
  return true;
}

TodaysTest keras_spatial() {
  return {.name = "Keras 3 SpatialDropout",
          .assertion = "two slices of each of 10x10 channels are equal",
          .layers = {"dropout1d", "dropout2d", "dropout3d", "spatial_dropout"},
          .stated = {"0", Kind::kAtMost, 0},
          .cases = {{.shape = {10, 10, 4}, .layer = "dropout1d"},
                    {.shape = {10, 10, 4, 4}, .layer = "dropout2d"},
                    {.shape = {10, 10, 4, 4, 4}, .layer = "dropout3d"},
                    {.shape = {10, 10, 4, 4}, .layer = "spatial_dropout"}},
          .passes = slices_are_equal,
          .false_alarm = [](const Case&) { return 0.0; }};
}

/// How many paths were dropped: blocks of `size` values that are all zero.
std::uint64_t dropped_paths(std::span<const float> values, std::size_t size) {
  std::uint64_t dropped = 0;
  for (std::size_t begin = 0; begin < values.size(); begin += size) {
    const auto block = values.subspan(begin, size);
    dropped += std::all_of(block.begin(), block.end(),
                           [](float value) { return value == 0; });
  }
  return dropped;
}

constexpr std::int64_t kBatch = 5;
constexpr std::size_t kPathSize = 4;

/// Paths of one call: in batch mode there is one.
std::uint64_t paths(const Case& situation) {
  const std::int64_t each = situation.layer == "drop_path" ? kBatch : 1;
  return static_cast<std::uint64_t>(each * situation.calls);
}

std::vector<Case> ten_seeds_each() {
  std::vector<Case> cases;
  for (const char* layer : {"drop_path", "stochastic_depth"}) {
    for (const double drop : {0.2, 0.5, 0.8}) {
      const Case situation{.drop = drop,
                           .shape = {kBatch, kPathSize},
                           .calls = 250,
                           .layer = layer};
      cases.insert(cases.end(), 10, situation);
    }
  }
  return cases;
}

TodaysTest torchvision() {
  return {.name = "torchvision StochasticDepth",
          .assertion = "binomial p-value > .01, 250 or 1250 paths, 60 cases",
          .layers = {"drop_path", "stochastic_depth"},
          .stated = {"42 %", Kind::kExact, 0.42},
          .cases = ten_seeds_each(),
          .passes =
              [](const Case& situation, Trial& trial) {
                const bool row = situation.layer == "drop_path";
                const std::uint64_t dropped =
                    dropped_paths(trial.train(situation, 1),
                                  row ? kPathSize : kPathSize * kBatch);
                return two_sided_p(dropped, paths(situation), situation.drop) >
                       0.01;
              },
          .false_alarm =
              [](const Case& situation) {
                const std::uint64_t n = paths(situation);
                return outside(accepted_counts(n, situation.drop, 0.01), n,
                               situation.drop);
              }};
}

TodaysTest timm() {
  return {.name = "timm DropPath",
          .assertion = "at least one zero among 100 paths",
          .layers = {"drop_path"},
          .stated = {"~0", Kind::kNegligible, 0},
          .cases = {{.drop = 0.2, .shape = {100, 8, 4, 4}}},
          .passes =
              [](const Case& situation, Trial& trial) {
                const auto y = trial.train(situation, 1);
                return std::find(y.begin(), y.end(), 0.0F) != y.end();
              },
          .false_alarm =
              [](const Case& situation) {
                return std::pow(situation.keep(), situation.shape[0]);
              }};
}

constexpr double kXformersLevel = 1e-6;

/// Cells of 1000 masks of several sizes, the largest of 4290 cells; four runs
/// of each at both probabilities.
std::vector<Case> attention_masks() {
  std::vector<Case> cases;
  for (const double drop : {0.3, 0.7}) {
    for (const std::int64_t batch : {1, 2}) {
      for (const std::int64_t queries : {2, 33}) {
        for (const std::int64_t keys : {3, 15, 32, 33, 65}) {
          const Case situation{
              .drop = drop, .shape = {batch, queries, keys}, .calls = 1000};
          cases.insert(cases.end(), 4, situation);
        }
      }
    }
  }
  return cases;
}

bool p_values_above_level(const Case& situation, Trial& trial) {
  const auto cells =
      static_cast<std::size_t>(impl::element_count(situation.shape));
  const auto calls = static_cast<std::uint64_t>(situation.calls);
  const std::span<const float> y = trial.train(situation, 1);
  std::vector<std::uint64_t> kept(cells, 0);
  for (std::size_t begin = 0; begin < y.size(); begin += cells) {
    for (std::size_t i = 0; i < cells; ++i) kept[i] += y[begin + i] != 0;
  }
  const std::uint64_t pooled =
      std::accumulate(kept.begin(), kept.end(), std::uint64_t{0});
  const CountRange range =
      accepted_counts(calls, situation.keep(), kXformersLevel);
  return two_sided_p(pooled, cells * calls, situation.keep()) >
             kXformersLevel &&
         std::all_of(kept.begin(), kept.end(),
                     [&](std::uint64_t k) { return range.contains(k); });
}

/// Of all cells, which are independent. The pooled p-value depends on them and
/// adds at most its level: 1e-6 in a case, left out here.
double cells_false_alarm(const Case& situation) {
  const auto calls = static_cast<std::uint64_t>(situation.calls);
  const CountRange range =
      accepted_counts(calls, situation.keep(), kXformersLevel);
  const auto cells = static_cast<double>(impl::element_count(situation.shape));
  return -std::expm1(cells *
                     std::log1p(-outside(range, calls, situation.keep())));
}

TodaysTest xformers() {
  return {.name = "xFormers attention dropout",
          .assertion =
              "binomial p-value > 1e-6, pooled and for each of up to "
              "4290 elements, 1000 masks, 160 cases",
          .layers = {"dropout"},
          .stated = {"<= 12 %", Kind::kAtMost, 0.12},
          .cases = attention_masks(),
          .passes = p_values_above_level,
          .false_alarm = cells_false_alarm};
}

}  // namespace

std::vector<TodaysTest> other_tests() {
  return {pytorch_alpha(), keras_alpha(), keras_spatial(),
          torchvision(),   timm(),        xformers()};
}

}  // namespace dropcheck::properties::todays_tests
