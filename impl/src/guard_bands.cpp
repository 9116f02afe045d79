#include "dropcheck/impl/guard_bands.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>

namespace dropcheck::impl {
namespace {

using Band = std::array<std::byte, kGuardBand>;

/// Bytes that no layer writes by chance: neither zeros, nor one value repeated.
const Band& pattern() {
  static const Band band = [] {
    Band bytes{};
    for (std::size_t i = 0; i < bytes.size(); ++i) {
      bytes[i] = static_cast<std::byte>(i * 37 + 91);
    }
    return bytes;
  }();
  return band;
}

std::string distance(std::size_t bytes, const char* where,
                     std::string_view what) {
  return fmt::format("{} byte{} {} of {}", bytes, bytes == 1 ? "" : "s", where,
                     what);
}

}  // namespace

void paint_band(std::byte* band) {
  std::copy(pattern().begin(), pattern().end(), band);
}

std::optional<std::string> band_damage(const std::byte* begin,
                                       std::size_t count,
                                       std::string_view what) {
  const std::byte* low = begin - kGuardBand;
  const std::byte* high = begin + count;
  // The common case, after every call.
  if (std::memcmp(low, pattern().data(), kGuardBand) == 0 &&
      std::memcmp(high, pattern().data(), kGuardBand) == 0) {
    return std::nullopt;
  }
  std::size_t first = 0;
  while (first < kGuardBand && low[first] == pattern()[first]) ++first;
  if (first < kGuardBand) {
    return distance(kGuardBand - first, "before the begin", what);
  }
  std::size_t last = kGuardBand;
  while (high[last - 1] == pattern()[last - 1]) --last;
  return distance(last, "past the end", what);
}

}  // namespace dropcheck::impl
