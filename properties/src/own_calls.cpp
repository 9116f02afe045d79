#include "own_calls.hpp"

#include <tbb/parallel_for.h>
#include <tbb/task_arena.h>

#include "interruption.hpp"

namespace dropcheck::properties {
namespace {

class BlockSource {
 public:
  BlockSource(impl::Subject& subject, const Experiment& experiment,
              const Inputs& inputs)
      : layer_(subject.make(experiment.config)),
        caller_(*layer_, inputs.input),
        shape_(inputs.base.shape()) {}

  void reseed(std::uint64_t seed) { layer_->reseed(seed); }
  impl::TensorView draw(std::int64_t calls) {
    return caller_.stacked(shape_, calls);
  }

 private:
  std::unique_ptr<impl::Layer> layer_;
  Caller caller_;
  impl::Shape shape_;
};

/// The experiment with a key for the stream: block_seed then keeps the blocks
/// apart for generators that take 32 bits of a seed, too.
Experiment keyed(const Experiment& experiment, Stream stream) {
  Experiment own = experiment;
  own.key = stream_seed(experiment, stream);
  return own;
}

}  // namespace

void draw_own_calls(
    const Context& context, const Experiment& experiment, const Inputs& inputs,
    const OwnCalls& calls,
    const std::function<void(std::uint64_t, const impl::TensorView&)>& take) {
  const auto blocks = static_cast<std::uint64_t>(calls.blocks);
  if (!context.pool.planned().repeatable()) {
    BlockSource source(context.subject(), experiment, inputs);
    if (context.describe().reseed) {
      source.reseed(block_seed(keyed(experiment, calls.stream), 0));
    }
    for (std::uint64_t b = 0; b < blocks; ++b) {
      stop_if_interrupted(context);
      take(b, source.draw(calls.calls_per_block));
    }
    return;
  }
  const Experiment own = keyed(experiment, calls.stream);
  const auto draw = [&](std::uint64_t b) {
    stop_if_interrupted(context);
    const SubjectLease lease(context.pool);
    BlockSource source(*lease, experiment, inputs);
    source.reseed(block_seed(own, b));
    take(b, source.draw(calls.calls_per_block));
  };
  // Isolated: a thread that waits here must not begin another configuration.
  tbb::this_task_arena::isolate(
      [&] { tbb::parallel_for(std::uint64_t{0}, blocks, draw); });
}

}  // namespace dropcheck::properties
