#pragma once

#include <hwy/targets.h>

#include <cstdint>

namespace dropcheck::impl::testing {

/// Runs `test` once for each set of vectors that this processor has.
template <class Test>
void on_all_vector_sets(const Test& test) {
  // Also after what a failed property throws.
  struct Restore {
    ~Restore() { hwy::SetSupportedTargetsForTest(0); }
  };
  const Restore restore;
  for (const std::int64_t target : hwy::SupportedAndGeneratedTargets()) {
    hwy::SetSupportedTargetsForTest(target);
    test();
  }
}

}  // namespace dropcheck::impl::testing
