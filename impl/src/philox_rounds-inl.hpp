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
      k0 += 0x9E3779B9U;
      k1 += 0xBB67AE85U;
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
  const Vector p0 = product(x0, 0xD2511F53U);
  const Vector p1 = product(x2, 0xCD9E8D57U);
  x0 = mixed(p1, x1, key0);
  x1 = p1;
  x2 = mixed(p0, x3, key1);
  x3 = p0;
}

HWY_INLINE Vector joined(Vector low, Vector high) {
  const Vector mask = hn::Set(Wide(), 0xFFFFFFFFU);
  return hn::Or(hn::And(low, mask), hn::ShiftLeft<32>(high));
}

/// Philox of the counters (first + i, third) for i below four times the lanes,
/// `third` being the upper 64 bits. Four vectors at once: one alone would wait
/// for its products. `take(v, even, odd)` gets the two words of each counter of
/// vector v, 0 to 3.
template <class Take>
HWY_INLINE void philox_of_four(const RoundKeys& keys, std::uint64_t first,
                               std::uint32_t third, const Take& take) {
  const Wide d;
  const Vector step = hn::Set(d, hn::Lanes(d));
  Vector a0 = hn::Add(hn::Set(d, first), hn::Iota(d, 0));
  Vector b0 = hn::Add(a0, step);
  Vector c0 = hn::Add(b0, step);
  Vector d0 = hn::Add(c0, step);
  Vector a1 = hn::ShiftRight<32>(a0);
  Vector b1 = hn::ShiftRight<32>(b0);
  Vector c1 = hn::ShiftRight<32>(c0);
  Vector d1 = hn::ShiftRight<32>(d0);
  Vector a2 = hn::Set(d, third), b2 = a2, c2 = a2, d2 = a2;
  Vector a3 = hn::Zero(d), b3 = a3, c3 = a3, d3 = a3;
  for (std::size_t round = 0; round < kRounds; ++round) {
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

#endif

}  // namespace dropcheck::impl::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
