#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace dropcheck::impl::adapters {

/// The 8 bytes of `value`, least significant first.
inline std::string little_endian(std::uint64_t value) {
  std::string bytes(8, '\0');
  for (char& byte : bytes) {
    byte = static_cast<char>(value & 0xff);
    value >>= 8;
  }
  return bytes;
}

inline std::uint64_t from_little_endian(std::span<const std::byte, 8> bytes) {
  std::uint64_t value = 0;
  for (std::size_t i = bytes.size(); i-- > 0;) {
    value = value << 8 | std::to_integer<std::uint64_t>(bytes[i]);
  }
  return value;
}

}  // namespace dropcheck::impl::adapters
