#include "dropcheck/impl/unit_bits.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <optional>

#include "bits.hpp"
#include "reference/rows.hpp"

namespace dropcheck::impl {
namespace {

/// For each value of some bits the same bits, each repeated.
class Repeated {
 public:
  /// `run` is 2 to 32.
  explicit Repeated(std::size_t run)
      : run_(run), units_(std::min<std::size_t>(8, 64 / run)) {
    for (std::size_t bit = 0; bit < units_; ++bit) {
      const std::uint64_t ones = lowest(run) << (bit * run);
      const std::size_t known = std::size_t{1} << bit;
      for (std::size_t i = 0; i < known; ++i) {
        table_[known + i] = table_[i] | ones;
      }
    }
  }

  void append(const std::uint64_t* units, std::size_t begin, std::size_t count,
              BitWriter& writer) const {
    for (std::size_t done = 0; done < count; done += units_) {
      const std::size_t part = std::min(units_, count - done);
      writer.append(table_[bits_at(units, begin + done, part)], part * run_);
    }
  }

 private:
  std::size_t run_;
  std::size_t units_;  ///< at a time
  std::array<std::uint64_t, 256> table_{};
};

/// Takes one bit of each run out of `units` <= 64 / run runs that fill the
/// lowest bits of a word; nothing where a run has bits of both values.
class RunReader {
 public:
  /// `run` is 1 to 32.
  explicit RunReader(std::size_t run) : run_(run), ones_(lowest(run)) {
    // Unit i is i * (run - 1) bits too high: it falls by the powers of two of
    // that number, the small ones first, so that none meets another.
    for (std::size_t i = 0; i < 64 / run; ++i) {
      first_ |= std::uint64_t{1} << (i * run);
      std::size_t place = i * run;
      for (std::size_t k = 0; k < falling_.size(); ++k) {
        if (((i * (run - 1)) >> k & 1U) == 0) continue;
        falling_[k] |= std::uint64_t{1} << place;
        place -= std::size_t{1} << k;
      }
    }
  }

  std::optional<std::uint64_t> read(std::uint64_t elements) const {
    std::uint64_t units = elements & first_;
    // The products of a run fill its place and no more.
    if (units * ones_ != elements) return std::nullopt;
    for (std::size_t k = 0; k < falling_.size(); ++k) {
      const std::uint64_t fall = units & falling_[k];
      units = (units ^ fall) | fall >> (1U << k);
    }
    return units;
  }

  std::size_t at_a_time() const { return 64 / run_; }

 private:
  std::size_t run_;
  std::uint64_t ones_;
  std::uint64_t first_ = 0;
  std::array<std::uint64_t, 6> falling_{};  ///< by 1, 2, 4...
};

constexpr std::size_t kLongRun = 33;

/// Whether `count` bits are all `bit`.
bool all_are(bool bit, const std::uint64_t* words, std::size_t begin,
             std::size_t count) {
  for (std::size_t done = 0; done < count; done += 64) {
    const std::size_t part = std::min<std::size_t>(64, count - done);
    if (bits_at(words, begin + done, part) != (bit ? lowest(part) : 0)) {
      return false;
    }
  }
  return true;
}

/// Bits of units that are seen for the first time are written, others
/// compared.
class UnitSink {
 public:
  UnitSink(std::uint64_t* units, std::size_t count) : units_(units) {
    std::fill_n(units, (count + 63) / 64, 0);
  }

  bool take(std::uint64_t bits, std::size_t begin, std::size_t count,
            bool first) {
    if (!first) return bits_at(units_, begin, count) == bits;
    units_[begin / 64] |= bits << (begin % 64);
    if (begin % 64 + count > 64) {
      units_[begin / 64 + 1] |= bits >> (64 - begin % 64);
    }
    return true;
  }

 private:
  std::uint64_t* units_;
};

}  // namespace

UnitBits::UnitBits(const Shape& units, const Shape& elements)
    : units_(static_cast<std::size_t>(element_count(units))),
      elements_(static_cast<std::size_t>(element_count(elements))) {
  if (elements_ == 0) return;
  const Shape own = compact_strides(elements);
  const Shape shared = reference::broadcast_strides(units);
  const auto axes = reference::joined_axes<2>(elements, {&own, &shared});
  std::size_t next = 0;
  const auto take = [&](std::int64_t stride) -> std::size_t {
    if (next == axes.size() || axes[next].strides[1] != stride) return 1;
    return static_cast<std::size_t>(axes[next++].extent);
  };
  run_ = take(0);
  row_ = take(1);
  for (; next < axes.size(); ++next) {
    outer_.push_back({static_cast<std::size_t>(axes[next].extent),
                      static_cast<std::size_t>(axes[next].strides[1])});
  }
}

/// Calls `row(unit, first)` with the first unit of each row, and whether its
/// units are seen for the first time, until it returns false.
template <class Row>
void UnitBits::for_each_row(const Row& row) const {
  if (elements_ == 0) return;
  std::vector<std::size_t> index(outer_.size(), 0);
  std::size_t unit = 0;
  std::size_t again = 0;  // shared axes that are not at their beginning
  while (row(unit, again == 0)) {
    std::size_t k = 0;
    for (; k < outer_.size(); ++k) {
      const OuterAxis& axis = outer_[k];
      if (axis.stride == 0 && index[k] == 0) ++again;
      unit += axis.stride;
      if (++index[k] < axis.extent) break;
      unit -= axis.stride * axis.extent;
      if (axis.stride == 0) --again;
      index[k] = 0;
    }
    if (k == outer_.size()) return;
  }
}

void UnitBits::spread(const std::uint64_t* units,
                      std::uint64_t* elements) const {
  BitWriter writer(elements);
  if (run_ == 1) {
    for_each_row([&](std::size_t unit, bool) {
      for (std::size_t i = 0; i < row_; i += 64) {
        const std::size_t part = std::min<std::size_t>(64, row_ - i);
        writer.append(bits_at(units, unit + i, part), part);
      }
      return true;
    });
  } else if (run_ < kLongRun) {
    const Repeated repeated(run_);
    for_each_row([&](std::size_t unit, bool) {
      repeated.append(units, unit, row_, writer);
      return true;
    });
  } else {
    for_each_row([&](std::size_t unit, bool) {
      for (std::size_t i = unit; i < unit + row_; ++i) {
        writer.append_run(bits_at(units, i, 1) != 0, run_);
      }
      return true;
    });
  }
  writer.finish();
}

bool UnitBits::gather(const std::uint64_t* elements,
                      std::uint64_t* units) const {
  UnitSink sink(units, units_);
  std::size_t at = 0;
  bool agree = true;
  const auto single = [&](std::size_t unit, bool first) {
    for (std::size_t i = 0; i < row_ && agree; i += 64) {
      const std::size_t part = std::min<std::size_t>(64, row_ - i);
      agree = sink.take(bits_at(elements, at, part), unit + i, part, first);
      at += part;
    }
    return agree;
  };
  const RunReader reader(std::min(run_, kLongRun - 1));
  const auto runs = [&](std::size_t unit, bool first) {
    for (std::size_t i = 0; i < row_ && agree; i += reader.at_a_time()) {
      const std::size_t part = std::min(reader.at_a_time(), row_ - i);
      const auto bits = reader.read(bits_at(elements, at, part * run_));
      agree = bits && sink.take(*bits, unit + i, part, first);
      at += part * run_;
    }
    return agree;
  };
  const auto long_runs = [&](std::size_t unit, bool first) {
    for (std::size_t i = 0; i < row_ && agree; ++i, at += run_) {
      const bool bit = bits_at(elements, at, 1) != 0;
      agree = all_are(bit, elements, at, run_) &&
              sink.take(bit ? 1 : 0, unit + i, 1, first);
    }
    return agree;
  };
  if (run_ == 1) {
    for_each_row(single);
  } else if (run_ < kLongRun) {
    for_each_row(runs);
  } else {
    for_each_row(long_runs);
  }
  return agree;
}

}  // namespace dropcheck::impl
