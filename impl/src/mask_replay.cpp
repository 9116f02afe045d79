#include "dropcheck/impl/mask_replay.hpp"

#include <algorithm>

#include "bits.hpp"
#include "decisions.hpp"
#include "replay_words.hpp"

namespace dropcheck::impl {
namespace {

constexpr std::size_t kDecisionsAtOnce = 4096;

std::uint64_t taken_bits(const MaskRecipe& recipe, std::uint64_t seed) {
  return seed & lowest(static_cast<std::size_t>(recipe.seed_bits));
}

NumberRule number_rule(const MaskRecipe& recipe, std::uint64_t threshold) {
  return {recipe.words, recipe.high_word_first, recipe.bits, recipe.high_bits,
          threshold};
}

std::size_t words_for(std::size_t units) { return (units + 63) / 64; }

}  // namespace

MaskReplay::MaskReplay(const MaskRecipe& recipe, double drop,
                       std::uint64_t seed)
    : MaskReplay(recipe, kept_range(recipe, drop), seed) {}

MaskReplay::MaskReplay(const MaskRecipe& recipe, KeptRange range,
                       std::uint64_t seed)
    : recipe_(recipe),
      range_(range),
      seed_(taken_bits(recipe, seed)),
      key_(seed_) {
  require_possible(recipe);
  calls_ = recipe.first_call;
  if (recipe.folded_key) {
    key_ = threefry(seed_ & 0xffffffffU, seed_ >> 32U);
  }
  if (recipe.calls != CallWords::kContinue) return;
  if (recipe.generator == WordGenerator::kPhiloxPlanes) return;
  words_ = words_of(recipe.generator, seed_);
  for (std::uint64_t left = recipe.offset; left > 0;) {
    const std::uint64_t some =
        std::min<std::uint64_t>(left, ReplayWords::kMost);
    words_->take(static_cast<std::size_t>(some));
    left -= some;
  }
}

MaskReplay::~MaskReplay() = default;
MaskReplay::MaskReplay(MaskReplay&&) noexcept = default;
MaskReplay& MaskReplay::operator=(MaskReplay&&) noexcept = default;

void MaskReplay::begin_call(std::size_t units) {
  const std::uint64_t call = calls_++;
  if (recipe_.calls == CallWords::kContinue) return;
  std::uint64_t used = 0;
  if (recipe_.calls == CallWords::kSplit) {
    used = threefry_split(key_, 1, recipe_.by_counter);
    key_ = threefry_split(key_, 0, recipe_.by_counter);
  } else {
    used = threefry(key_, call);
  }
  words_ = threefry_words(used, units, recipe_.by_counter);
}

/// Groups of decisions at the beginning of a seed that are made by their
/// definition.
static constexpr std::uint64_t kPlainly = 64;

static void decide(const DecisionRule& rule, std::uint64_t first,
                   std::size_t groups, std::uint64_t* kept) {
  const std::size_t plain =
      first >= kPlainly
          ? 0
          : std::min(groups, static_cast<std::size_t>(kPlainly - first));
  decide_groups_plainly(rule, first, plain, kept);
  decide_groups(rule, first + plain, groups - plain, kept + 2 * plain);
}

/// Small calls share a group: what was decided for the one before stays.
const std::uint64_t* MaskReplay::groups_from(std::uint64_t first,
                                             std::size_t groups) {
  const std::size_t held = planes_.size() / 2;
  if (first >= first_plane_ && first + groups <= first_plane_ + held) {
    return planes_.data() + 2 * (first - first_plane_);
  }
  // Vectors decide as many at once, asked for or not.
  constexpr std::size_t kTogether = kDecisionsAtOnce / kDecisionsPerGroup;
  if (first >= kPlainly) groups = std::max(groups, kTogether);
  planes_.resize(2 * groups + 1);
  decide({seed_, range_.threshold}, first, groups, planes_.data());
  first_plane_ = first;
  return planes_.data();
}

void MaskReplay::next_planes(std::size_t units, std::uint64_t* kept) {
  for (std::size_t done = 0; done < units; done += kDecisionsAtOnce) {
    const std::size_t part = std::min(kDecisionsAtOnce, units - done);
    const std::uint64_t first = decided_ / kDecisionsPerGroup;
    const std::size_t shift = decided_ % kDecisionsPerGroup;
    const std::size_t groups =
        (shift + part + kDecisionsPerGroup - 1) / kDecisionsPerGroup;
    copy_words(groups_from(first, groups), shift, words_for(part),
               kept + done / 64);
    decided_ += part;
  }
  if (range_.all) std::fill_n(kept, words_for(units), ~std::uint64_t{0});
  clear_past(units, kept);
}

void MaskReplay::next(std::size_t units, std::uint64_t* kept) {
  if (recipe_.generator == WordGenerator::kPhiloxPlanes) {
    return next_planes(units, kept);
  }
  begin_call(units);
  const NumberRule rule = number_rule(recipe_, range_.threshold);
  const auto width = static_cast<std::size_t>(recipe_.words);
  for (std::size_t done = 0; done < units; done += kDecisionsAtOnce) {
    const std::size_t part = std::min(kDecisionsAtOnce, units - done);
    const std::uint32_t* words = words_->take(part * width);
    numbers_below(rule, words, part, kept + done / 64);
  }
  const std::uint64_t turned = range_.below ? 0 : ~std::uint64_t{0};
  for (std::size_t i = 0; i < words_for(units); ++i) {
    kept[i] = (range_.all ? ~std::uint64_t{0} : kept[i]) ^ turned;
  }
  clear_past(units, kept);
}

std::vector<std::uint64_t> MaskReplay::next_values(std::size_t units) {
  std::vector<std::uint64_t> values;
  if (recipe_.generator == WordGenerator::kPhiloxPlanes) return values;
  begin_call(units);
  const NumberRule rule = number_rule(recipe_, 0);
  const auto width = static_cast<std::size_t>(recipe_.words);
  values.reserve(units);
  for (std::size_t i = 0; i < units; ++i) {
    values.push_back(number_of(rule, words_->take(width)));
  }
  return values;
}

}  // namespace dropcheck::impl
