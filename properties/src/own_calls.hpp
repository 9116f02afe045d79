#pragma once

#include <cstdint>
#include <functional>

#include "context.hpp"

namespace dropcheck::properties {

/// Training calls that a check draws for itself, in blocks that begin with a
/// reseed.
struct OwnCalls {
  Stream stream;
  std::int64_t blocks = 1;
  std::int64_t calls_per_block = 1;
};

/// Draws the blocks on all threads and hands each to `take`, which is called
/// from several threads at once: results must not depend on the order. A
/// subject that cannot be repeated makes all calls in one sequence.
/// `inputs` must be those of `experiment`. Throws what the subject throws.
void draw_own_calls(
    const Context& context, const Experiment& experiment, const Inputs& inputs,
    const OwnCalls& calls,
    const std::function<void(std::uint64_t block,
                             const impl::TensorView& stacked)>& take);

}  // namespace dropcheck::properties
