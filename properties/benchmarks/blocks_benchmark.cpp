// What a run adds to a layer that gives blocks of 262144 values, NumPy's best
// case: the block is written anew before each round, which is not timed, as a
// layer would have written it; then its mask is read, each value compared bit
// for bit, and counted. ci/bench sets this beside the time of NumPy's own
// block.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <cstdint>
#include <ctime>
#include <vector>

#include "dropcheck/impl/aligned_bytes.hpp"
#include "dropcheck/impl/random_stream.hpp"
#include "mask_kernels.hpp"
#include "sampler.hpp"
#include "structure_plan.hpp"

namespace dropcheck::properties {
namespace {

constexpr std::size_t kBlock = 262144;
constexpr std::int64_t kBlocks = 16;  ///< of which a plan counts calls

/// Results of x * mask / keep for p = .1, and the kept value of each element.
struct Block {
  Block() : kept(4 * kBlock), values(4 * kBlock), written(4 * kBlock) {
    impl::RandomStream stream(1);
    std::vector<std::uint64_t> bits(kBlock / 64);
    stream.decide(impl::Probability::from_drop(.1), kBlock, bits.data());
    for (std::size_t i = 0; i < kBlock; ++i) {
      const float x = .5F + static_cast<float>(stream.next() >> 40U) / 0x1p24F;
      const bool keeps = (bits[i / 64] >> (i % 64) & 1U) != 0;
      floats(kept)[i] = x / .9F;
      floats(values)[i] = keeps ? x / .9F : 0;
    }
  }

  static float* floats(impl::AlignedBytes& bytes) {
    return reinterpret_cast<float*>(bytes.data());
  }
  void write() { std::copy_n(values.data(), 4 * kBlock, written.data()); }

  impl::AlignedBytes kept;
  impl::AlignedBytes values;
  impl::AlignedBytes written;
};

/// Of this thread; other processes do not count.
double cpu_seconds() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) +
         static_cast<double>(now.tv_nsec) / 1e9;
}

template <bool kStructure>
void blocks(benchmark::State& state) {
  Block block;
  const MaskReading reading{.kept = block.kept.data(), .ignore_sign = true};
  const StructurePlan plan = make_structure_plan({512, 512}, kBlocks);
  std::vector<std::uint64_t> words(kBlock / 64);
  std::vector<std::uint16_t> positions(kBlock);
  for (auto _ : state) {
    block.write();
    const double begin = cpu_seconds();
    benchmark::DoNotOptimize(
        read_drop_bits(reading, block.written.data(), kBlock, words.data()));
    benchmark::DoNotOptimize(popcount(words.data(), words.size()));
    if (kStructure) {
      Tally tally;
      count_row(words.data(), plan, tally);
      add_bits(words.data(), kBlock, positions.data());
      benchmark::DoNotOptimize(tally);
      benchmark::DoNotOptimize(positions.data());
    }
    state.SetIterationTime(cpu_seconds() - begin);
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(kBlock) *
                          state.iterations());
}
BENCHMARK(blocks<false>)->Name("blocks/read")->UseManualTime();
BENCHMARK(blocks<true>)->Name("blocks/read and structure")->UseManualTime();

}  // namespace
}  // namespace dropcheck::properties
