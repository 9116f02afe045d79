#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <cstring>
#include <span>
#include <string>

#include "dropcheck/impl/adapters/protocol.hpp"

namespace dropcheck::impl::adapters {

/// Memory of our own begins at a multiple of this many bytes.
inline constexpr std::uintptr_t kMemoryAlignment = 16;

/// By how many elements a view's memory is off that, where it is by elements.
inline std::int64_t offset_of(const TensorView& view) {
  const auto address = reinterpret_cast<std::uintptr_t>(view.data);
  const std::uintptr_t off = address % kMemoryAlignment;
  const std::size_t width = impl::size_of(view.dtype);
  return off % width == 0 ? static_cast<std::int64_t>(off / width) : 0;
}

/// A tensor laid out in memory of its own with given strides.
class StridedTensor {
 public:
  StridedTensor() = default;

  /// A copy of `values` with the strides of `text`, empty for compact ones,
  /// that begins `offset` elements (at most 15) past an aligned address.
  StridedTensor(const TensorView& values, const std::string& text,
                std::int64_t offset = 0) {
    constexpr std::int64_t kMostOffset = 15;
    if (offset < 0 || offset > kMostOffset) {
      throw AdapterError(fmt::format("input.offset is {}, but must be 0 to {}",
                                     offset, kMostOffset));
    }
    view_ = values;
    view_.strides =
        text.empty() ? compact_strides(values.shape) : strides_from_text(text);
    memory_ = Tensor(values.dtype,
                     Shape{offset + element_span(view_.shape, view_.strides)});
    view_.data = memory_.bytes() +
                 static_cast<std::size_t>(offset) * impl::size_of(values.dtype);
    copy(values, view_);
  }

  StridedTensor(StridedTensor&& other) noexcept = default;
  StridedTensor& operator=(StridedTensor&& other) noexcept = default;

  const TensorView& view() const { return view_; }
  bool same_bytes(const StridedTensor& other) const {
    return std::memcmp(memory_.bytes(), other.memory_.bytes(),
                       memory_.byte_count()) == 0;
  }
  /// Whether all that lies beside the elements is as in `other`, a tensor of
  /// the same layout.
  bool same_gaps(const StridedTensor& other) const {
    const std::size_t width = impl::size_of(view_.dtype);
    Tensor merged = other.memory_;
    for (std::int64_t i = 0; i < view_.size(); ++i) {
      const auto* element = static_cast<const std::byte*>(view_.at(i));
      std::memcpy(merged.bytes() + (element - memory_.bytes()), element, width);
    }
    return std::memcmp(merged.bytes(), memory_.bytes(), memory_.byte_count()) ==
           0;
  }
  /// Overwrites the bytes by those of a tensor of the same layout.
  void assign(const StridedTensor& other) {
    std::memcpy(memory_.bytes(), other.memory_.bytes(), memory_.byte_count());
  }

 private:
  Tensor memory_;
  TensorView view_;
};

/// The values of a view as one compact piece; copies only where it must.
class CompactBytes {
 public:
  explicit CompactBytes(const TensorView& view)
      : view_(view), offset_(offset_of(view)) {
    if (view.compact()) return;
    memory_ = Tensor(view.dtype, view.shape);
    view_ = memory_.view();
    copy(view, view_);
    strides_ = strides_to_text(view.strides);
  }
  CompactBytes(const CompactBytes&) = delete;
  CompactBytes& operator=(const CompactBytes&) = delete;

  /// Strides of the original view; empty where it was compact.
  const std::string& strides() const { return strides_; }
  /// Elements by which its memory is off an aligned address.
  std::int64_t offset() const { return offset_; }
  WireTensor wire(std::string name) const {
    const auto* data = static_cast<const std::byte*>(view_.data);
    const auto count =
        static_cast<std::size_t>(view_.size()) * impl::size_of(view_.dtype);
    return {std::move(name), wire_type(view_.dtype), view_.shape,
            std::span(data, count)};
  }

 private:
  TensorView view_;
  std::int64_t offset_;
  Tensor memory_;
  std::string strides_;
};

/// Appends a tensor to a message, with its strides where they are not compact.
inline void attach(const std::string& name, const CompactBytes& bytes,
                   Message& message) {
  message.tensors.push_back(bytes.wire(name));
  if (!bytes.strides().empty()) {
    message.fields[name + ".strides"] = bytes.strides();
  }
}

}  // namespace dropcheck::impl::adapters
