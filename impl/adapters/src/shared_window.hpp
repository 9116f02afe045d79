#pragma once

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "dropcheck/impl/subject.hpp"

namespace dropcheck::impl::adapters {

/// Memory of the host, in which large results need no pipe.
class SharedWindow {
 public:
  SharedWindow() = default;
  SharedWindow(const SharedWindow&) = delete;
  SharedWindow& operator=(const SharedWindow&) = delete;
  ~SharedWindow() { close(); }

  void open(const std::string& path, std::size_t size) {
    close();
    const int descriptor = ::open(path.c_str(), O_RDWR | O_CLOEXEC);
    if (descriptor < 0) throw NotSupported("cannot open " + path);
    struct stat status = {};
    void* memory = MAP_FAILED;
    if (::fstat(descriptor, &status) == 0 &&
        static_cast<std::uint64_t>(status.st_size) >= size) {
      memory = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED,
                      descriptor, 0);
    }
    ::close(descriptor);
    if (memory == MAP_FAILED) throw NotSupported("cannot map " + path);
    memory_ = static_cast<std::byte*>(memory);
    size_ = size;
  }

  /// The `room` bytes at `offset`; empty where they are not there.
  std::span<std::byte> window(std::size_t offset, std::size_t room) const {
    if (offset > size_ || room > size_ - offset) return {};
    return {memory_ + offset, room};
  }

 private:
  void close() {
    if (memory_ != nullptr) ::munmap(memory_, size_);
    memory_ = nullptr;
    size_ = 0;
  }

  std::byte* memory_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace dropcheck::impl::adapters
