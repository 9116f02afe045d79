// libtorch's own layers in blocks that are used again, its best case: what it
// takes merely to draw. Beside the engine's, in one program and one run.
#include <ATen/core/grad_mode.h>
#include <ATen/ops/from_blob.h>
#include <benchmark/benchmark.h>

#include <stdexcept>
#include <string>

#include "layer_bench.hpp"
#include "torch_layers.hpp"
#include "torch_subject.hpp"

namespace dropcheck::properties {
namespace {

impl::SubjectEntry torch(const std::string& name) {
  for (impl::SubjectEntry& entry : impl::adapters::torch_in_process()) {
    if (entry.name == name) return entry;
  }
  throw std::invalid_argument("no such layer");
}

void draw(benchmark::State& state, const std::string& name,
          const impl::Shape& shape) {
  LayerBench bench(torch(name), shape,
                   static_cast<double>(state.range(0)) / 100);
  const auto function =
      impl::adapters::make_torch_function(name, bench.config());
  const at::Tensor input = at::from_blob(bench.input().bytes(), shape);
  const at::NoGradGuard guard;
  for (auto _ : state) {
    benchmark::DoNotOptimize(function(input, true).data_ptr());
  }
  state.SetItemsProcessed(input.numel() * state.iterations());
}

void dropout(benchmark::State& state) { draw(state, "F.dropout", {241, 271}); }
BENCHMARK(dropout)->Name("torch/F.dropout")->Arg(10)->Arg(50);

}  // namespace
}  // namespace dropcheck::properties
