#pragma once

#include <cstring>
#include <span>
#include <string>

#include "dropcheck/impl/adapters/protocol.hpp"

namespace dropcheck::impl::adapters {

/// A tensor laid out in memory of its own with given strides.
class StridedTensor {
 public:
  StridedTensor() = default;

  /// A copy of `values` with the strides of `text`; empty means compact.
  StridedTensor(const TensorView& values, const std::string& text) {
    view_ = values;
    view_.strides =
        text.empty() ? compact_strides(values.shape) : strides_from_text(text);
    memory_ =
        Tensor(values.dtype, Shape{element_span(view_.shape, view_.strides)});
    view_.data = memory_.bytes();
    copy(values, view_);
  }

  StridedTensor(StridedTensor&& other) noexcept = default;
  StridedTensor& operator=(StridedTensor&& other) noexcept = default;

  const TensorView& view() const { return view_; }
  bool same_bytes(const StridedTensor& other) const {
    return std::memcmp(memory_.bytes(), other.memory_.bytes(),
                       memory_.byte_count()) == 0;
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
  explicit CompactBytes(const TensorView& view) : view_(view) {
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
  WireTensor wire(std::string name) const {
    const auto* data = static_cast<const std::byte*>(view_.data);
    const auto count =
        static_cast<std::size_t>(view_.size()) * impl::size_of(view_.dtype);
    return {std::move(name), wire_type(view_.dtype), view_.shape,
            std::span(data, count)};
  }

 private:
  TensorView view_;
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
