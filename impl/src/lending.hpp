#pragma once

#include <array>
#include <cstddef>
#include <map>
#include <memory>
#include <string_view>
#include <utility>

#include "dropcheck/impl/guarded_bytes.hpp"
#include "dropcheck/impl/tensor.hpp"

namespace dropcheck::impl {

/// Copies of tensors, lent to a layer for one call each. Afterwards a copy
/// holds NaN, and none is freed while this lives: what a layer does with an
/// earlier one is seen and defined. A layer that may hold its inputs finds them
/// as it left them instead.
class Lending {
 public:
  explicit Lending(bool may_be_held = false) : may_be_held_(may_be_held) {}

  /// A copy with the strides, the gaps and the alignment of the original,
  /// which must live until it is taken back.
  TensorView lend(const TensorView& original);

  /// The memory of the current copy, to be held.
  std::shared_ptr<const void> memory() const;

  /// Whether a view lies in the current copy; then the place in the original.
  bool to_original(TensorView& view) const;

  /// Copies back what the layer changed and, unless the layer may hold the
  /// copy, overwrites it. `name` is e.g. "its input". Returns whether the layer
  /// changed anything. Throws MemoryViolation for a write beside the copy or
  /// into the one before.
  bool take_back(std::string_view name);

 private:
  struct Pair {
    std::array<std::shared_ptr<GuardedBytes>, 2> copies;
    std::size_t turn = 0;
    bool used_both = false;
  };

  bool may_be_held_;
  std::map<std::pair<std::size_t, std::size_t>, Pair> pairs_;
  Pair* pair_ = nullptr;  // of the current copy
  std::byte* original_ = nullptr;
};

}  // namespace dropcheck::impl
