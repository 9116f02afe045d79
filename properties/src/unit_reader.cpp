#include "unit_reader.hpp"

#include <algorithm>

namespace dropcheck::properties {
namespace {

bool bit_at(const std::uint64_t* words, std::int64_t index) {
  return ((words[index / 64] >> (index % 64)) & 1U) != 0;
}

/// `count` <= 64 bits from position `begin`.
std::uint64_t bits_at(const std::uint64_t* words, std::int64_t begin,
                      std::int64_t count) {
  const std::int64_t word = begin / 64;
  const int shift = static_cast<int>(begin % 64);
  std::uint64_t bits = words[word] >> shift;
  if (shift + count > 64) bits |= words[word + 1] << (64 - shift);
  return count == 64 ? bits : bits & ((std::uint64_t{1} << count) - 1);
}

}  // namespace

UnitReader::UnitReader(const impl::Law& law, const impl::LayerConfig& config,
                       const impl::Shape& output_shape)
    : elements_(impl::element_count(output_shape)),
      units_(impl::element_count(impl::unit_shape(law, config, output_shape))),
      unit_of_(impl::unit_of_element(law, config, output_shape)) {
  if (units_ == 0) return;
  note_elements_of_units();
  if (!some_.empty()) return;
  places_.emplace(impl::unit_shape(law, config, output_shape), output_shape);
  const std::int64_t run = elements_ / units_;
  bool runs = true;
  for (std::int64_t i = 0; i < elements_ && runs; ++i) {
    runs = unit_of_[static_cast<std::size_t>(i)] ==
           static_cast<std::uint32_t>(i / run);
  }
  if (!runs) return;
  run_ = run;
  unit_of_ = std::vector<std::uint32_t>();  // Not {}, which keeps the memory.
}

std::uint32_t UnitReader::unit_of(std::int64_t element) const {
  return run_ > 0 ? static_cast<std::uint32_t>(element / run_)
                  : unit_of_[static_cast<std::size_t>(element)];
}

std::optional<std::int64_t> UnitReader::read(const std::uint64_t* elements,
                                             std::uint64_t* units,
                                             std::uint64_t& torn) const {
  if (run_ == 1) {
    std::copy_n(elements, (units_ + 63) / 64, units);
    return std::nullopt;
  }
  if (read_whole(elements, units)) return std::nullopt;
  std::fill_n(units, (units_ + 63) / 64, 0);
  if (!some_.empty()) return read_some(elements, units, torn);
  return run_ > 0 ? read_runs(elements, units, torn)
                  : read_any(elements, units, torn);
}

bool UnitReader::read_whole(const std::uint64_t* elements,
                            std::uint64_t* units) const {
  if (places_) return places_->gather(elements, units);
  if (!one_each_) return false;
  for (std::size_t begin = 0; begin < some_.size(); begin += 64) {
    const std::size_t count = std::min<std::size_t>(64, some_.size() - begin);
    std::uint64_t word = 0;
    for (std::size_t k = 0; k < count; ++k) {
      const std::uint32_t i = some_[begin + k];
      word |= (elements[i / 64] >> (i % 64) & 1U) << k;
    }
    units[begin / 64] = word;
  }
  return true;
}

std::optional<std::int64_t> UnitReader::read_runs(const std::uint64_t* elements,
                                                  std::uint64_t* units,
                                                  std::uint64_t& torn) const {
  std::optional<std::int64_t> first;
  for (std::int64_t unit = 0; unit < units_; ++unit) {
    const std::int64_t begin = unit * run_;
    const bool dropped = bit_at(elements, begin);
    units[unit / 64] |= std::uint64_t{dropped} << (unit % 64);
    for (std::int64_t done = 0; done < run_; done += 64) {
      const std::int64_t count = std::min<std::int64_t>(64, run_ - done);
      const std::uint64_t all =
          count == 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << count) - 1;
      const std::uint64_t bits = bits_at(elements, begin + done, count);
      const std::uint64_t odd = dropped ? bits ^ all : bits;
      if (odd == 0) continue;
      ++torn;
      if (!first) first = begin + done + __builtin_ctzll(odd);
      break;
    }
  }
  return first;
}

namespace {

/// Takes elements one by one, in any order of units.
class UnitCollector {
 public:
  UnitCollector(std::int64_t units, std::uint64_t* words)
      : state_(static_cast<std::size_t>(units), kUnseen), words_(words) {}

  /// Whether the element disagrees with the first one of its unit.
  bool disagrees(std::uint32_t unit, bool dropped) {
    std::uint8_t& known = state_[unit];
    if (known != kUnseen) return (known == kDropped) != dropped;
    known = dropped ? kDropped : kKept;
    words_[unit / 64] |= std::uint64_t{dropped} << (unit % 64);
    return false;
  }

 private:
  enum : std::uint8_t { kKept, kDropped, kUnseen };
  std::vector<std::uint8_t> state_;
  std::uint64_t* words_;
};

}  // namespace

std::optional<std::int64_t> UnitReader::read_any(const std::uint64_t* elements,
                                                 std::uint64_t* units,
                                                 std::uint64_t& torn) const {
  UnitCollector collector(units_, units);
  std::optional<std::int64_t> first;
  for (std::int64_t i = 0; i < elements_; ++i) {
    const std::uint32_t unit = unit_of_[static_cast<std::size_t>(i)];
    if (!collector.disagrees(unit, bit_at(elements, i))) continue;
    ++torn;
    if (!first) first = i;
  }
  return first;
}

std::optional<std::int64_t> UnitReader::read_some(const std::uint64_t* elements,
                                                  std::uint64_t* units,
                                                  std::uint64_t& torn) const {
  UnitCollector collector(units_, units);
  std::optional<std::int64_t> first;
  for (const std::uint32_t i : some_) {
    if (!collector.disagrees(unit_of_[i], bit_at(elements, i))) continue;
    ++torn;
    if (!first) first = i;
  }
  return first;
}

void UnitReader::note_elements_of_units() {
  const bool all = std::find(unit_of_.begin(), unit_of_.end(), impl::kNoUnit) ==
                   unit_of_.end();
  for (std::uint32_t i = 0; i < unit_of_.size() && !all; ++i) {
    if (unit_of_[i] != impl::kNoUnit) some_.push_back(i);
  }
  one_each_ = static_cast<std::int64_t>(some_.size()) == units_;
  for (std::size_t k = 0; k < some_.size() && one_each_; ++k) {
    one_each_ = unit_of_[some_[k]] == k;
  }
}

}  // namespace dropcheck::properties
