// Compiled once per instruction set by Highway; the best one is chosen when
// the program runs.

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "replay_kernels.cpp"
#include "replay_kernels.hpp"

#include <hwy/foreach_target.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace dropcheck::impl::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

constexpr std::size_t kMiddle = 397;

// Matsumoto and Nishimura 1998. Word i + 624 needs no word behind i + 397, so
// that vectors of up to 227 words can be made at once.
void mersenne_words_of(std::uint32_t* state, std::size_t count,
                       std::uint32_t* words) {
  const hn::CappedTag<std::uint32_t, kWordGranule> d;
  const auto upper = hn::Set(d, 0x80000000U);
  const auto one = hn::Set(d, 1U);
  const auto zero = hn::Zero(d);
  const auto twist = hn::Set(d, 0x9908b0dfU);
  const auto mask7 = hn::Set(d, 0x9d2c5680U);
  const auto mask15 = hn::Set(d, 0xefc60000U);
  for (std::size_t i = 0; i < count; i += hn::Lanes(d)) {
    const auto first = hn::LoadU(d, state + i);
    const auto second = hn::LoadU(d, state + i + 1);
    const auto joined =
        hn::Or(hn::And(upper, first), hn::AndNot(upper, second));
    const auto odd = hn::Sub(zero, hn::And(second, one));
    const auto next = hn::Xor(
        hn::Xor(hn::LoadU(d, state + i + kMiddle), hn::ShiftRight<1>(joined)),
        hn::And(odd, twist));
    hn::StoreU(next, d, state + i + kMersenneState);
    auto y = hn::Xor(next, hn::ShiftRight<11>(next));
    y = hn::Xor(y, hn::And(hn::ShiftLeft<7>(y), mask7));
    y = hn::Xor(y, hn::And(hn::ShiftLeft<15>(y), mask15));
    hn::StoreU(hn::Xor(y, hn::ShiftRight<18>(y)), d, words + i);
  }
}

#if HWY_TARGET == HWY_SCALAR

void numbers_below_of(const NumberRule& rule, const std::uint32_t* words,
                      std::size_t decisions, std::uint64_t* below) {
  for (std::size_t i = 0; i < decisions; i += 64) {
    std::uint64_t bits = 0;
    for (std::size_t j = 0; j < 64; ++j, words += rule.words) {
      const bool is = number_of(rule, words) < rule.threshold;
      bits |= std::uint64_t{is ? 1U : 0U} << j;
    }
    below[i / 64] = bits;
  }
}

#else

/// 64 comparisons: `number(j)` gives the j-th vector of them, as signed numbers
/// in the order of the unsigned ones.
template <class D, class Number>
HWY_INLINE std::uint64_t compare(D d, hn::Vec<D> threshold,
                                 const Number& number) {
  std::uint64_t bits = 0;
  for (std::size_t j = 0; j < 64; j += hn::Lanes(d)) {
    std::uint8_t stored[8] = {};
    hn::StoreMaskBits(d, hn::Lt(number(j), threshold), stored);
    const std::uint64_t part = static_cast<std::uint64_t>(stored[0]) |
                               static_cast<std::uint64_t>(stored[1]) << 8U;
    bits |= part << j;
  }
  return bits;
}

/// The bits that count come to the top, and the threshold with them; then the
/// sign is turned.
template <bool kSwapped>
void below_of_pairs(const NumberRule& rule, const std::uint32_t* words,
                    std::size_t decisions, std::uint64_t* below) {
  const hn::CappedTag<std::uint32_t, kWordGranule> narrow;
  const hn::Repartition<std::uint64_t, decltype(narrow)> wide;
  const hn::RebindToSigned<decltype(wide)> order;
  const int shift = 64 - rule.bits;
  const int moved = rule.high_bits ? 0 : shift;
  const auto sign = hn::Set(wide, std::uint64_t{1} << 63U);
  const auto threshold =
      hn::BitCast(order, hn::Xor(sign, hn::Set(wide, rule.threshold << shift)));
  for (std::size_t i = 0; i < decisions; i += 64, words += 128) {
    below[i / 64] = compare(order, threshold, [&](std::size_t j) HWY_ATTR {
      auto word = hn::BitCast(wide, hn::LoadU(narrow, words + 2 * j));
      if (kSwapped) {
        word = hn::Or(hn::ShiftLeft<32>(word), hn::ShiftRight<32>(word));
      }
      word = hn::ShiftLeftSame(word, moved);
      return hn::BitCast(order, hn::Xor(word, sign));
    });
  }
}

void below_of_words(const NumberRule& rule, const std::uint32_t* words,
                    std::size_t decisions, std::uint64_t* below) {
  const hn::CappedTag<std::uint32_t, kWordGranule> d;
  const hn::RebindToSigned<decltype(d)> order;
  const int shift = 32 - rule.bits;
  const int moved = rule.high_bits ? 0 : shift;
  const auto sign = hn::Set(d, 0x80000000U);
  const auto threshold = hn::BitCast(
      order, hn::Xor(sign, hn::Set(d, static_cast<std::uint32_t>(rule.threshold
                                                                 << shift))));
  for (std::size_t i = 0; i < decisions; i += 64, words += 64) {
    below[i / 64] = compare(order, threshold, [&](std::size_t j) HWY_ATTR {
      const auto word = hn::ShiftLeftSame(hn::LoadU(d, words + j), moved);
      return hn::BitCast(order, hn::Xor(word, sign));
    });
  }
}

void numbers_below_of(const NumberRule& rule, const std::uint32_t* words,
                      std::size_t decisions, std::uint64_t* below) {
  if (rule.words == 1) return below_of_words(rule, words, decisions, below);
  if (rule.high_word_first) {
    return below_of_pairs<true>(rule, words, decisions, below);
  }
  below_of_pairs<false>(rule, words, decisions, below);
}

#endif

}  // namespace dropcheck::impl::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace dropcheck::impl {
namespace {

HWY_EXPORT(mersenne_words_of);
HWY_EXPORT(numbers_below_of);

}  // namespace

void mersenne_words(std::uint32_t* state, std::size_t count,
                    std::uint32_t* words) {
  HWY_DYNAMIC_DISPATCH(mersenne_words_of)(state, count, words);
}

void numbers_below(const NumberRule& rule, const std::uint32_t* words,
                   std::size_t decisions, std::uint64_t* below) {
  HWY_DYNAMIC_DISPATCH(numbers_below_of)(rule, words, decisions, below);
}

}  // namespace dropcheck::impl
#endif  // HWY_ONCE
