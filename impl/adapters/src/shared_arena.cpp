#include "shared_arena.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

namespace dropcheck::impl::adapters {
namespace {

// Addresses, not memory: pages come with their first use.
constexpr std::size_t kReserved = std::size_t{16} << 30;
constexpr std::size_t kPage = 4096;
constexpr std::size_t kGrowth = std::size_t{16} << 20;

std::size_t rounded_up(std::size_t value, std::size_t step) {
  return (value + step - 1) / step * step;
}

}  // namespace

SharedArena::SharedArena(bool wanted) {
  if (!wanted) return;
  descriptor_ = ::memfd_create("dropcheck", MFD_ALLOW_SEALING);
  if (descriptor_ < 0) return;
  // A worker that shrinks the file would kill the host by SIGBUS.
  ::fcntl(descriptor_, F_ADD_SEALS, F_SEAL_SHRINK);
  void* memory = ::mmap(nullptr, kReserved, PROT_READ | PROT_WRITE,
                        MAP_SHARED | MAP_NORESERVE, descriptor_, 0);
  if (memory != MAP_FAILED) memory_ = static_cast<std::byte*>(memory);
}

SharedArena::~SharedArena() {
  if (memory_ != nullptr) ::munmap(memory_, kReserved);
  if (descriptor_ >= 0) ::close(descriptor_);
}

void SharedArena::disable() {
  if (memory_ != nullptr) ::munmap(memory_, kReserved);
  memory_ = nullptr;
}

void SharedArena::close_on_exec() const {
  if (descriptor_ >= 0) ::fcntl(descriptor_, F_SETFD, FD_CLOEXEC);
}

std::string SharedArena::path() const {
  return "/proc/self/fd/" + std::to_string(descriptor_);
}

SharedArena::Region SharedArena::acquire(std::size_t room) {
  if (!usable() || room > kReserved) return {};
  room = rounded_up(room, kPage);
  std::size_t offset = 0;
  for (const auto& [start, length] : taken_) {
    if (start - offset >= room) break;
    offset = start + length;
  }
  if (offset + room > size_ && !grow(offset + room)) return {};
  taken_[offset] = room;
  return {offset, room};
}

void SharedArena::release(const Region& region) {
  if (region.room > 0) taken_.erase(region.offset);
}

bool SharedArena::grow(std::size_t size) {
  size = rounded_up(size, kGrowth);
  if (size > kReserved || ::ftruncate(descriptor_, static_cast<off_t>(size))) {
    return false;
  }
  size_ = size;
  return true;
}

}  // namespace dropcheck::impl::adapters
