// Compiled once per instruction set by Highway; the best one is chosen when
// the program runs.

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "decisions.cpp"
#include "decisions.hpp"

#include <Random123/philox.h>
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include <algorithm>
#include <array>
#include <bit>

#include "bits.hpp"
#include "philox_rounds-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace dropcheck::impl::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

/// Compares one more bit of some words with that of the threshold. A word is
/// below it, and kept, where its bit alone is 0; it stays open where they
/// agree.
HWY_INLINE void narrow(bool threshold_bit, Vector bits, Vector& kept,
                       Vector& open) {
  if (threshold_bit) {
    kept = hn::Or(kept, hn::AndNot(bits, open));
    open = hn::And(bits, open);
  } else {
    open = hn::AndNot(bits, open);
  }
}

/// The same for the first bit, where all is open, of a vector in memory.
HWY_INLINE void begin_at(bool threshold_bit, Vector bits, std::uint64_t* kept,
                         std::uint64_t* open) {
  const Wide d;
  const Vector other = hn::Not(bits);
  hn::Store(threshold_bit ? other : hn::Zero(d), d, kept);
  hn::Store(threshold_bit ? bits : other, d, open);
}

/// The same for the decisions of a vector in memory.
HWY_INLINE void narrow_at(bool threshold_bit, Vector bits, std::uint64_t* kept,
                          std::uint64_t* open) {
  const Wide d;
  Vector is_kept = hn::Load(d, kept);
  Vector is_open = hn::Load(d, open);
  narrow(threshold_bit, bits, is_kept, is_open);
  if (threshold_bit) hn::Store(is_kept, d, kept);
  hn::Store(is_open, d, open);
}

#if HWY_TARGET == HWY_SCALAR || HWY_TARGET == HWY_EMU128

// Without vectors nothing is gained by planes.
void decide_groups_of(const DecisionRule& rule, std::uint64_t first,
                      std::size_t groups, std::uint64_t* kept) {
  decide_groups_plainly(rule, first, groups, kept);
}

#else

/// Groups that are decided together, and the planes that all of them have. Of
/// 128 decisions each, so few are open then that only groups go on which have
/// any: of 512 groups, about 200.
constexpr std::size_t kTogether = 512;
constexpr std::size_t kCommonPlanes = 8;
constexpr std::size_t kBatch = 4 * kMostLanes;

/// Digits of a threshold up to its last 1: what equals it in these is not
/// below.
struct Digits {
  std::uint64_t threshold;
  std::size_t count;
  bool at(std::size_t j) const { return (threshold << j >> 63U) != 0; }
};

/// Groups some of whose decisions are open, side by side.
class OpenGroups {
 public:
  std::size_t size() const { return size_; }

  /// Adds those groups of a vector below `end` that have any: the first one is
  /// number `begin`, and the lanes of the rest are in order_of.
  HWY_INLINE void add(std::size_t begin, std::size_t end,
                      const std::uint64_t* even, const std::uint64_t* odd) {
    std::size_t size = size_;  // not in memory from lane to lane
    for (std::size_t lane = 0; lane < hn::Lanes(Wide()); ++lane) {
      const std::size_t number = begin + order_of(lane);
      size = put(size, number, even[lane], odd[lane], number < end);
    }
    size_ = size;
  }

  /// Compares their bits of one more plane, puts what is kept now beside the
  /// rest of `kept`, and forgets groups without open decisions.
  HWY_INLINE void narrow_all(bool threshold_bit, const RoundKeys& keys,
                             const SharedRounds& shared, std::uint64_t first,
                             std::uint64_t* kept) {
    const Wide d;
    const std::size_t lanes = hn::Lanes(d);
    const std::size_t size = size_;
    std::fill_n(number_ + size, 4 * lanes, 0);
    std::fill_n(even_ + size, 4 * lanes, 0);
    std::fill_n(odd_ + size, 4 * lanes, 0);
    size_ = 0;
    const Vector begin = hn::Set(d, first);
    for (std::size_t i = 0; i < size; i += 4 * lanes) {
      const auto counter = [&](std::size_t v) HWY_ATTR {
        return hn::Add(begin, hn::LoadU(d, number_ + i + v * lanes));
      };
      philox_of_four(
          keys, shared, counter(0), counter(1), counter(2), counter(3),
          [&](std::size_t v, Vector even, Vector odd) HWY_ATTR {
            narrow_vector(threshold_bit, even, odd, i + v * lanes, kept);
          });
    }
  }

 private:
  HWY_INLINE void narrow_vector(bool threshold_bit, Vector even_bits,
                                Vector odd_bits, std::size_t i,
                                std::uint64_t* kept) {
    const Wide d;
    const std::size_t lanes = hn::Lanes(d);
    HWY_ALIGN std::uint64_t open[2][kMostLanes];
    HWY_ALIGN std::uint64_t below[2][kMostLanes];
    Vector even = hn::LoadU(d, even_ + i);
    Vector odd = hn::LoadU(d, odd_ + i);
    Vector even_below = hn::Zero(d);
    Vector odd_below = even_below;
    narrow(threshold_bit, even_bits, even_below, even);
    narrow(threshold_bit, odd_bits, odd_below, odd);
    hn::Store(even, d, open[0]);
    hn::Store(odd, d, open[1]);
    hn::Store(even_below, d, below[0]);
    hn::Store(odd_below, d, below[1]);
    std::size_t size = size_;
    for (std::size_t lane = 0; lane < lanes; ++lane) {
      const std::uint64_t number = number_[i + lane];
      kept[2 * number] |= below[0][lane];
      kept[2 * number + 1] |= below[1][lane];
      size = put(size, number, open[0][lane], open[1][lane], true);
    }
    size_ = size;
  }

  /// Writes a group behind the others; returns how many there are then.
  HWY_INLINE std::size_t put(std::size_t size, std::uint64_t number,
                             std::uint64_t even, std::uint64_t odd,
                             bool asked) {
    number_[size] = number;
    even_[size] = even;
    odd_[size] = odd;
    return size + ((even | odd) != 0 && asked ? 1 : 0);
  }

  std::size_t size_ = 0;
  // Room for the rest of a batch behind them.
  HWY_ALIGN std::uint64_t number_[kTogether + kBatch];
  HWY_ALIGN std::uint64_t even_[kTogether + kBatch];
  HWY_ALIGN std::uint64_t odd_[kTogether + kBatch];
};

/// The groups of four vectors by their first planes; `shared` has one for each.
/// Of `groups` from `begin` on, notes those that are still open.
HWY_INLINE void decide_batch(const Digits& digits, const RoundKeys& keys,
                             const SharedRounds* shared, std::uint64_t first,
                             std::size_t begin, std::size_t groups,
                             OpenGroups& rest, std::uint64_t* kept) {
  const Wide d;
  const std::size_t lanes = hn::Lanes(d);
  const Vector order = counter_order();
  HWY_ALIGN std::uint64_t below[2 * kBatch];
  HWY_ALIGN std::uint64_t open[2 * kBatch];
  const std::size_t planes = std::min(digits.count, kCommonPlanes);
  for (std::size_t j = 0; j < planes; ++j) {
    const bool bit = digits.at(j);
    philox_of_next(
        keys, shared[j], order, first + begin,
        [&](std::size_t v, Vector even, Vector odd) HWY_ATTR {
          const std::size_t at = 2 * v * lanes;
          if (j == 0) {
            begin_at(bit, even, below + at, open + at);
            begin_at(bit, odd, below + at + lanes, open + at + lanes);
          } else {
            narrow_at(bit, even, below + at, open + at);
            narrow_at(bit, odd, below + at + lanes, open + at + lanes);
          }
        });
  }
  HWY_ALIGN std::uint64_t ordered[2 * kBatch];
  const bool whole = begin + 4 * lanes <= groups;
  std::uint64_t* const to = whole ? kept + 2 * begin : ordered;
  for (std::size_t at = 0; at < 8 * lanes; at += 2 * lanes) {
    store_pairs(hn::Load(d, below + at), hn::Load(d, below + at + lanes),
                to + at);
  }
  if (!whole) std::copy_n(ordered, 2 * (groups - begin), kept + 2 * begin);
  if (planes == digits.count) return;
  for (std::size_t v = 0; v < 4; ++v) {
    const std::uint64_t* const even = open + 2 * v * lanes;
    rest.add(begin + v * lanes, groups, even, even + lanes);
  }
}

/// At most kTogether groups, whose numbers have one upper half.
HWY_INLINE void decide_together(const Digits& digits, const DecisionRule& rule,
                                const RoundKeys& keys, std::uint64_t first,
                                std::size_t groups, std::uint64_t* kept) {
  const auto shared_of = [&](std::size_t j) HWY_ATTR {
    return SharedRounds(rule.seed, static_cast<std::uint32_t>(first >> 32U),
                        static_cast<std::uint32_t>(j) + 1);
  };
  const SharedRounds shared[kCommonPlanes] = {
      shared_of(0), shared_of(1), shared_of(2), shared_of(3),
      shared_of(4), shared_of(5), shared_of(6), shared_of(7)};
  OpenGroups rest;
  const std::size_t batch = 4 * hn::Lanes(Wide());
  for (std::size_t begin = 0; begin < groups; begin += batch) {
    decide_batch(digits, keys, shared, first, begin, groups, rest, kept);
  }
  for (std::size_t j = kCommonPlanes; j < digits.count && rest.size() > 0;
       ++j) {
    rest.narrow_all(digits.at(j), keys, shared_of(j), first, kept);
  }
}

void decide_groups_of(const DecisionRule& rule, std::uint64_t first,
                      std::size_t groups, std::uint64_t* kept) {
  if (rule.threshold == 0) {
    std::fill_n(kept, 2 * groups, 0);
    return;
  }
  const RoundKeys keys(rule.seed);
  const Digits digits{
      rule.threshold,
      static_cast<std::size_t>(64 - std::countr_zero(rule.threshold))};
  for (std::size_t done = 0; done < groups;) {
    const std::size_t part = std::min(
        {kTogether, groups - done, counters_of_one_half(first + done)});
    decide_together(digits, rule, keys, first + done, part, kept + 2 * done);
    done += part;
  }
}

#endif

/// Words of 64 decisions that are made at a time from given words.
constexpr std::size_t kMostWords = 8 * kMostLanes;

/// Bit 63 - j of each word, 64 words a plane's word.
void plane_of(std::span<const std::uint64_t> words, std::uint32_t j,
              std::uint64_t* plane) {
  std::fill_n(plane, kMostWords, 0);
  for (std::size_t i = 0; i < words.size(); ++i) {
    plane[i / 64] |= (words[i] >> (63U - j) & 1U) << (i % 64);
  }
}

/// Decides by planes from the highest bit on, as groups do.
void decide_words_of(std::uint64_t threshold,
                     std::span<const std::uint64_t> words,
                     std::uint64_t* kept) {
  const Wide d;
  HWY_ALIGN std::uint64_t plane[kMostWords];
  HWY_ALIGN std::uint64_t below[kMostWords];
  HWY_ALIGN std::uint64_t open[kMostWords];
  for (std::size_t done = 0; done < words.size(); done += 64 * kMostWords) {
    const auto part =
        words.subspan(done, std::min(64 * kMostWords, words.size() - done));
    std::fill_n(below, kMostWords, 0);
    std::fill_n(open, kMostWords, ~std::uint64_t{0});
    std::uint64_t digits = threshold;
    for (std::uint32_t j = 0; digits != 0; ++j, digits <<= 1U) {
      plane_of(part, j, plane);
      auto left = hn::Zero(d);
      for (std::size_t i = 0; i < kMostWords; i += hn::Lanes(d)) {
        narrow_at(digits >> 63U != 0, hn::Load(d, plane + i), below + i,
                  open + i);
        left = hn::Or(left, hn::Load(d, open + i));
      }
      if (hn::AllTrue(d, hn::Eq(left, hn::Zero(d)))) break;
    }
    std::copy_n(below, (part.size() + 63) / 64, kept + done / 64);
  }
  clear_past(words.size(), kept);
}

void copy_bits_of(const std::uint64_t* from, std::size_t begin,
                  std::size_t count, std::uint64_t* to) {
  const Wide d;
  from += begin / 64;
  const int shift = static_cast<int>(begin % 64);
  std::size_t i = 0;
  for (; shift != 0 && i + hn::Lanes(d) <= count; i += hn::Lanes(d)) {
    const auto low = hn::ShiftRightSame(hn::LoadU(d, from + i), shift);
    const auto high = hn::ShiftLeftSame(hn::LoadU(d, from + i + 1), 64 - shift);
    hn::StoreU(hn::Or(low, high), d, to + i);
  }
  copy_words(from, begin % 64 + 64 * i, count - i, to + i);
}

}  // namespace dropcheck::impl::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace dropcheck::impl {
namespace {

HWY_EXPORT(decide_groups_of);
HWY_EXPORT(decide_words_of);
HWY_EXPORT(copy_bits_of);

using Bits128 = std::array<std::uint64_t, 2>;

Bits128 plane_bits(std::uint64_t seed, std::uint64_t group, std::uint32_t j) {
  const r123::Philox4x32::ctr_type counter = {
      {static_cast<std::uint32_t>(group),
       static_cast<std::uint32_t>(group >> 32U), j + 1, 0}};
  const auto out =
      r123::Philox4x32()(counter, {{static_cast<std::uint32_t>(seed),
                                    static_cast<std::uint32_t>(seed >> 32U)}});
  return {out[0] | std::uint64_t{out[1]} << 32U,
          out[2] | std::uint64_t{out[3]} << 32U};
}

/// Planes of one group that have been needed so far.
class GroupPlanes {
 public:
  GroupPlanes(std::uint64_t seed, std::uint64_t group)
      : seed_(seed), group_(group) {}

  bool bit(std::uint32_t j, std::size_t decision) {
    for (; drawn_ <= j; ++drawn_) {
      planes_[drawn_] = plane_bits(seed_, group_, drawn_);
    }
    return (planes_[j][decision / 64] >> (decision % 64) & 1U) != 0;
  }

 private:
  std::uint64_t seed_;
  std::uint64_t group_;
  std::uint32_t drawn_ = 0;
  std::array<Bits128, 64> planes_{};
};

/// The highest bit that differs says which is larger.
bool keeps(GroupPlanes& planes, std::size_t decision, std::uint64_t threshold) {
  for (std::uint32_t j = 0; j < 64; ++j, threshold <<= 1U) {
    const bool of_threshold = threshold >> 63U != 0;
    const bool of_word = planes.bit(j, decision);
    if (of_word != of_threshold) return of_threshold;
  }
  return false;
}

}  // namespace

void decide_groups(const DecisionRule& rule, std::uint64_t first,
                   std::size_t groups, std::uint64_t* kept) {
  HWY_DYNAMIC_DISPATCH(decide_groups_of)(rule, first, groups, kept);
}

void decide_groups_plainly(const DecisionRule& rule, std::uint64_t first,
                           std::size_t groups, std::uint64_t* kept) {
  std::fill_n(kept, 2 * groups, 0);
  for (std::size_t group = 0; group < groups; ++group) {
    GroupPlanes planes(rule.seed, first + group);
    for (std::size_t i = 0; i < kDecisionsPerGroup; ++i) {
      if (!keeps(planes, i, rule.threshold)) continue;
      kept[2 * group + i / 64] |= std::uint64_t{1} << (i % 64);
    }
  }
}

void decide_words(std::uint64_t threshold, std::span<const std::uint64_t> words,
                  std::uint64_t* kept) {
  HWY_DYNAMIC_DISPATCH(decide_words_of)(threshold, words, kept);
}

void copy_bits(const std::uint64_t* from, std::size_t begin, std::size_t count,
               std::uint64_t* to) {
  HWY_DYNAMIC_DISPATCH(copy_bits_of)(from, begin, count, to);
}

}  // namespace dropcheck::impl
#endif  // HWY_ONCE
