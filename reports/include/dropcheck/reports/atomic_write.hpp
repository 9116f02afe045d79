#pragma once

#include <filesystem>
#include <string_view>

namespace dropcheck::reports {

/// Writes a file so that a reader sees the old text or the new, never a half.
///
/// The text goes to a new file beside `path`, which is then renamed over it.
/// Throws std::runtime_error that names the path and the reason; the old file
/// is then untouched and nothing is left beside it.
void atomic_write(const std::filesystem::path& path, std::string_view text);

/// Tells before a long run whether atomic_write would succeed afterwards.
///
/// Throws std::runtime_error that names the path and the reason.
void check_writable(const std::filesystem::path& path);

}  // namespace dropcheck::reports
