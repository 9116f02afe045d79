// What the doors cost: a plug-in in C in this process and behind the worker,
// and a Python adapter that returns its input, in bytes a second each way.
#include <benchmark/benchmark.h>

#include "dropcheck/impl/adapters/doors.hpp"
#include "dropcheck/impl/guarded_subject.hpp"

namespace dropcheck::impl::adapters {
namespace {

SubjectEntry opened(const std::string& name, bool in_process) {
  DoorOptions options;
  options.in_process = in_process;
  SubjectEntry entry = open_door(name, options).front();
  return entry.guard ? guarded(entry, std::chrono::hours(1)) : entry;
}

void run(benchmark::State& state, const SubjectEntry& entry, bool fresh) {
  LayerConfig config;
  config.layer = "dropout";
  config.drop_probability = 0.1;
  const auto subject = entry.open();
  const auto layer = subject->make(config);
  Tensor input(DType::kFloat32, {state.range(0)});
  const std::int64_t repeat = state.range(1);
  double value = 1;
  for (auto _ : state) {
    if (fresh) input.view().set(0, ++value);
    const Call call{input.view(), true, repeat, fresh ? 0U : 1U};
    benchmark::DoNotOptimize(layer->forward(call).data);
  }
  state.SetBytesProcessed(state.iterations() * input.size() * 4 *
                          (fresh ? 1 : repeat));
}

void plugin(benchmark::State& state) {
  run(state, opened("lib:" EXAMPLE, state.range(2) == 0), false);
}
void python(benchmark::State& state) {
  run(state, opened("cmd:/usr/bin/env python3 " ECHO, false), true);
}

BENCHMARK(plugin)
    ->ArgNames({"elements", "repeat", "worker"})
    ->Args({1024, 1, 0})
    ->Args({1024, 1, 1})
    ->Args({262144, 1, 0})
    ->Args({262144, 1, 1})
    ->Args({65536, 16, 0})
    ->Args({65536, 16, 1})
    ->Args({4194304, 1, 0})
    ->Args({4194304, 1, 1})
    ->UseRealTime();
BENCHMARK(python)
    ->ArgNames({"elements", "repeat"})
    ->Args({262144, 1})
    ->Args({1048576, 1})
    ->Args({4194304, 1})
    ->UseRealTime();

}  // namespace
}  // namespace dropcheck::impl::adapters

BENCHMARK_MAIN();
