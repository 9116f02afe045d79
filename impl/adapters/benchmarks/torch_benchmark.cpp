// What the process border costs: F.dropout at p = .1 in this process, through
// the worker with shared memory, and through the worker's pipe.
#include <benchmark/benchmark.h>

#include "dropcheck/impl/adapters/torch_subjects.hpp"
#include "dropcheck/impl/adapters/worker_subject.hpp"
#include "torch_subject.hpp"

namespace dropcheck::impl::adapters {
namespace {

WorkerOptions worker(bool shared_memory) {
  WorkerOptions options;
  options.command = {torch_worker_path()};
  options.subject = "F.dropout";
  options.shared_memory = shared_memory;
  return options;
}

void run(benchmark::State& state, Subject& subject) {
  LayerConfig config;
  config.drop_probability = 0.1;
  const auto layer = subject.make(config);
  layer->reseed(1);
  Tensor input(DType::kFloat32, {state.range(0)});
  for (std::int64_t i = 0; i < input.size(); ++i) input.view().set(i, 1);
  const std::int64_t repeat = state.range(1);
  for (auto _ : state) {
    benchmark::DoNotOptimize(layer->forward({input.view(), true, repeat}).data);
  }
  state.counters["ns/element"] = benchmark::Counter(
      static_cast<double>(state.iterations() * input.size() * repeat) * 1e-9,
      benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}

void in_process(benchmark::State& state) {
  run(state, *torch_in_process().front().open());
}

void through_worker(benchmark::State& state) {
  WorkerSubject subject(worker(state.range(2) != 0));
  run(state, subject);
}

void start_worker(benchmark::State& state) {
  WorkerOptions options = worker(true);
  options.reuse = state.range(0) != 0;
  for (auto _ : state) WorkerSubject subject(options);
}

BENCHMARK(in_process)->Args({65536, 16})->Args({64, 1})->UseRealTime();
BENCHMARK(through_worker)
    ->ArgNames({"elements", "repeat", "shm"})
    ->Args({65536, 16, 1})
    ->Args({65536, 16, 0})
    ->Args({64, 1, 1})
    ->UseRealTime();
BENCHMARK(start_worker)
    ->ArgName("reuse")
    ->Arg(0)
    ->Arg(1)
    ->UseRealTime()
    ->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace dropcheck::impl::adapters

BENCHMARK_MAIN();
