#include "drop_runs.hpp"

#include <algorithm>

#include "dropcheck/impl/tensor.hpp"

namespace dropcheck::properties {

DropRuns::DropRuns(const impl::Shape& shape, std::size_t axis)
    : extent_(shape[axis]),
      stride_(impl::compact_strides(shape)[axis]),
      starts_(static_cast<std::size_t>(shape[axis])) {}

void DropRuns::read(std::span<const std::uint8_t> dropped) {
  bool telling = false;
  const auto stride = static_cast<std::size_t>(stride_);
  const std::size_t lines = stride * static_cast<std::size_t>(extent_);
  for (std::size_t begin = 0; begin < dropped.size(); begin += lines) {
    for (std::size_t i = begin; i < begin + stride; ++i) {
      telling = read_line(dropped, i) || telling;
    }
  }
  calls_ += telling ? 1 : 0;
}

bool DropRuns::read_line(std::span<const std::uint8_t> dropped,
                         std::size_t first) {
  bool telling = false;
  std::int64_t begin = 0;  // of the run of equal decisions
  const std::uint8_t* before = &dropped[first];
  for (std::int64_t k = 1; k < extent_; ++k) {
    const std::uint8_t* here = before + stride_;
    if (*here != *before) {
      varies_ = true;
      if (*before != 0 && begin > 0) {
        telling = note(begin, k - begin) || telling;
      }
      begin = k;
    }
    before = here;
  }
  return telling;
}

bool DropRuns::note(std::int64_t start, std::int64_t length) {
  if (shortest_ == 0 || length < shortest_) {
    shortest_ = length;
    calls_ = 0;
    std::fill(starts_.begin(), starts_.end(), false);
  }
  if (length != shortest_) return false;
  starts_[static_cast<std::size_t>(start)] = true;
  return true;
}

bool DropRuns::begin_anywhere() const {
  // From the second place on, so that a kept value lies behind them.
  const std::int64_t places = extent_ - 1 - shortest_;
  const auto seen = std::count(starts_.begin(), starts_.end(), true);
  return places >= 3 && 4 * seen >= 3 * places;
}

}  // namespace dropcheck::properties
