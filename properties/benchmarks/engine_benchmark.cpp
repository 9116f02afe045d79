// The engine beside what one would write instead, on one thread: every case is
// a benchmark of its own, in elements (or random words) a second. Medians and
// ratios are made by ci/bench, which lets the cases take turns.
#include <Random123/philox.h>
#include <benchmark/benchmark.h>
#include <malloc.h>

#include <Eigen/Core>
#include <boost/accumulators/accumulators.hpp>
#include <boost/accumulators/statistics/kurtosis.hpp>
#include <boost/accumulators/statistics/mean.hpp>
#include <boost/accumulators/statistics/skewness.hpp>
#include <boost/accumulators/statistics/stats.hpp>
#include <boost/accumulators/statistics/variance.hpp>
#include <boost/math/statistics/univariate_statistics.hpp>
#include <cstdint>
#include <random>
#include <stdexcept>
#include <string_view>
#include <vector>

#include "dropcheck/impl/random_stream.hpp"
#include "dropcheck/impl/registry.hpp"
#include "layer_bench.hpp"
#include "value_sums.hpp"

namespace dropcheck::properties {
namespace {

constexpr std::int64_t kElements = 65536;  ///< a call: what stays in the cache

double drop_of(const benchmark::State& state) {
  return static_cast<double>(state.range(0)) / 100;
}

void count_items(benchmark::State& state, std::int64_t a_round) {
  state.SetItemsProcessed(a_round * state.iterations());
}

void mask_std(benchmark::State& state) {
  std::mt19937 generator(1);
  std::bernoulli_distribution keep(1 - drop_of(state));
  std::vector<std::uint8_t> mask(kElements);
  for (auto _ : state) {
    for (std::uint8_t& kept : mask) kept = keep(generator) ? 1 : 0;
    benchmark::DoNotOptimize(mask.data());
    benchmark::ClobberMemory();
  }
  count_items(state, kElements);
}
BENCHMARK(mask_std)->Name("mask/std::mt19937+bernoulli")->Arg(10)->Arg(50);

void mask_eigen(benchmark::State& state) {
  std::mt19937 generator(1);
  std::bernoulli_distribution keep(1 - drop_of(state));
  Eigen::ArrayXf mask(kElements);
  for (auto _ : state) {
    mask = Eigen::ArrayXf::NullaryExpr(
        kElements, [&] { return keep(generator) ? 1.0F : 0.0F; });
    benchmark::DoNotOptimize(mask.data());
    benchmark::ClobberMemory();
  }
  count_items(state, kElements);
}
BENCHMARK(mask_eigen)->Name("mask/Eigen NullaryExpr")->Arg(10)->Arg(50);

void mask_dropcheck(benchmark::State& state) {
  impl::RandomStream stream(1);
  const auto keep = impl::Probability::from_drop(drop_of(state));
  std::vector<std::uint64_t> mask(kElements / 64);
  for (auto _ : state) {
    stream.decide(keep, kElements, mask.data());
    benchmark::DoNotOptimize(mask.data());
    benchmark::ClobberMemory();
  }
  count_items(state, kElements);
}
BENCHMARK(mask_dropcheck)->Name("mask/dropcheck")->Arg(10)->Arg(50);

void philox_random123(benchmark::State& state) {
  std::vector<std::uint32_t> words(kElements);
  std::uint32_t counter = 0;
  for (auto _ : state) {
    for (std::size_t i = 0; i < words.size(); i += 4) {
      const auto four = r123::Philox4x32()({{counter++, 0, 0, 0}}, {{1, 2}});
      std::copy(four.begin(), four.end(), words.data() + i);
    }
    benchmark::DoNotOptimize(words.data());
    benchmark::ClobberMemory();
  }
  count_items(state, kElements);
}
BENCHMARK(philox_random123)->Name("philox/Random123");

void philox_dropcheck(benchmark::State& state) {
  impl::RandomStream stream(1);
  std::vector<std::uint64_t> words(kElements / 2);
  for (auto _ : state) {
    stream.fill(words);
    benchmark::DoNotOptimize(words.data());
    benchmark::ClobberMemory();
  }
  count_items(state, kElements);
}
BENCHMARK(philox_dropcheck)->Name("philox/dropcheck");

/// Results of dropout: 256 KiB, which stay in the second cache.
std::vector<float> dropout_results() {
  std::vector<float> values(kElements);
  std::mt19937 generator(1);
  std::bernoulli_distribution keep(.9);
  std::normal_distribution<float> x(1, 1);
  for (float& value : values) value = keep(generator) ? x(generator) / .9F : 0;
  return values;
}

void moments_accumulators(benchmark::State& state) {
  namespace of = boost::accumulators;
  const std::vector<float> values = dropout_results();
  for (auto _ : state) {
    of::accumulator_set<double, of::stats<of::tag::mean, of::tag::lazy_variance,
                                          of::tag::skewness, of::tag::kurtosis>>
        all;
    for (const float value : values) all(static_cast<double>(value));
    benchmark::DoNotOptimize(of::kurtosis(all));
  }
  count_items(state, kElements);
}
BENCHMARK(moments_accumulators)->Name("moments/Boost.Accumulators");

/// In double, though the values are float: on floats it would compute in float.
void moments_statistics(benchmark::State& state) {
  const std::vector<float> floats = dropout_results();
  const std::vector<double> values(floats.begin(), floats.end());
  for (auto _ : state) {
    benchmark::DoNotOptimize(boost::math::statistics::first_four_moments(
        values.begin(), values.end()));
  }
  count_items(state, kElements);
}
BENCHMARK(moments_statistics)->Name("moments/boost::math::statistics");

void moments_dropcheck(benchmark::State& state) {
  const std::vector<float> values = dropout_results();
  for (auto _ : state) {
    benchmark::DoNotOptimize(
        value_moments(impl::DType::kFloat32, values.data(), values.size(), 1));
  }
  count_items(state, kElements);
}
BENCHMARK(moments_dropcheck)->Name("moments/dropcheck");

impl::SubjectEntry builtin(std::string_view name) {
  for (const impl::SubjectEntry& entry : impl::builtin_subjects()) {
    if (entry.name == name) return entry;
  }
  throw std::invalid_argument("no such layer");
}

/// Mask, apply, read each value back, count: a block as a run draws it.
void verify_rate(benchmark::State& state) {
  LayerBench bench(builtin("builtin:dropout"), {241, 271}, drop_of(state));
  std::uint64_t block = 0;
  for (auto _ : state) bench.read_block(++block, false);
  count_items(state, bench.elements_a_block());
}
BENCHMARK(verify_rate)->Name("verify/rate")->Arg(10)->Arg(50);

/// The same and all counts of structure: 64 lags and more, calls, positions.
void verify_structure(benchmark::State& state) {
  LayerBench bench(builtin("builtin:dropout"), {241, 271}, drop_of(state));
  std::uint64_t block = 0;
  for (auto _ : state) bench.read_block(++block, true);
  count_items(state, bench.elements_a_block());
}
BENCHMARK(verify_structure)->Name("verify/structure")->Arg(10)->Arg(50);

void verify_channels(benchmark::State& state) {
  LayerBench bench(builtin("builtin:dropout2d"), {64, 64, 8, 8},
                   drop_of(state));
  std::uint64_t block = 0;
  for (auto _ : state) bench.read_block(++block, false);
  count_items(state, bench.elements_a_block());
}
BENCHMARK(verify_channels)->Name("verify/channels")->Arg(10)->Arg(50);

}  // namespace
}  // namespace dropcheck::properties

int main(int count, char** arguments) {
  // Buffers are used again; else libtorch would pay a page fault for every
  // 4 KiB of its output.
  mallopt(M_MMAP_THRESHOLD, 32 << 20);
  mallopt(M_TRIM_THRESHOLD, 256 << 20);
  benchmark::Initialize(&count, arguments);
  benchmark::RunSpecifiedBenchmarks();
}
