#pragma once

#include <string>

namespace dropcheck::impl::adapters {

/// Where a worker program is: what the environment variable says, else `name`
/// beside the running program, in ../libexec/dropcheck of it, or `built`.
/// Empty if it is nowhere.
std::string worker_path(const char* name, const char* variable,
                        const char* built);

}  // namespace dropcheck::impl::adapters
