#include "frame_io.hpp"

#include <algorithm>
#include <climits>

#include "endian.hpp"

namespace dropcheck::impl::adapters {

OutgoingFrame::OutgoingFrame(const Message& message)
    : head_(encode_head(message)) {
  size_ = head_.size();
  for (const WireTensor& tensor : message.tensors) {
    size_ += tensor.data.size();
  }
  head_.insert(0, little_endian(size_));
  pieces_.push_back({head_.data(), head_.size()});
  for (const WireTensor& tensor : message.tensors) {
    // iovec serves reading too, hence its pointer to non-const.
    auto* data = const_cast<std::byte*>(tensor.data.data());
    if (!tensor.data.empty()) pieces_.push_back({data, tensor.data.size()});
  }
}

bool OutgoingFrame::write_some(int descriptor) {
  const auto count = std::min<std::size_t>(pieces_.size() - next_, IOV_MAX);
  const ssize_t written =
      ::writev(descriptor, &pieces_[next_], static_cast<int>(count));
  if (written < 0) return false;
  auto rest = static_cast<std::size_t>(written);
  while (next_ < pieces_.size() && rest >= pieces_[next_].iov_len) {
    rest -= pieces_[next_++].iov_len;
  }
  if (next_ < pieces_.size()) {
    iovec& piece = pieces_[next_];
    piece.iov_base = static_cast<std::byte*>(piece.iov_base) + rest;
    piece.iov_len -= rest;
  }
  return true;
}

}  // namespace dropcheck::impl::adapters
