#pragma once

#include <cstddef>
#include <map>
#include <string>

namespace dropcheck::impl::adapters {

/// Anonymous memory that a worker can map too, cut into regions.
class SharedArena {
 public:
  /// Where memory cannot be had, `usable` is false; that is no error. The
  /// descriptor is inherited by processes started before `close_on_exec`.
  explicit SharedArena(bool wanted);
  ~SharedArena();
  SharedArena(const SharedArena&) = delete;
  SharedArena& operator=(const SharedArena&) = delete;

  bool usable() const { return memory_ != nullptr; }
  void disable();
  void close_on_exec() const;
  /// The path under which the worker that inherited the descriptor opens it.
  std::string path() const;
  std::size_t size() const { return size_; }

  struct Region {
    std::size_t offset = 0;
    std::size_t room = 0;
  };
  /// At least `room` bytes; room 0 where there are none left.
  Region acquire(std::size_t room);
  void release(const Region& region);
  std::byte* at(const Region& region) const { return memory_ + region.offset; }

 private:
  bool grow(std::size_t size);

  int descriptor_ = -1;
  std::byte* memory_ = nullptr;
  std::size_t size_ = 0;
  std::map<std::size_t, std::size_t> taken_;  ///< offset -> room
};

}  // namespace dropcheck::impl::adapters
