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

#include "bits.hpp"
#include "philox_rounds-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace dropcheck::impl::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

/// Words of 64 decisions that are made at a time.
constexpr std::size_t kMostWords = 8 * kMostLanes;

/// What is known of some decisions after the first planes of their words.
struct Known {
  HWY_ALIGN std::uint64_t kept[kMostWords];  ///< below the threshold
  HWY_ALIGN std::uint64_t open[kMostWords];  ///< equal to it so far
};

/// Compares one more bit of each word with that of the threshold. Returns
/// whether any decision is still open.
HWY_INLINE bool narrow(bool threshold_bit, const std::uint64_t* plane,
                       std::size_t words, Known& known) {
  const Wide d;
  auto left = hn::Zero(d);
  for (std::size_t i = 0; i < words; i += hn::Lanes(d)) {
    const auto bits = hn::Load(d, plane + i);
    const auto open = hn::Load(d, known.open + i);
    if (threshold_bit) {
      const auto kept = hn::Load(d, known.kept + i);
      hn::Store(hn::Or(kept, hn::AndNot(bits, open)), d, known.kept + i);
    }
    const auto still =
        threshold_bit ? hn::And(bits, open) : hn::AndNot(bits, open);
    hn::Store(still, d, known.open + i);
    left = hn::Or(left, still);
  }
  return !hn::AllTrue(d, hn::Eq(left, hn::Zero(d)));
}

/// Decides by planes from the highest bit on: `draw(j, bits)` writes plane j.
/// What equals the threshold in all its digits is not below it.
template <class Draw>
HWY_INLINE void decide_lot(std::uint64_t threshold, std::size_t words,
                           const Draw& draw, Known& known) {
  HWY_ALIGN std::uint64_t plane[kMostWords];
  std::fill_n(known.kept, words, 0);
  std::fill_n(known.open, words, ~std::uint64_t{0});
  for (std::uint32_t j = 0; threshold != 0; ++j, threshold <<= 1U) {
    draw(j, plane);
    if (!narrow(threshold >> 63U != 0, plane, words, known)) return;
  }
}

#if HWY_TARGET == HWY_SCALAR || HWY_TARGET == HWY_EMU128

// Without vectors nothing is gained by planes.
void decide_groups_of(const DecisionRule& rule, std::uint64_t first,
                      std::size_t groups, std::uint64_t* kept) {
  decide_groups_plainly(rule, first, groups, kept);
}

#else

/// Whole groups, four vectors of them at a time; what is past the last one is
/// made and forgotten.
void decide_groups_of(const DecisionRule& rule, std::uint64_t first,
                      std::size_t groups, std::uint64_t* kept) {
  const Wide d;
  const std::size_t lanes = hn::Lanes(d);
  const RoundKeys keys(rule.seed);
  Known known;
  HWY_ALIGN std::uint64_t ordered[kMostWords];
  for (std::size_t done = 0; done < groups; done += 4 * lanes) {
    const auto draw = [&](std::uint32_t j, std::uint64_t* plane) HWY_ATTR {
      philox_of_four(keys, first + done, j + 1,
                     [&](std::size_t v, Vector even, Vector odd) HWY_ATTR {
                       hn::Store(even, d, plane + 2 * v * lanes);
                       hn::Store(odd, d, plane + (2 * v + 1) * lanes);
                     });
    };
    decide_lot(rule.threshold, 8 * lanes, draw, known);
    for (std::size_t v = 0; v < 8; v += 2) {
      hn::StoreInterleaved2(hn::Load(d, known.kept + v * lanes),
                            hn::Load(d, known.kept + (v + 1) * lanes), d,
                            ordered + v * lanes);
    }
    std::copy_n(ordered, 2 * std::min(4 * lanes, groups - done),
                kept + 2 * done);
  }
}

#endif

/// Bit 63 - j of each word, 64 words a plane's word.
void plane_of(std::span<const std::uint64_t> words, std::uint32_t j,
              std::uint64_t* plane) {
  std::fill_n(plane, kMostWords, 0);
  for (std::size_t i = 0; i < words.size(); ++i) {
    plane[i / 64] |= (words[i] >> (63U - j) & 1U) << (i % 64);
  }
}

void decide_words_of(std::uint64_t threshold,
                     std::span<const std::uint64_t> words,
                     std::uint64_t* kept) {
  Known known;
  for (std::size_t done = 0; done < words.size(); done += 64 * kMostWords) {
    const auto part =
        words.subspan(done, std::min(64 * kMostWords, words.size() - done));
    decide_lot(
        threshold, kMostWords,
        [part](std::uint32_t j, std::uint64_t* plane) {
          plane_of(part, j, plane);
        },
        known);
    std::copy_n(known.kept, (part.size() + 63) / 64, kept + done / 64);
  }
  clear_past(words.size(), kept);
}

}  // namespace dropcheck::impl::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace dropcheck::impl {
namespace {

HWY_EXPORT(decide_groups_of);
HWY_EXPORT(decide_words_of);

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

}  // namespace dropcheck::impl
#endif  // HWY_ONCE
