#pragma once

#include <filesystem>
#include <vector>

#include "dropcheck/stats/lifetime.hpp"

namespace dropcheck::cli {

/// Reads the lifetimes that an earlier night wrote; none where the file does
/// not exist. JSON, schema "dropcheck-lifetime/1".
///
/// Throws std::runtime_error that names the file, the field and the rule: a
/// file of another schema, cut short, or whose terms were edited by hand.
std::vector<stats::Lifetime> read_lifetimes(const std::filesystem::path& path);

/// Writes all of them by reports::atomic_write. Throws as that does.
void write_lifetimes(const std::filesystem::path& path,
                     const std::vector<stats::Lifetime>& lifetimes);

}  // namespace dropcheck::cli
