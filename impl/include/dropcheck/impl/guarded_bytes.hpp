#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace dropcheck::impl {

/// Memory between two bands of a known pattern, which show a write beside it.
/// A write further away than a band is not seen.
class GuardedBytes {
 public:
  static constexpr std::size_t kAlignment = 64;
  static constexpr std::size_t kBand = 256;  ///< bytes on each side

  GuardedBytes() : GuardedBytes(0) {}
  /// `count` zeros, the first of them `offset` (below kAlignment) bytes past a
  /// multiple of kAlignment.
  explicit GuardedBytes(std::size_t count, std::size_t offset = 0);
  GuardedBytes(GuardedBytes&&) = default;
  GuardedBytes& operator=(GuardedBytes&&) = default;
  GuardedBytes(const GuardedBytes&) = delete;
  GuardedBytes& operator=(const GuardedBytes&) = delete;

  std::byte* data() { return storage_.data() + start_; }
  const std::byte* data() const { return storage_.data() + start_; }
  std::size_t size() const { return count_; }

  /// How far from the memory a band was changed, e.g. "4 bytes past the end of
  /// its output" for `what` = "its output"; nothing if both are whole.
  std::optional<std::string> damage(std::string_view what) const;
  void restore();

 private:
  std::byte* before() { return data() - kBand; }
  std::byte* after() { return data() + count_; }

  std::vector<std::byte> storage_;
  std::size_t start_ = 0;
  std::size_t count_ = 0;
};

}  // namespace dropcheck::impl
