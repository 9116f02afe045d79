// Compiled once per instruction set by Highway; the best one is chosen when
// the program runs.

// With AVX-512's popcount, which Highway leaves out unless asked.
#define HWY_WANT_AVX3_DL 1
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "mask_kernels.cpp"
#include "mask_kernels.hpp"

#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <vector>

HWY_BEFORE_NAMESPACE();
namespace dropcheck::properties::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

template <class D, class M>
HWY_INLINE std::uint64_t mask_word(D d, M mask) {
  std::uint64_t bits = 0;
  hn::StoreMaskBits(d, mask, reinterpret_cast<std::uint8_t*>(&bits));
  const std::size_t lanes = hn::Lanes(d);
  return lanes < 64 ? bits & ((std::uint64_t{1} << lanes) - 1) : bits;
}

template <class T>
struct ReadArguments {
  const T* values;
  const T* kept;
  T dropped;
  T significant;
};

/// Where a value is not the dropped one.
template <class Kind, class D, class V>
HWY_INLINE auto is_kept(D d, V value, V significant, V dropped) {
  // A literal zero is one instruction less.
  return hn::Ne(hn::And(value, significant),
                Kind::kZero ? hn::Zero(d) : dropped);
}

/// Adds the bits by which kept values differ from those due.
template <class D, class V, class M>
HWY_INLINE V with_difference(D, V all, M is_kept, V value, V due) {
  return hn::IfThenElse(is_kept, hn::Or(all, hn::Xor(value, due)), all);
}

#if HWY_ARCH_X86 && HWY_TARGET <= HWY_AVX3

// Of 32-bit values in one instruction each, which Highway has no word for.
using Wide32 = hn::Full512<std::uint32_t>;

template <class Kind>
HWY_INLINE hn::Mask<Wide32> is_kept(Wide32 d, hn::Vec<Wide32> value,
                                    hn::Vec<Wide32> significant,
                                    hn::Vec<Wide32> dropped) {
  if (!Kind::kZero) return hn::Ne(hn::And(value, significant), dropped);
  (void)d;
  return hn::Mask<Wide32>{_mm512_test_epi32_mask(value.raw, significant.raw)};
}

HWY_INLINE hn::Vec<Wide32> with_difference(Wide32, hn::Vec<Wide32> all,
                                           hn::Mask<Wide32> is_kept,
                                           hn::Vec<Wide32> value,
                                           hn::Vec<Wide32> due) {
  constexpr int kOrXor = 0xF6;  // a | (b ^ c)
  return hn::Vec<Wide32>{_mm512_mask_ternarylogic_epi32(
      all.raw, is_kept.raw, value.raw, due.raw, kOrXor)};
}

#endif

/// Of 64 values from `base` on: writes which are not the dropped one, and notes
/// by which bits any of these differs from the kept value.
template <class Kind, class T, class D = hn::CappedTag<T, 64>>
HWY_INLINE void read_word(const ReadArguments<T>& arg, std::size_t base,
                          std::uint64_t* word, hn::Vec<D>& difference) {
  const D d;
  const auto significant = hn::Set(d, arg.significant);
  const auto dropped = hn::Set(d, arg.dropped);
  // Vectors of eight lanes or more have bytes of their own in the word.
  if (hn::Lanes(d) < 8) *word = 0;
  for (std::size_t j = 0; j < 64; j += hn::Lanes(d)) {
    const auto value = hn::LoadU(d, arg.values + base + j);
    const auto kept = is_kept<Kind>(d, value, significant, dropped);
    if (hn::Lanes(d) < 8) {
      *word |= mask_word(d, kept) << j;
    } else {
      hn::StoreMaskBits(d, kept, reinterpret_cast<std::uint8_t*>(word) + j / 8);
    }
    if (Kind::kWithKept) {
      difference = with_difference(d, difference, kept, value,
                                   hn::LoadU(d, arg.kept + base + j));
    }
  }
}

/// Makes kept bits drop bits.
HWY_INLINE void invert(std::uint64_t* words, std::size_t count) {
  const hn::ScalableTag<std::uint64_t> d;
  std::size_t i = 0;
  for (; i + hn::Lanes(d) <= count; i += hn::Lanes(d)) {
    hn::StoreU(hn::Not(hn::LoadU(d, words + i)), d, words + i);
  }
  for (; i < count; ++i) words[i] = ~words[i];
}

template <class T>
HWY_INLINE std::size_t read_tail(const ReadArguments<T>& arg, std::size_t base,
                                 std::size_t count, std::uint64_t& word) {
  std::size_t first_wrong = count;
  word = 0;
  for (std::size_t i = base; i < count; ++i) {
    const T value = arg.values[i];
    const bool dropped = static_cast<T>(value & arg.significant) == arg.dropped;
    if (dropped) word |= std::uint64_t{1} << (i - base);
    if (!dropped && arg.kept != nullptr && value != arg.kept[i]) {
      first_wrong = std::min(first_wrong, i);
    }
  }
  return first_wrong;
}

/// What is known of a reading before the first value.
template <bool kWithKeptOrNot, bool kZeroOrNot>
struct ReadingKind {
  static constexpr bool kWithKept = kWithKeptOrNot;
  static constexpr bool kZero = kZeroOrNot;  ///< the dropped value
};

template <class Kind, class T>
HWY_INLINE std::size_t read_rows(const ReadArguments<T>& arg, std::size_t count,
                                 std::uint64_t* words) {
  constexpr std::size_t kAtATime = 32;  // words that are asked for an error
  const hn::CappedTag<T, 64> d;
  std::size_t first_wrong = count;
  const std::size_t full = count / 64;
  for (std::size_t begin = 0; begin < full; begin += kAtATime) {
    const std::size_t end = std::min(full, begin + kAtATime);
    auto difference = hn::Zero(d);
    for (std::size_t w = begin; w < end; ++w) {
      read_word<Kind>(arg, 64 * w, words + w, difference);
    }
    invert(words + begin, end - begin);
    if (first_wrong != count ||
        hn::AllTrue(d, hn::Eq(difference, hn::Zero(d)))) {
      continue;
    }
    for (std::size_t w = begin; first_wrong == count; ++w) {
      const std::size_t next = 64 * w + 64;
      const std::size_t wrong = read_tail(arg, 64 * w, next, words[w]);
      if (wrong != next) first_wrong = wrong;
    }
  }
  if (64 * full < count) {
    first_wrong =
        std::min(first_wrong, read_tail(arg, 64 * full, count, words[full]));
  }
  return first_wrong;
}

template <class T>
std::size_t read_bits(const MaskReading& reading, const void* values,
                      std::size_t count, std::uint64_t* words) {
  const T all = static_cast<T>(~T{0});
  const T significant = reading.ignore_sign ? static_cast<T>(all >> 1U) : all;
  const ReadArguments<T> arg{
      static_cast<const T*>(values), static_cast<const T*>(reading.kept),
      static_cast<T>(static_cast<T>(reading.dropped) & significant),
      significant};
  if (arg.kept == nullptr) {
    return read_rows<ReadingKind<false, false>>(arg, count, words);
  }
  return arg.dropped == 0
             ? read_rows<ReadingKind<true, true>>(arg, count, words)
             : read_rows<ReadingKind<true, false>>(arg, count, words);
}

std::size_t read_16(const MaskReading& r, const void* v, std::size_t n,
                    std::uint64_t* w) {
  return read_bits<std::uint16_t>(r, v, n, w);
}
std::size_t read_32(const MaskReading& r, const void* v, std::size_t n,
                    std::uint64_t* w) {
  return read_bits<std::uint32_t>(r, v, n, w);
}
std::size_t read_64(const MaskReading& r, const void* v, std::size_t n,
                    std::uint64_t* w) {
  return read_bits<std::uint64_t>(r, v, n, w);
}

using Words = hn::ScalableTag<std::uint64_t>;

template <class V>
HWY_INLINE std::uint64_t lane_sum(Words d, V v) {
  return hn::GetLane(hn::SumOfLanes(d, v));
}

std::uint64_t count_and(const std::uint64_t* a, const std::uint64_t* b,
                        std::size_t count) {
  const Words d;
  auto sum = hn::Zero(d);
  std::size_t i = 0;
  for (; i + hn::Lanes(d) <= count; i += hn::Lanes(d)) {
    const auto both = hn::And(hn::LoadU(d, a + i), hn::LoadU(d, b + i));
    sum = hn::Add(sum, hn::PopulationCount(both));
  }
  std::uint64_t total = lane_sum(d, sum);
  for (; i < count; ++i) {
    total += static_cast<std::uint64_t>(std::popcount(a[i] & b[i]));
  }
  return total;
}

HWY_INLINE std::uint64_t shifted_word(const std::uint64_t* words,
                                      std::size_t count, std::size_t index,
                                      int shift) {
  const std::uint64_t low = words[index] >> shift;
  if (shift == 0 || index + 1 >= count) return low;
  return low | words[index + 1] << (64 - shift);
}

std::uint64_t joint_at_lag_of(const std::uint64_t* words, std::size_t bits,
                              std::size_t lag) {
  if (lag >= bits) return 0;
  const std::size_t count = (bits + 63) / 64;
  const std::size_t skip = lag / 64;
  const int shift = static_cast<int>(lag % 64);
  const std::size_t reach = count - skip;
  if (shift == 0) return count_and(words, words + skip, reach);
  const Words d;
  auto sum = hn::Zero(d);
  std::size_t i = 0;
  for (; i + hn::Lanes(d) < reach; i += hn::Lanes(d)) {
    const auto low = hn::ShiftRightSame(hn::LoadU(d, words + skip + i), shift);
    const auto high =
        hn::ShiftLeftSame(hn::LoadU(d, words + skip + i + 1), 64 - shift);
    const auto both = hn::And(hn::LoadU(d, words + i), hn::Or(low, high));
    sum = hn::Add(sum, hn::PopulationCount(both));
  }
  std::uint64_t total = lane_sum(d, sum);
  for (; i < reach; ++i) {
    total += static_cast<std::uint64_t>(
        std::popcount(words[i] & shifted_word(words, count, skip + i, shift)));
  }
  return total;
}

/// Bits that are set here and so many places later.
template <int kLag, class V>
HWY_INLINE V joint_of(V here, V next) {
#if HWY_TARGET == HWY_AVX3_DL
  const V later{_mm512_shrdi_epi64(here.raw, next.raw, kLag)};
#else
  const V later =
      hn::Or(hn::ShiftRight<kLag>(here), hn::ShiftLeft<64 - kLag>(next));
#endif
  return hn::PopulationCount(hn::And(here, later));
}

/// The lags kFirst .. kFirst + 6. Seven sums and the words stay in registers.
template <int kFirst>
HWY_INLINE void joint_at_seven_lags(const std::uint64_t* words,
                                    std::size_t count, std::uint64_t* totals) {
  const Words d;
  auto s0 = hn::Zero(d), s1 = s0, s2 = s0, s3 = s0, s4 = s0, s5 = s0, s6 = s0;
  std::size_t i = 0;
  for (; i + hn::Lanes(d) < count; i += hn::Lanes(d)) {
    const auto here = hn::LoadU(d, words + i);
    const auto next = hn::LoadU(d, words + i + 1);
    s0 = hn::Add(s0, joint_of<kFirst>(here, next));
    s1 = hn::Add(s1, joint_of<kFirst + 1>(here, next));
    s2 = hn::Add(s2, joint_of<kFirst + 2>(here, next));
    s3 = hn::Add(s3, joint_of<kFirst + 3>(here, next));
    s4 = hn::Add(s4, joint_of<kFirst + 4>(here, next));
    s5 = hn::Add(s5, joint_of<kFirst + 5>(here, next));
    s6 = hn::Add(s6, joint_of<kFirst + 6>(here, next));
  }
  const std::array<std::uint64_t, 7> sums{
      lane_sum(d, s0), lane_sum(d, s1), lane_sum(d, s2), lane_sum(d, s3),
      lane_sum(d, s4), lane_sum(d, s5), lane_sum(d, s6)};
  totals += kFirst - 1;
  for (int j = 0; j < 7; ++j) {
    std::uint64_t total = sums[static_cast<std::size_t>(j)];
    for (std::size_t w = i; w < count; ++w) {
      total += static_cast<std::uint64_t>(
          std::popcount(words[w] & shifted_word(words, count, w, kFirst + j)));
    }
    totals[j] = total;
  }
}

void joint_at_short_lags_of(const std::uint64_t* words, std::size_t bits,
                            std::uint64_t* counts) {
  const std::size_t count = (bits + 63) / 64;
  joint_at_seven_lags<1>(words, count, counts);
  joint_at_seven_lags<8>(words, count, counts);
  joint_at_seven_lags<15>(words, count, counts);
  joint_at_seven_lags<22>(words, count, counts);
  joint_at_seven_lags<29>(words, count, counts);
  joint_at_seven_lags<36>(words, count, counts);
  joint_at_seven_lags<43>(words, count, counts);
  joint_at_seven_lags<50>(words, count, counts);
  joint_at_seven_lags<57>(words, count, counts);
}

void count_before_of(const std::uint64_t* words, std::size_t bits,
                     std::span<const std::size_t> places,
                     std::uint64_t* counts) {
  std::vector<std::uint64_t> before(bits / 64 + 1);
  for (std::size_t w = 0; w < bits / 64; ++w) {
    before[w + 1] =
        before[w] + static_cast<std::uint64_t>(std::popcount(words[w]));
  }
  for (const std::size_t place : places) {
    std::uint64_t count = before[place / 64];
    if (place % 64 != 0) {
      const std::uint64_t mask = (std::uint64_t{1} << (place % 64)) - 1;
      count +=
          static_cast<std::uint64_t>(std::popcount(words[place / 64] & mask));
    }
    *counts++ = count;
  }
}

/// histogram[j] += words with j set bits.
void count_groups_of(const std::uint64_t* words, std::size_t count,
                     std::uint64_t* histogram) {
  for (std::size_t i = 0; i < count; ++i) {
    ++histogram[static_cast<std::size_t>(std::popcount(words[i]))];
  }
}

void add_bits_of(const std::uint64_t* words, std::size_t bits,
                 std::uint16_t* counters) {
  const hn::CappedTag<std::uint16_t, 64> d;
  const std::size_t full = bits / 64;
  for (std::size_t w = 0; w < full; ++w) {
    for (std::size_t j = 0; j < 64; j += hn::Lanes(d)) {
      const std::uint64_t part = words[w] >> j;
      const auto mask =
          hn::LoadMaskBits(d, reinterpret_cast<const std::uint8_t*>(&part));
      std::uint16_t* counter = counters + 64 * w + j;
      const auto old = hn::LoadU(d, counter);
      // A set mask lane is -1.
      hn::StoreU(hn::Sub(old, hn::VecFromMask(d, mask)), d, counter);
    }
  }
  for (std::size_t i = 64 * full; i < bits; ++i) {
    counters[i] = static_cast<std::uint16_t>(counters[i] +
                                             ((words[full] >> (i % 64)) & 1U));
  }
}

/// Counters += the number whose binary digits the planes have, 64 at a time.
HWY_INLINE void add_planes(const std::uint64_t* planes, std::size_t stride,
                           std::uint16_t* counters) {
  const hn::CappedTag<std::uint16_t, 64> d;
  for (std::size_t j = 0; j < 64; j += hn::Lanes(d)) {
    auto sum = hn::LoadU(d, counters + j);
    for (std::size_t plane = 0; plane < 4; ++plane) {
      const std::uint64_t part = planes[plane * stride] >> j;
      const auto mask =
          hn::LoadMaskBits(d, reinterpret_cast<const std::uint8_t*>(&part));
      const auto digit = hn::Set(d, static_cast<std::uint16_t>(1U << plane));
      sum = hn::Add(sum, hn::IfThenElseZero(mask, digit));
    }
    hn::StoreU(sum, d, counters + j);
  }
}

/// Rows are counted in four binary digits a position, then added up.
void add_rows_of(const std::uint64_t* rows, std::size_t stride,
                 std::size_t count, std::size_t bits, std::uint16_t* counters) {
  const hn::CappedTag<std::uint64_t, 8> d;
  const std::size_t lanes = hn::Lanes(d);
  HWY_ALIGN std::uint64_t planes[4 * 8];
  std::size_t w = 0;
  for (; 64 * (w + lanes) <= bits; w += lanes) {
    auto p0 = hn::Zero(d), p1 = p0, p2 = p0, p3 = p0;
    const std::uint64_t* row = rows + w;
    for (std::size_t r = 0; r < count; ++r, row += stride) {
      const auto one = hn::LoadU(d, row);
      const auto two = hn::And(p0, one);
      const auto four = hn::And(p1, two);
      const auto eight = hn::And(p2, four);
      p0 = hn::Xor(p0, one);
      p1 = hn::Xor(p1, two);
      p2 = hn::Xor(p2, four);
      p3 = hn::Xor(p3, eight);
    }
    hn::Store(p0, d, planes);
    hn::Store(p1, d, planes + lanes);
    hn::Store(p2, d, planes + 2 * lanes);
    hn::Store(p3, d, planes + 3 * lanes);
    for (std::size_t lane = 0; lane < lanes; ++lane) {
      add_planes(planes + lane, lanes, counters + 64 * (w + lane));
    }
  }
  for (std::size_t r = 0; r < count; ++r) {
    add_bits_of(rows + r * stride + w, bits - 64 * w, counters + 64 * w);
  }
}

}  // namespace dropcheck::properties::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace dropcheck::properties {

/// Rows whose number four binary digits hold.
constexpr std::size_t kMostRows = 15;

HWY_EXPORT(read_16);
HWY_EXPORT(read_32);
HWY_EXPORT(read_64);
HWY_EXPORT(count_and);
HWY_EXPORT(joint_at_lag_of);
HWY_EXPORT(joint_at_short_lags_of);
HWY_EXPORT(count_before_of);
HWY_EXPORT(count_groups_of);
HWY_EXPORT(add_bits_of);
HWY_EXPORT(add_rows_of);

std::size_t read_drop_bits(const MaskReading& reading, const void* values,
                           std::size_t count, std::uint64_t* words) {
  switch (impl::size_of(reading.dtype)) {
    case 2:
      return HWY_DYNAMIC_DISPATCH(read_16)(reading, values, count, words);
    case 4:
      return HWY_DYNAMIC_DISPATCH(read_32)(reading, values, count, words);
    default:
      return HWY_DYNAMIC_DISPATCH(read_64)(reading, values, count, words);
  }
}

std::uint64_t popcount(const std::uint64_t* words, std::size_t count) {
  return HWY_DYNAMIC_DISPATCH(count_and)(words, words, count);
}

std::uint64_t popcount_and(const std::uint64_t* a, const std::uint64_t* b,
                           std::size_t count) {
  return HWY_DYNAMIC_DISPATCH(count_and)(a, b, count);
}

std::uint64_t joint_at_lag(const std::uint64_t* words, std::size_t bits,
                           std::size_t lag) {
  return HWY_DYNAMIC_DISPATCH(joint_at_lag_of)(words, bits, lag);
}

void joint_at_short_lags(const std::uint64_t* words, std::size_t bits,
                         std::uint64_t* counts) {
  HWY_DYNAMIC_DISPATCH(joint_at_short_lags_of)(words, bits, counts);
}

void count_before(const std::uint64_t* words, std::size_t bits,
                  std::span<const std::size_t> places, std::uint64_t* counts) {
  HWY_DYNAMIC_DISPATCH(count_before_of)(words, bits, places, counts);
}

void count_groups(const std::uint64_t* words, std::size_t count,
                  std::uint64_t* histogram) {
  HWY_DYNAMIC_DISPATCH(count_groups_of)(words, count, histogram);
}

void add_bits(const std::uint64_t* words, std::size_t bits,
              std::uint16_t* counters) {
  HWY_DYNAMIC_DISPATCH(add_bits_of)(words, bits, counters);
}

void add_rows(const std::uint64_t* rows, std::size_t stride, std::size_t count,
              std::size_t bits, std::uint16_t* counters) {
  for (std::size_t done = 0; done < count; done += kMostRows) {
    HWY_DYNAMIC_DISPATCH(add_rows_of)
    (rows + done * stride, stride, std::min(kMostRows, count - done), bits,
     counters);
  }
}

}  // namespace dropcheck::properties
#endif  // HWY_ONCE
