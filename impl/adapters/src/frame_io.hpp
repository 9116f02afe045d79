#pragma once

#include <sys/uio.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "dropcheck/impl/adapters/safetensors.hpp"

namespace dropcheck::impl::adapters {

/// A received frame: its bytes, and the message that borrows from them.
struct Frame {
  std::unique_ptr<std::byte[]> bytes;
  std::uint64_t size = 0;
  Message message;
};

/// A frame ready to be written, piece by piece, without copying its tensors.
class OutgoingFrame {
 public:
  /// Nothing at all, which is done.
  OutgoingFrame() = default;
  explicit OutgoingFrame(const Message& message);
  OutgoingFrame(const OutgoingFrame&) = delete;
  OutgoingFrame& operator=(const OutgoingFrame&) = delete;

  std::uint64_t size() const { return size_; }
  bool done() const { return next_ == pieces_.size(); }
  /// Writes what the descriptor takes; false on an error (see errno).
  bool write_some(int descriptor);

 private:
  std::string head_;
  std::vector<iovec> pieces_;
  std::size_t next_ = 0;
  std::uint64_t size_ = 0;
};

}  // namespace dropcheck::impl::adapters
