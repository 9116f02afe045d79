#pragma once

#include <string>
#include <vector>

#include "dropcheck/impl/adapters/offered_memory.hpp"
#include "dropcheck/impl/registry.hpp"

namespace dropcheck::impl::adapters {

/// The layers of a shared library that exports dropcheck_plugin.h, loaded into
/// this process for good. Entries are named as they describe themselves, and
/// opened under guard. Throws AdapterError where the library cannot be loaded,
/// has no such function, is built for another version of the interface, or
/// describes what cannot be. Results are left in `offered` while it holds
/// enough, which outlives the subjects.
std::vector<SubjectEntry> plugin_subjects(
    const std::string& path, const OfferedMemory* offered = nullptr);

/// The program that holds a plug-in: $DROPCHECK_PLUGIN_WORKER, else
/// "dropcheck-plugin-worker" beside the running program, in
/// ../libexec/dropcheck of it, or where the build put it. Empty if there is
/// none.
std::string plugin_worker_path();

}  // namespace dropcheck::impl::adapters
