// Compiled once per instruction set by Highway; the best one is chosen when
// the program runs.

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "philox.cpp"
#include "philox.hpp"

#include <Random123/philox.h>
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include <algorithm>
#include <array>

#include "bits.hpp"
#include "philox_rounds-inl.hpp"

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

/// All whole groups of four vectors, whose counters must have one upper half.
/// Returns the number of counter values done.
std::size_t philox_of(std::uint64_t first, std::uint64_t seed,
                      std::size_t blocks, std::uint64_t* words) {
  const std::size_t lanes = hn::Lanes(Wide());
  const RoundKeys keys(seed);
  const SharedRounds shared(seed, static_cast<std::uint32_t>(first >> 32U), 0);
  const Vector order = counter_order();
  std::size_t done = 0;
  for (; done + 4 * lanes <= blocks; done += 4 * lanes) {
    std::uint64_t* const out = words + 2 * done;
    philox_of_next(keys, shared, order, first + done,
                   [&](std::size_t v, Vector even, Vector odd) HWY_ATTR {
                     store_pairs(even, odd, out + 2 * v * lanes);
                   });
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
  for (std::size_t done = 0; done < blocks;) {
    const std::uint64_t next = first + done;
    const std::size_t part =
        std::min(blocks - done, counters_of_one_half(next));
    const std::size_t end = done + part;
    done += HWY_DYNAMIC_DISPATCH(philox_of)(next, seed, part, words + 2 * done);
    for (; done < end; ++done) {
      const auto two = philox(first + done, seed);
      words[2 * done] = two[0];
      words[2 * done + 1] = two[1];
    }
  }
}

}  // namespace dropcheck::impl
#endif  // HWY_ONCE
