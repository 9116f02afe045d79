#include "mode_reading.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "dropcheck/stats/granularity.hpp"

namespace dropcheck::properties {
namespace {

constexpr double kTelling = 25;
constexpr std::int64_t kMostCalls = 4096;

bool same(double a, double b) {
  return (std::isnan(a) && std::isnan(b)) ||
         (a == b && std::signbit(a) == std::signbit(b));
}

bool same_values(std::span<const double> a, std::span<const double> b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), same);
}

bool varies(const Responses& responses) {
  for (std::int64_t t = 1; t < responses.calls; ++t) {
    if (!same_values(responses.call(t), responses.call(0))) return true;
  }
  return false;
}

std::vector<double> input_values(const Responses& responses) {
  std::vector<double> values;
  for (std::int64_t i = 0; i < responses.input.size(); ++i) {
    values.push_back(responses.input.view().value(i));
  }
  return values;
}

/// Whether `result` is the softmax of `scores` over the last axis of `shape`,
/// up to rounding of scores, powers and sums.
bool is_softmax(std::span<const double> scores, std::span<const double> result,
                const impl::Shape& shape, impl::DType dtype) {
  if (shape.empty() || scores.size() != result.size()) return false;
  const auto keys = static_cast<std::size_t>(shape.back());
  const double tolerance = std::ldexp(64.0, -impl::significand_bits(dtype));
  for (std::size_t row = 0; row < scores.size(); row += keys) {
    double sum = 0;
    for (std::size_t i = row; i < row + keys; ++i) sum += std::exp(scores[i]);
    for (std::size_t i = row; i < row + keys; ++i) {
      const double due = std::exp(scores[i]) / sum;
      if (!(std::abs(result[i] - due) <= tolerance * due)) return false;
    }
  }
  return true;
}

/// Whether `result` is the input several times.
bool repeats(std::span<const double> input, std::span<const double> result) {
  if (input.empty() || result.size() % input.size() != 0) return false;
  for (std::size_t i = 0; i < result.size(); i += input.size()) {
    if (!same_values(input, result.subspan(i, input.size()))) return false;
  }
  return true;
}

/// The kind of a plain function, from one result.
void classify(EvaluationReading& reading, const Responses& evaluated,
              impl::DType dtype) {
  const std::vector<double> input = input_values(evaluated);
  const auto result = evaluated.call(0);
  if (same_values(input, result)) {
    reading.kind = EvaluationKind::kIdentity;
    reading.words = "the identity, bit for bit";
    return;
  }
  reading.kind = EvaluationKind::kFunction;
  reading.words = "another function of the input, the same every time";
  if (repeats(input, result)) {
    reading.kind = EvaluationKind::kRepeated;
    reading.words = "the input, once for each mask";
  }
  if (input.size() != result.size()) return;
  std::vector<KeptPair> pairs;
  for (std::size_t i = 0; i < input.size(); ++i) {
    pairs.push_back({input[i], result[i]});
  }
  const Line line = fit_line(pairs);
  if (lies_on_line(line, pairs, dtype)) {
    reading.kind = EvaluationKind::kScaled;
    reading.slope = line.slope;
    reading.words =
        std::abs(line.offset) < 1e-6
            ? fmt::format("{:.6g} * x", line.slope)
            : fmt::format("{:.6g} * x {:+.6g}", line.slope, line.offset);
  } else if (is_softmax(input, result, evaluated.shape, dtype)) {
    reading.kind = EvaluationKind::kSoftmax;
    reading.words = "the softmax of the input over its last axis";
  }
}

bool drops(const Probe& probe, const Responses& responses) {
  if (!probe.values.dropped) return varies(responses);
  for (const auto& mask : drop_bits(responses, *probe.values.dropped)) {
    if (std::any_of(mask.begin(), mask.end(),
                    [](std::uint64_t word) { return word != 0; })) {
      return true;
    }
  }
  return false;
}

/// Enough calls to see a drop.
std::int64_t dropping_calls(const Probe& probe) {
  const stats::Counts& counts = probe.units.counts;
  if (counts.drops == 0) return 8;
  const double p =
      static_cast<double>(counts.drops) / static_cast<double>(counts.n);
  const double per_call =
      -std::log1p(-p) * static_cast<double>(probe.units.units);
  return std::clamp<std::int64_t>(
      static_cast<std::int64_t>(std::ceil(kTelling / per_call)), 8, kMostCalls);
}

Responses training_calls(BoxedLayer& layer, std::int64_t calls) {
  Responses responses;
  layer.append(responses, calls);
  return responses;
}

EvaluationReading evaluate(BlackBox& box, const Probe& probe) {
  EvaluationReading reading;
  const std::int64_t calls = dropping_calls(probe);
  BoxedLayer layer(box, probe.responses.input);
  Responses evaluated;
  layer.append(evaluated, calls, false);
  const bool drops_before = probe.values.varies && !probe.by_seeds;
  const Responses trained = training_calls(layer, calls);
  reading.sticks = drops_before && !drops(probe, trained);
  layer.append(evaluated, 1, false);
  if (!varies(evaluated)) {
    classify(reading, evaluated, box.config().dtype);
  } else {
    reading.kind = EvaluationKind::kRandom;
    const bool masked = probe.values.dropped && drops(probe, evaluated);
    reading.words = masked ? "drops too" : "random too";
  }
  return reading;
}

/// Results after a reseed.
Responses after(BoxedLayer& layer, std::uint64_t seed, std::int64_t calls) {
  layer.shape();
  layer.reseed(seed);
  return training_calls(layer, calls);
}

}  // namespace

std::int64_t telling_calls(const Probe& probe) {
  const stats::Counts& counts = probe.units.counts;
  if (counts.drops == 0 || counts.drops == counts.n) return 64;
  const double p =
      static_cast<double>(counts.drops) / static_cast<double>(counts.n);
  const double per_call = -stats::log_chance_identical(
      p, static_cast<std::uint64_t>(probe.units.units));
  return std::clamp<std::int64_t>(
      static_cast<std::int64_t>(std::ceil(kTelling / per_call)), 4, kMostCalls);
}

EvaluationReading read_evaluation(BlackBox& box, const Probe& probe) {
  EvaluationReading reading;
  const auto refusal = refusal_of([&] { reading = evaluate(box, probe); });
  if (refusal) reading.words = "refused: " + *refusal;
  return reading;
}

SeedReading read_seeding(BlackBox& box, const Probe& probe) {
  if (!box.reseeds()) return {"cannot be reseeded, as it declares"};
  if (!probe.values.varies) return {"nothing varies, so no seed shows"};
  const std::int64_t calls = telling_calls(probe);
  const std::uint64_t seed = box.next_seed();
  BoxedLayer layer(box, probe.responses.input);
  BoxedLayer other(box, probe.responses.input);
  const Responses first = after(layer, seed, calls);
  const auto repeats = [&](BoxedLayer& of, std::uint64_t value) {
    return same_values(after(of, value, calls).values, first.values);
  };
  if (!repeats(layer, seed)) return {"a seed does not repeat its masks", true};
  if (!repeats(other, seed)) {
    return {"a seed repeats its masks in one instance, but not in another",
            true};
  }
  if (repeats(layer, seed ^ 1)) {
    return {"every seed gives the same masks", true};
  }
  if (repeats(layer, seed ^ (std::uint64_t{1} << 40U))) {
    return {
        "a seed repeats its masks; seeds that differ above bit 31 only "
        "have the same ones"};
  }
  return {"a seed repeats its masks, other seeds have others"};
}

}  // namespace dropcheck::properties
