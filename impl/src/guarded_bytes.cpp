#include "dropcheck/impl/guarded_bytes.hpp"

#include <cstdint>

#include "dropcheck/impl/guard_bands.hpp"

namespace dropcheck::impl {

static_assert(GuardedBytes::kBand == kGuardBand);

GuardedBytes::GuardedBytes(std::size_t count, std::size_t offset)
    : storage_(count + 2 * kBand + 2 * kAlignment), count_(count) {
  const auto address = reinterpret_cast<std::uintptr_t>(storage_.data());
  const std::size_t first = address + kBand + kAlignment - 1;
  start_ = first / kAlignment * kAlignment + offset - address;
  restore();
}

void GuardedBytes::restore() {
  paint_band(before());
  paint_band(after());
}

std::optional<std::string> GuardedBytes::damage(std::string_view what) const {
  return band_damage(data(), count_, what);
}

}  // namespace dropcheck::impl
