#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace dropcheck::impl {

/// Bytes on each side of lent memory that show a write beside it.
inline constexpr std::size_t kGuardBand = 256;

/// Writes the pattern of a band to kGuardBand bytes.
void paint_band(std::byte* band);

/// How far from `count` bytes at `begin` one of their bands was changed, e.g.
/// "4 bytes past the end of its output" for `what` = "its output"; nothing if
/// both are whole.
std::optional<std::string> band_damage(const std::byte* begin,
                                       std::size_t count,
                                       std::string_view what);

}  // namespace dropcheck::impl
