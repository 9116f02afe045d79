#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "dropcheck/impl/registry.hpp"

namespace dropcheck::impl::adapters {

/// The layers of libtorch, "torch:NAME", each in a worker process. They are
/// listed even where the worker is not there; then `open` throws AdapterError
/// and says what to install. A call that takes longer than `call_timeout` is a
/// SubjectTimeout.
std::vector<SubjectEntry> torch_subjects(
    std::chrono::milliseconds call_timeout = std::chrono::seconds(60));

/// The worker executable: $DROPCHECK_TORCH_WORKER, else
/// "dropcheck-torch-worker" beside the running program, in ../libexec/dropcheck
/// of it, or where the build put it. Empty if there is none.
std::string torch_worker_path();

}  // namespace dropcheck::impl::adapters
