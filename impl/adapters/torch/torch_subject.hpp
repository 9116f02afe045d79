#pragma once

#include <vector>

#include "dropcheck/impl/registry.hpp"

namespace dropcheck::impl::adapters {

/// The entries of kTorchEntries in this process, under their bare names. For
/// the worker, and for benchmarks that want no process border.
std::vector<SubjectEntry> torch_in_process();

}  // namespace dropcheck::impl::adapters
