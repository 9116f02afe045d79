// Compiled once per instruction set by Highway; the best one is chosen when
// the program runs.

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "philox.cpp"
#include "philox.hpp"

#include <Random123/philox.h>
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include <array>

HWY_BEFORE_NAMESPACE();
namespace dropcheck::impl::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

#if HWY_TARGET == HWY_SCALAR || HWY_TARGET == HWY_EMU128

// Without vectors the plain loop below is as good.
std::size_t philox_of(std::uint64_t, std::uint64_t, std::size_t,
                      std::uint64_t*) {
  return 0;
}

#else

using Wide = hn::ScalableTag<std::uint64_t>;
using Vector = hn::Vec<Wide>;
using Half = hn::Repartition<std::uint32_t, Wide>;

HWY_INLINE Vector product(Vector a, std::uint32_t factor) {
  const Half half;
  return hn::MulEven(hn::BitCast(half, a),
                     hn::BitCast(half, hn::Set(Wide(), factor)));
}

HWY_INLINE Vector mixed(Vector high, Vector x, std::uint32_t key) {
  return hn::Xor(hn::Xor(hn::ShiftRight<32>(high), x), hn::Set(Wide(), key));
}

struct Keys {
  std::uint32_t k0, k1;
};

/// One round. Each 32-bit word of a counter stands in a 64-bit lane of its own,
/// so that the products need no shuffles; what is above bit 31 is ignored.
HWY_INLINE void next_round(Keys key, Vector& x0, Vector& x1, Vector& x2,
                           Vector& x3) {
  const Vector p0 = product(x0, 0xD2511F53U);
  const Vector p1 = product(x2, 0xCD9E8D57U);
  x0 = mixed(p1, x1, key.k0);
  x1 = p1;
  x2 = mixed(p0, x3, key.k1);
  x3 = p0;
}

HWY_INLINE Vector joined(Vector low, Vector high) {
  const Vector mask = hn::Set(Wide(), 0xFFFFFFFFU);
  return hn::Or(hn::And(low, mask), hn::ShiftLeft<32>(high));
}

/// All whole groups of four vectors: one alone would wait for its products.
/// Returns the number of counter values done.
std::size_t philox_of(std::uint64_t first, std::uint64_t seed,
                      std::size_t blocks, std::uint64_t* words) {
  const Wide d;
  const std::size_t lanes = hn::Lanes(d);
  const Vector step = hn::Set(d, lanes);
  std::size_t done = 0;
  for (; done + 4 * lanes <= blocks; done += 4 * lanes) {
    Vector a0 = hn::Add(hn::Set(d, first + done), hn::Iota(d, 0));
    Vector b0 = hn::Add(a0, step);
    Vector c0 = hn::Add(b0, step);
    Vector d0 = hn::Add(c0, step);
    Vector a1 = hn::ShiftRight<32>(a0);
    Vector b1 = hn::ShiftRight<32>(b0);
    Vector c1 = hn::ShiftRight<32>(c0);
    Vector d1 = hn::ShiftRight<32>(d0);
    Vector a2 = hn::Zero(d), b2 = a2, c2 = a2, d2 = a2;
    Vector a3 = a2, b3 = a2, c3 = a2, d3 = a2;
    Keys key{static_cast<std::uint32_t>(seed),
             static_cast<std::uint32_t>(seed >> 32U)};
    for (int round = 0; round < 10; ++round) {
      next_round(key, a0, a1, a2, a3);
      next_round(key, b0, b1, b2, b3);
      next_round(key, c0, c1, c2, c3);
      next_round(key, d0, d1, d2, d3);
      key = {key.k0 + 0x9E3779B9U, key.k1 + 0xBB67AE85U};
    }
    std::uint64_t* const out = words + 2 * done;
    hn::StoreInterleaved2(joined(a0, a1), joined(a2, a3), d, out);
    hn::StoreInterleaved2(joined(b0, b1), joined(b2, b3), d, out + 2 * lanes);
    hn::StoreInterleaved2(joined(c0, c1), joined(c2, c3), d, out + 4 * lanes);
    hn::StoreInterleaved2(joined(d0, d1), joined(d2, d3), d, out + 6 * lanes);
  }
  return done;
}

#endif

}  // namespace dropcheck::impl::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace dropcheck::impl {
namespace {

HWY_EXPORT(philox_of);

std::uint64_t joined(std::uint32_t low, std::uint32_t high) {
  return (std::uint64_t{high} << 32U) | low;
}

/// The two words of one counter value, by Random123.
std::array<std::uint64_t, 2> philox(std::uint64_t counter, std::uint64_t seed) {
  const r123::Philox4x32::ctr_type counters = {
      {static_cast<std::uint32_t>(counter),
       static_cast<std::uint32_t>(counter >> 32U), 0, 0}};
  const r123::Philox4x32::key_type key = {
      {static_cast<std::uint32_t>(seed),
       static_cast<std::uint32_t>(seed >> 32U)}};
  const auto words = r123::Philox4x32()(counters, key);
  return {joined(words[0], words[1]), joined(words[2], words[3])};
}

}  // namespace

void philox_words(std::uint64_t first, std::uint64_t seed, std::size_t blocks,
                  std::uint64_t* words) {
  std::size_t done =
      HWY_DYNAMIC_DISPATCH(philox_of)(first, seed, blocks, words);
  for (; done < blocks; ++done) {
    const auto two = philox(first + done, seed);
    words[2 * done] = two[0];
    words[2 * done + 1] = two[1];
  }
}

}  // namespace dropcheck::impl
#endif  // HWY_ONCE
