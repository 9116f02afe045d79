// What dropcheck adds to the layer that it watches: libtorch's F.dropout in
// this process at p = .1, f32, alone (not even stacked) and under a Sampler
// that reads the masks, or reads them and counts their structure. The three are
// timed in turn within each round, so that they share the machine's moods;
// medians over the rounds are shown, of times per call and of (block - layer) /
// layer. What `replay` adds is to recompute each mask. Blocks beyond the
// structure prefix, nearly all of a run, are read for the rate only.
#include <ATen/core/grad_mode.h>
#include <ATen/ops/from_blob.h>
#include <benchmark/benchmark.h>
#include <malloc.h>

#include <algorithm>
#include <ctime>
#include <vector>

#include "dropcheck/impl/mask_replay.hpp"
#include "layer_bench.hpp"
#include "torch_layers.hpp"
#include "torch_subject.hpp"

namespace dropcheck::properties {
namespace {

constexpr std::int64_t kCalls = LayerBench::kCalls;

impl::SubjectEntry entry_of(std::string_view name) {
  for (auto& entry : impl::adapters::torch_in_process()) {
    if (entry.name == name) return entry;
  }
  throw std::invalid_argument("no such layer");
}

/// All that a Sampler needs, and the bare function beside it.
class Bench : public LayerBench {
 public:
  Bench(std::string_view name, const impl::Shape& shape)
      : LayerBench(entry_of(name), shape, 0.1),
        function_(impl::adapters::make_torch_function(name, config())),
        input_(at::from_blob(input().bytes(), shape)) {}

  void layer_alone() {
    const at::NoGradGuard guard;
    for (std::int64_t call = 0; call < kCalls; ++call) {
      benchmark::DoNotOptimize(function_(input_, true).data_ptr());
    }
  }

 private:
  impl::adapters::TorchFunction function_;
  at::Tensor input_;
};

/// Of this thread, which does all of the work; other processes do not count.
double cpu_microseconds() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) * 1e6 +
         static_cast<double>(now.tv_nsec) / 1e3;
}

/// CPU microseconds a call.
template <class Function>
double time_of(Function function) {
  const double begin = cpu_microseconds();
  function();
  return (cpu_microseconds() - begin) / static_cast<double>(kCalls);
}

double median(std::vector<double> values) {
  const auto middle =
      values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

void reading(benchmark::State& state) {
  Bench bench("F.dropout", {241, 271});
  std::vector<double> layer, read, structure, read_ratio, structure_ratio;
  std::vector<double> replayed, replay_ratio;
  impl::MaskReplay replay(impl::recipe_called("torch.bernoulli"), 0.1, 1);
  std::vector<std::uint64_t> mask((241 * 271 + 63) / 64);
  std::uint64_t index = 0;
  for (auto _ : state) {
    ++index;
    const double alone = time_of([&] { bench.layer_alone(); });
    layer.push_back(alone);
    read.push_back(time_of([&] { bench.read_block(index, false); }) - alone);
    structure.push_back(time_of([&] { bench.read_block(index, true); }) -
                        alone);
    replayed.push_back(time_of([&] {
      for (std::int64_t call = 0; call < kCalls; ++call) {
        replay.next(241 * 271, mask.data());
        benchmark::DoNotOptimize(mask.data());
      }
    }));
    replay_ratio.push_back(replayed.back() / alone);
    read_ratio.push_back(read.back() / alone);
    structure_ratio.push_back(structure.back() / alone);
  }
  state.counters["replay_us"] = median(replayed);
  state.counters["replay_ratio"] = median(replay_ratio);
  state.counters["layer_us"] = median(layer);
  state.counters["read_us"] = median(read);
  state.counters["read_ratio"] = median(read_ratio);
  state.counters["structure_us"] = median(structure);
  state.counters["structure_ratio"] = median(structure_ratio);
}
BENCHMARK(reading)->UseRealTime()->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace dropcheck::properties

int main(int count, char** arguments) {
  // Buffers are used again, as in the worker; else the layer alone would pay a
  // page fault for every 4 KiB of its output.
  mallopt(M_MMAP_THRESHOLD, 32 << 20);
  mallopt(M_TRIM_THRESHOLD, 256 << 20);
  benchmark::Initialize(&count, arguments);
  benchmark::RunSpecifiedBenchmarks();
}
