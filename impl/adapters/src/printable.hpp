#pragma once

#include <algorithm>
#include <cstddef>
#include <span>
#include <string>

namespace dropcheck::impl::adapters {

/// The first bytes as text, with \n for line ends and dots for what cannot be
/// printed: bytes that are no message mostly are something that somebody
/// printed.
inline std::string printable(std::span<const std::byte> bytes,
                             std::size_t most = 64) {
  std::string text;
  for (const std::byte byte : bytes.first(std::min(most, bytes.size()))) {
    const char letter = std::to_integer<char>(byte);
    if (letter == '\n') {
      text += "\\n";
    } else {
      text += letter >= ' ' && letter <= '~' ? letter : '.';
    }
  }
  return text;
}

}  // namespace dropcheck::impl::adapters
