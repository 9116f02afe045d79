#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "dropcheck/impl/tensor.hpp"

namespace dropcheck::properties {

/// Runs of drops along one axis that begin and end inside a line.
class DropRuns {
 public:
  DropRuns(const impl::Shape& shape, std::size_t axis);

  /// Reads the drops (1 = dropped, row-major) of one call.
  void read(std::span<const std::uint8_t> dropped);

  /// No line ever held both a drop and a kept value.
  bool shared() const { return !varies_; }
  /// Length of the shortest run; 0 where there was none.
  std::int64_t shortest() const { return shortest_; }
  /// Calls that held a run of that length.
  std::int64_t calls() const { return calls_; }
  /// Whether the shortest runs begin at most places at which they could.
  bool begin_anywhere() const;

 private:
  bool read_line(std::span<const std::uint8_t> dropped, std::size_t first);
  bool note(std::int64_t start, std::int64_t length);

  std::int64_t extent_;
  std::int64_t stride_;
  bool varies_ = false;
  std::int64_t shortest_ = 0;
  std::int64_t calls_ = 0;
  std::vector<bool> starts_;
};

}  // namespace dropcheck::properties
