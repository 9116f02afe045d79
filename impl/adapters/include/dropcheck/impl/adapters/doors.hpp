#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "dropcheck/impl/registry.hpp"

namespace dropcheck::impl::adapters {

/// How the subjects of third parties are opened.
struct DoorOptions {
  std::chrono::milliseconds call_timeout = std::chrono::seconds(60);
  /// The law of a subject that names none itself.
  std::string layer = {};
  /// Libraries are loaded into this process, for debuggers.
  bool in_process = false;
};

/// Whether `name` begins with "cmd:", "lib:" or "py:".
bool is_door(std::string_view name);

/// The subjects behind a door. "cmd:COMMAND" starts a program that speaks
/// PROTOCOL.md, "lib:PATH" loads a library with dropcheck_plugin.h into a
/// worker process, "py:MODULE:NAME" asks the Python package (the interpreter is
/// $DROPCHECK_PYTHON, or python3); where there are several, each is
/// "cmd:COMMAND#NAME".
///
/// Throws std::invalid_argument for a command that cannot be read (quotes as
/// in a shell, no expansion of commands) and where no law is known;
/// AdapterError where the program does not start, does not describe itself, or
/// does not serve NAME.
std::vector<SubjectEntry> open_door(const std::string& name,
                                    const DoorOptions& options);

}  // namespace dropcheck::impl::adapters
