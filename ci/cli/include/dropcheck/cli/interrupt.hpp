#pragma once

#include <atomic>

namespace dropcheck::cli {

/// Handles SIGINT and SIGTERM from now on: the first one sets the flag, the
/// second one ends the process at once with status 130. SIGPIPE is ignored, so
/// that a worker that died is an error of a write and not the end.
const std::atomic<bool>& handle_interrupts();

}  // namespace dropcheck::cli
