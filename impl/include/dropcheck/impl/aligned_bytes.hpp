#pragma once

#include <cstddef>
#include <vector>

namespace dropcheck::impl {

/// Memory that begins where a line of the cache does: vectors that cross a line
/// are loaded and stored at half the speed.
class AlignedBytes {
 public:
  AlignedBytes() = default;
  explicit AlignedBytes(std::size_t count) { resize(count); }

  /// Room for `count` bytes; those that were there stay, others are zeros.
  void resize(std::size_t count) {
    lines_.resize((count + sizeof(Line) - 1) / sizeof(Line));
  }
  std::byte* data() { return reinterpret_cast<std::byte*>(lines_.data()); }
  const std::byte* data() const {
    return reinterpret_cast<const std::byte*>(lines_.data());
  }

 private:
  struct alignas(64) Line {
    std::byte bytes[64];
  };
  std::vector<Line> lines_;
};

}  // namespace dropcheck::impl
