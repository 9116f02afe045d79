// Defects of any size. Each is the alternative that its check names in the
// plan: a layer that is right but for one number.
#include <fmt/format.h>

#include <cmath>
#include <utility>

#include "dropcheck/impl/fault_families.hpp"
#include "faulty/draws.hpp"
#include "reference/gaussian_dropout.hpp"

namespace dropcheck::impl {
namespace {

using faulty::clamped;
using faulty::decide;
using faulty::Draw;
using faulty::draw_right;
using faulty::drops_with;
using faulty::Fault;
using faulty::then;
using faulty::uniform;

Fault rate_off(double by) {
  return drops_with(
      [by](const Draw& draw, std::size_t) { return draw.drop + by; });
}

Fault rate_above(double size) { return rate_off(size); }
Fault rate_below(double size) { return rate_off(-size); }

/// E[y] / x = (1 - p - error) / (1 - p).
Fault mean_below(double size) {
  return drops_with([size](const Draw& draw, std::size_t) {
    return draw.drop + size * (1 - draw.drop);
  });
}

/// A unit repeats the one `lag` before it with probability `size`, which is
/// then their correlation.
Fault repeats_at(std::size_t lag, double size) {
  return then([lag, size](const Draw& draw) {
    auto& kept = draw.mask.kept;
    for (std::size_t i = lag; i < kept.size(); ++i) {
      if (uniform(draw.stream.next()) < size) kept[i] = kept[i - lag];
    }
  });
}

Fault repeats_neighbour(double size) { return repeats_at(1, size); }
Fault repeats_at_37(double size) { return repeats_at(37, size); }

/// The same, of the mask before. `words` keeps it.
Fault repeats_call(double size) {
  return then([size](const Draw& draw) {
    auto& kept = draw.mask.kept;
    auto& before = draw.words;
    if (before.size() == kept.size()) {
      for (std::size_t i = 0; i < kept.size(); ++i) {
        if (uniform(draw.stream.next()) >= size) continue;
        kept[i] = static_cast<std::uint8_t>(before[i]);
      }
    }
    before.assign(kept.begin(), kept.end());
  });
}

/// Every `group` units have a rate of their own, up or down by a coin, so that
/// their number of drops has 1 + size times the binomial variance.
Fault varies_per(std::size_t group, double size) {
  return {.draw = [group, size](const Draw& draw) {
    auto& kept = draw.mask.kept;
    const std::size_t length = group == 0 ? kept.size() : group;
    const double p = draw.drop;
    const double step = std::sqrt(
        size * p * (1 - p) / std::max(1.0, static_cast<double>(length) - 1));
    double rate = p;
    for (std::size_t i = 0; i < kept.size(); ++i) {
      if (i % length == 0) {
        rate = p + ((draw.stream.next() & 1U) != 0 ? step : -step);
      }
      kept[i] = decide(rate, draw.stream.next());
    }
  }};
}

Fault varies_per_64(double size) { return varies_per(64, size); }
Fault varies_per_call(double size) { return varies_per(0, size); }

/// The fifth of sixteen segments drops more.
Fault segment_above(double size) {
  return drops_with([size](const Draw& draw, std::size_t i) {
    const std::size_t units = draw.mask.kept.size();
    return i * 16 / units == 4 ? draw.drop + size : draw.drop;
  });
}

/// Unit 483 repeats unit 17 with that probability.
Fault distant_pair(double size) {
  return then([size](const Draw& draw) {
    auto& kept = draw.mask.kept;
    if (kept.size() <= 483) return;
    if (uniform(draw.stream.next()) < size) kept[483] = kept[17];
  });
}

/// After a drop 11 before and a keep 29 before, the rate is higher.
Fault after_two(double size) {
  return {.draw = [size](const Draw& draw) {
    auto& kept = draw.mask.kept;
    for (std::size_t i = 0; i < kept.size(); ++i) {
      const bool after = i >= 29 && kept[i - 11] == 0 && kept[i - 29] != 0;
      kept[i] = decide(draw.drop + (after ? size : 0), draw.stream.next());
    }
  }};
}

/// Positive values from 1 to 2 are dropped more often.
Fault values_above(double size) {
  return {.spoil = [size](const Draw& draw, const TensorView& input,
                          const TensorView& output) {
    if (draw.drop <= 0 || draw.drop >= 1) return;
    for (std::int64_t i = 0; i < input.size(); ++i) {
      const double x = input.value(i);
      if (!(x >= 1 && x < 2) || output.value(i) == 0) continue;
      if (uniform(draw.stream.next()) * (1 - draw.drop) < size) {
        output.set(i, 0);
      }
    }
  }};
}

/// One decision in 1 / size is wrong at p = 0.
Fault rare_at_zero(double size) {
  return drops_with([size](const Draw& draw, std::size_t) {
    return draw.drop == 0 ? size : draw.drop;
  });
}

/// Seeds 2k and 2k + 1 share a word where both take it from their common
/// stream, which each does with probability sqrt(size).
Fault seeds_share(double size) {
  return {.draw = [share = std::sqrt(size)](const Draw& draw) {
    const auto call = static_cast<std::uint64_t>(draw.call);
    for (std::size_t i = 0; i < draw.mask.kept.size(); ++i) {
      const bool common = uniform(keyed_word(draw.seed, i, call, 1)) < share;
      const std::uint64_t key =
          common ? draw.seed & ~std::uint64_t{1} : keyed_word(draw.seed, 2);
      draw.mask.kept[i] = decide(draw.drop, keyed_word(key, i, call));
    }
  }};
}

/// Gaussian dropout with 1 + size times the variance.
Fault variance_above(double size) {
  return {.noise = [size](const LayerConfig& config, reference::NoiseRule) {
    const double drop = config.drop_probability;
    const double width = std::sqrt(drop / (1 - drop) * (1 + size));
    return reference::NoiseRule{
        .draw =
            [width](RandomStream& stream, std::span<double> factors) {
              reference::fill_normal(stream, factors);
              for (double& factor : factors) factor = 1 + width * factor;
            },
        .combine = [](double x, double factor) { return x * factor; }};
  }};
}

FaultFamily family(const char* name, const char* caught_by,
                   const char* measures, Fault (*fault)(double size),
                   const char* layer = "dropout") {
  const auto of_size = [=](double size) {
    return faulty::entry_of(
        {.name = fmt::format("{}_{:.3g}", name, size),
         .layer = layer,
         .caught_by = caught_by,
         .summary = fmt::format("{} {:.3g}", measures, size),
         .defect = "Planted in a size that is known.",
         .fault = fault(size)});
  };
  return {name, layer, caught_by, measures, of_size};
}

std::vector<FaultFamily> make_families() {
  return {
      family("rate_above", "drop_rate", "a drop rate too high by", rate_above),
      family("rate_below", "drop_rate", "a drop rate too low by", rate_below),
      family("robust_rate_above", "drop_rate_robust", "a drop rate too high by",
             rate_above),
      family("mean_below", "expectation", "E[y] / x too low by", mean_below),
      family("rate_per_64", "unit_counts",
             "a variance of drops per 64 units too high by the share",
             varies_per_64),
      family("rate_per_call", "dispersion",
             "a variance of drops per call too high by the share",
             varies_per_call),
      family("segment_above", "homogeneity",
             "one of 16 segments with a rate too high by", segment_above),
      family("neighbours", "independence_within",
             "neighbours with a correlation of", repeats_neighbour),
      family("lag_37", "independence_within",
             "units 37 apart with a correlation of", repeats_at_37),
      family("distant_pair", "independence_pairs",
             "two distant units with a correlation of", distant_pair),
      family("after_two", "higher_order",
             "a rate after a drop and a keep too high by", after_two),
      family("calls", "independence_calls",
             "successive calls with a correlation of", repeats_call),
      family("related_seeds", "independence_seeds",
             "seeds 2k and 2k + 1 with a correlation of", seeds_share),
      family("values_above", "value_independence",
             "values from 1 to 2 with a rate too high by", values_above),
      family("rare_at_zero", "rare_events",
             "wrong decisions at p = 0 with probability", rare_at_zero),
      family("noise_variance", "distribution",
             "a variance too high by the share", variance_above,
             "gaussian_dropout"),
  };
}

}  // namespace

const std::vector<FaultFamily>& fault_families() {
  static const std::vector<FaultFamily> kFamilies = make_families();
  return kFamilies;
}

}  // namespace dropcheck::impl
