#include "dropcheck/impl/guarded_bytes.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>

namespace dropcheck::impl {
namespace {

using Band = std::array<std::byte, GuardedBytes::kBand>;

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

GuardedBytes::GuardedBytes(std::size_t count, std::size_t offset)
    : storage_(count + 2 * kBand + 2 * kAlignment), count_(count) {
  const auto address = reinterpret_cast<std::uintptr_t>(storage_.data());
  const std::size_t first = address + kBand + kAlignment - 1;
  start_ = first / kAlignment * kAlignment + offset - address;
  restore();
}

void GuardedBytes::restore() {
  std::copy(pattern().begin(), pattern().end(), before());
  std::copy(pattern().begin(), pattern().end(), after());
}

std::optional<std::string> GuardedBytes::damage(std::string_view what) const {
  const std::byte* low = data() - kBand;
  const std::byte* high = data() + count_;
  // The common case, after every call.
  if (std::memcmp(low, pattern().data(), kBand) == 0 &&
      std::memcmp(high, pattern().data(), kBand) == 0) {
    return std::nullopt;
  }
  std::size_t first = 0;
  while (first < kBand && low[first] == pattern()[first]) ++first;
  if (first < kBand) return distance(kBand - first, "before the begin", what);
  std::size_t last = kBand;
  while (high[last - 1] == pattern()[last - 1]) --last;
  return distance(last, "past the end", what);
}

}  // namespace dropcheck::impl
