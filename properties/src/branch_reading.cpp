#include "branch_reading.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <map>
#include <vector>

#include "unit_reading.hpp"

namespace dropcheck::properties {
namespace {

constexpr std::int64_t kCalls = 512;
constexpr std::int64_t kMostValues = std::int64_t{1} << 23;
/// The commonest result must come more often than this, and most results more
/// than once or be few: others would be noise that agrees by rounding.
constexpr std::uint64_t kFewestReturns = 8;

using Result = std::vector<std::uint64_t>;

std::vector<Result> results_of(const Responses& responses, std::int64_t units) {
  std::vector<Result> results;
  const auto size = static_cast<std::size_t>(responses.size() / units);
  for (std::size_t i = 0; i + size <= responses.values.size(); i += size) {
    Result& result = results.emplace_back();
    for (std::size_t k = 0; k < size; ++k) {
      result.push_back(std::bit_cast<std::uint64_t>(responses.values[i + k]));
    }
  }
  return results;
}

/// The input with its first sample in the place of all others.
impl::Tensor equal_samples(impl::Tensor input) {
  if (input.shape().empty()) return input;
  const std::int64_t size = input.size() / input.shape().front();
  for (std::int64_t i = size; i < input.size(); ++i) {
    input.view().set(i, input.view().value(i % size));
  }
  return input;
}

bool all_equal(const std::vector<Result>& results) {
  return std::all_of(results.begin(), results.end(),
                     [&](const Result& one) { return one == results.front(); });
}

/// Whether the samples of each call always have one result.
bool moves_together(const std::vector<Result>& results, std::int64_t samples) {
  for (std::size_t i = 0; i < results.size(); ++i) {
    if (i % static_cast<std::size_t>(samples) == 0) continue;
    if (results[i] != results[i - 1]) return false;
  }
  return true;
}

}  // namespace

std::optional<BranchReading> read_branches(BlackBox& box,
                                           const impl::Tensor& input,
                                           double log_inverse_alpha) {
  const impl::Tensor equal = equal_samples(input);
  const auto evaluated = evaluate_once(box, equal);
  if (!evaluated || evaluated->size() == 0) return std::nullopt;
  const bool batched = input.shape().size() > 1 && !evaluated->shape.empty() &&
                       evaluated->shape.front() == input.shape().front();
  std::int64_t samples = batched ? input.shape().front() : 1;
  if (!all_equal(results_of(*evaluated, samples))) samples = 1;
  BoxedLayer layer(box, equal);
  Responses responses;
  layer.append(responses, std::min(kCalls, kMostValues / evaluated->size()));
  std::vector<Result> results = results_of(responses, samples);
  BranchReading reading;
  reading.unit = samples > 1 ? "for each sample" : "for the whole tensor";
  if (samples > 1 && moves_together(results, samples)) {
    reading.unit = "for the whole tensor";
    results = results_of(responses, 1);
  }
  std::map<Result, std::uint64_t> times;
  for (const Result& result : results) ++times[result];
  std::uint64_t most = 0;
  for (const auto& [result, count] : times) most = std::max(most, count);
  reading.draws = results.size();
  reading.distinct = times.size();
  if (most < kFewestReturns || reading.distinct < 2) return std::nullopt;
  reading.commonest =
      static_cast<double>(most) / static_cast<double>(reading.draws);
  // The one that came most often was chosen among all: they share the error.
  reading.interval = rate_interval_of(
      {most, reading.draws},
      log_inverse_alpha + std::log(static_cast<double>(reading.distinct)));
  while ((std::uint64_t{1} << reading.fewest_decisions) < reading.distinct) {
    ++reading.fewest_decisions;
  }
  return reading;
}

}  // namespace dropcheck::properties
