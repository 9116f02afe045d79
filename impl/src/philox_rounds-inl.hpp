// The rounds of Philox4x32-10 on vectors, for files that Highway compiles once
// per instruction set: included again for each of them.
#if defined(DROPCHECK_PHILOX_ROUNDS_INL_HPP) == defined(HWY_TARGET_TOGGLE)
#ifdef DROPCHECK_PHILOX_ROUNDS_INL_HPP
#undef DROPCHECK_PHILOX_ROUNDS_INL_HPP
#else
#define DROPCHECK_PHILOX_ROUNDS_INL_HPP
#endif

#include <hwy/highway.h>

#include <cstddef>
#include <cstdint>

HWY_BEFORE_NAMESPACE();
namespace dropcheck::impl::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

/// At most eight lanes: what is kept beside them has a fixed size.
using Wide = hn::CappedTag<std::uint64_t, 8>;
using Vector = hn::Vec<Wide>;
constexpr std::size_t kMostLanes = 8;

#if HWY_TARGET != HWY_SCALAR && HWY_TARGET != HWY_EMU128

using Half = hn::Repartition<std::uint32_t, Wide>;
constexpr std::size_t kRounds = 10;
constexpr std::uint32_t kFirstFactor = 0xD2511F53U;
constexpr std::uint32_t kSecondFactor = 0xCD9E8D57U;
constexpr std::uint32_t kFirstStep = 0x9E3779B9U;
constexpr std::uint32_t kSecondStep = 0xBB67AE85U;

/// The keys of all rounds, each in every lane.
class RoundKeys {
 public:
  HWY_INLINE explicit RoundKeys(std::uint64_t seed) {
    const Wide d;
    auto k0 = static_cast<std::uint32_t>(seed);
    auto k1 = static_cast<std::uint32_t>(seed >> 32U);
    for (std::size_t round = 0; round < kRounds; ++round) {
      hn::Store(hn::Set(d, k0), d, first_ + round * kMostLanes);
      hn::Store(hn::Set(d, k1), d, second_ + round * kMostLanes);
      k0 += kFirstStep;
      k1 += kSecondStep;
    }
  }
  HWY_INLINE Vector first(std::size_t round) const {
    return hn::Load(Wide(), first_ + round * kMostLanes);
  }
  HWY_INLINE Vector second(std::size_t round) const {
    return hn::Load(Wide(), second_ + round * kMostLanes);
  }

 private:
  HWY_ALIGN std::uint64_t first_[kRounds * kMostLanes];
  HWY_ALIGN std::uint64_t second_[kRounds * kMostLanes];
};

/// Both halves of a product, of the lower half of each lane.
HWY_INLINE Vector product(Vector a, std::uint32_t factor) {
  const Half half;
  return hn::MulEven(hn::BitCast(half, a),
                     hn::BitCast(half, hn::Set(Wide(), factor)));
}

HWY_INLINE Vector mixed(Vector high, Vector x, Vector key) {
  return hn::Xor3(hn::ShiftRight<32>(high), x, key);
}

/// One round. Each 32-bit word of a counter stands in a 64-bit lane of its own,
/// so that the products need no shuffles; what is above bit 31 is ignored.
HWY_INLINE void next_round(Vector key0, Vector key1, Vector& x0, Vector& x1,
                           Vector& x2, Vector& x3) {
  const Vector p0 = product(x0, kFirstFactor);
  const Vector p1 = product(x2, kSecondFactor);
  x0 = mixed(p1, x1, key0);
  x1 = p1;
  x2 = mixed(p0, x3, key1);
  x3 = p0;
}

/// What the first two rounds make of counters that agree in all but their
/// lowest 32 bits, as far as it is the same for all of them.
struct SharedRounds {
  /// For counters (., upper, third, 0).
  HWY_INLINE SharedRounds(std::uint64_t seed, std::uint32_t upper,
                          std::uint32_t third) {
    const auto k0 = static_cast<std::uint32_t>(seed);
    const auto k1 = static_cast<std::uint32_t>(seed >> 32U);
    const std::uint64_t p1 = std::uint64_t{third} * kSecondFactor;
    const std::uint32_t x0 = static_cast<std::uint32_t>(p1 >> 32U) ^ upper ^ k0;
    const std::uint64_t p0 = std::uint64_t{x0} * kFirstFactor;
    key = k1;
    x1_and_key = static_cast<std::uint32_t>(p1) ^ (k0 + kFirstStep);
    high_and_key = static_cast<std::uint32_t>(p0 >> 32U) ^ (k1 + kSecondStep);
    x3 = p0;
  }
  std::uint64_t key;
  std::uint64_t x1_and_key;
  std::uint64_t high_and_key;
  std::uint64_t x3;
};

/// The first two rounds of counters whose lowest 32 bits `x0` has.
HWY_INLINE void begin_rounds(const SharedRounds& shared, Vector& x0, Vector& x1,
                             Vector& x2, Vector& x3) {
  const Wide d;
  const Vector p0 = product(x0, kFirstFactor);
  const Vector second = hn::Xor(hn::ShiftRight<32>(p0), hn::Set(d, shared.key));
  const Vector p1 = product(second, kSecondFactor);
  x0 = hn::Xor(hn::ShiftRight<32>(p1), hn::Set(d, shared.x1_and_key));
  x1 = p1;
  x2 = hn::Xor(p0, hn::Set(d, shared.high_and_key));
  x3 = hn::Set(d, shared.x3);
}

/// The lower halves of two lanes as one word.
HWY_INLINE Vector joined(Vector low, Vector high) {
  const Half half;
  const auto above = hn::DupEven(hn::BitCast(half, high));
  return hn::BitCast(Wide(), hn::OddEven(above, hn::BitCast(half, low)));
}

/// Philox of counters whose lowest 32 bits the lanes of four vectors have, and
/// all else `shared`. Four at once: one alone would wait for its products.
/// `take(v, even, odd)` gets the two words of each counter of vector v, 0 to 3.
template <class Take>
HWY_INLINE void philox_of_four(const RoundKeys& keys,
                               const SharedRounds& shared, Vector a0, Vector b0,
                               Vector c0, Vector d0, const Take& take) {
  Vector a1, a2, a3, b1, b2, b3, c1, c2, c3, d1, d2, d3;
  begin_rounds(shared, a0, a1, a2, a3);
  begin_rounds(shared, b0, b1, b2, b3);
  begin_rounds(shared, c0, c1, c2, c3);
  begin_rounds(shared, d0, d1, d2, d3);
  for (std::size_t round = 2; round < kRounds; ++round) {
    const Vector key0 = keys.first(round);
    const Vector key1 = keys.second(round);
    next_round(key0, key1, a0, a1, a2, a3);
    next_round(key0, key1, b0, b1, b2, b3);
    next_round(key0, key1, c0, c1, c2, c3);
    next_round(key0, key1, d0, d1, d2, d3);
  }
  take(0, joined(a0, a1), joined(a2, a3));
  take(1, joined(b0, b1), joined(b2, b3));
  take(2, joined(c0, c1), joined(c2, c3));
  take(3, joined(d0, d1), joined(d2, d3));
}

/// Which counter a lane has, so that pairs of words need only be interleaved
/// within 128 bits to stand in order: 0, 4, 1, 5, 2, 6, 3, 7 of eight.
HWY_INLINE std::size_t order_of(std::size_t lane) {
  return lane % 2 * (hn::Lanes(Wide()) / 2) + lane / 2;
}
HWY_INLINE Vector counter_order() {
  const Wide d;
  HWY_ALIGN std::uint64_t order[kMostLanes];
  for (std::size_t lane = 0; lane < hn::Lanes(d); ++lane) {
    order[lane] = order_of(lane);
  }
  return hn::Load(d, order);
}

/// The same of the counters (first + i, third) for i below four times the
/// lanes, in that order within a vector. The upper half of the counters must be
/// the same for all that matter.
template <class Take>
HWY_INLINE void philox_of_next(const RoundKeys& keys,
                               const SharedRounds& shared, Vector order,
                               std::uint64_t first, const Take& take) {
  const Wide d;
  const Vector step = hn::Set(d, hn::Lanes(d));
  const Vector a = hn::Add(hn::Set(d, first), order);
  const Vector b = hn::Add(a, step);
  const Vector c = hn::Add(b, step);
  philox_of_four(keys, shared, a, b, c, hn::Add(c, step), take);
}

/// Writes pairs of words whose counters have that order.
HWY_INLINE void store_pairs(Vector even, Vector odd, std::uint64_t* to) {
  const Wide d;
  hn::StoreU(hn::InterleaveLower(d, even, odd), d, to);
  hn::StoreU(hn::InterleaveUpper(d, even, odd), d, to + hn::Lanes(d));
}

#endif

}  // namespace dropcheck::impl::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
