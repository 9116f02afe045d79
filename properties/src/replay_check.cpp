// replay: masks are recomputed by the recipe that the subject declares, and
// compared bit for bit.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <string>
#include <vector>

#include "check_definition.hpp"
#include "context.hpp"
#include "dropcheck/impl/mask_replay.hpp"
#include "interruption.hpp"
#include "mask_stream.hpp"
#include "own_draws.hpp"
#include "replay_causes.hpp"

namespace dropcheck::properties {
namespace {

using impl::MaskRecipe;
using impl::MaskReplay;
using Words = std::vector<std::uint64_t>;

/// Seeds with two calls or more; the last of them has the long sequence.
constexpr std::uint64_t kSeeds = 6;
/// Calls after one reseed, and requests: an element a call would take for ever.
constexpr std::int64_t kMostCalls = 4096;
constexpr std::int64_t kElementsAtOnce = std::int64_t{1} << 20;

/// What a rule may round: at a tiny p the run's tolerance is less than any
/// grid of words has.
constexpr double kGrid = 0x1p-32;
/// Seeds that are tried to tell recipes apart.
constexpr double kMostSeeds = 0x1p16;

/// Elements to be drawn in all.
std::int64_t elements_for(Profile profile) {
  return by_profile<std::int64_t>(profile, std::int64_t{1} << 18,
                                  std::int64_t{1} << 22, std::int64_t{1} << 28);
}

/// Decisions that are recomputed to find one that tells recipes apart.
std::int64_t searched_for(Profile profile) {
  return by_profile<std::int64_t>(profile, std::int64_t{1} << 28,
                                  std::int64_t{1} << 28, std::int64_t{1} << 31);
}

/// Compares the masks of one layer with the recomputed ones.
class Comparison {
 public:
  explicit Comparison(const Context& context)
      : recipe_(*context.describe().recipe),
        drop_(context.config().drop_probability),
        source_(context, context.plan.shape),
        stream_(source_),
        expected_(words()),
        observed_(words()) {}

  bool readable() const { return source_.readable(); }
  std::size_t units() const {
    return static_cast<std::size_t>(source_.units());
  }
  std::int64_t elements() const {
    return std::max<std::int64_t>(1, source_.elements());
  }
  const StreamSource& source() const { return source_; }
  std::uint64_t masks() const { return masks_; }
  const std::optional<ReplayMismatch>& mismatch() const { return mismatch_; }

  /// False once a mask differs.
  bool holds(std::uint64_t seed, std::int64_t calls) {
    const std::int64_t at_once =
        std::clamp<std::int64_t>(kElementsAtOnce / elements(), 1, calls);
    stream_.reseed(seed);
    MaskReplay replay(recipe_, drop_, seed);
    std::size_t call = 0;
    const auto take = [&](const std::uint64_t* dropped) {
      compare(dropped, replay, seed, call++);
    };
    for (std::int64_t done = 0; done < calls && !mismatch_; done += at_once) {
      stream_.draw(std::min(at_once, calls - done), take);
    }
    return !mismatch_;
  }

 private:
  std::size_t words() const { return (units() + 63) / 64; }

  void compare(const std::uint64_t* dropped, MaskReplay& replay,
               std::uint64_t seed, std::size_t call) {
    if (mismatch_) return;
    replay.next(units(), expected_.data());
    for (std::size_t i = 0; i < expected_.size(); ++i) {
      observed_[i] = ~dropped[i];
    }
    if (units() % 64 != 0) {
      observed_.back() &= (std::uint64_t{1} << (units() % 64)) - 1;
    }
    ++masks_;
    if (observed_ == expected_) return;
    mismatch_ = {seed, call, units(), observed_, expected_};
  }

  MaskRecipe recipe_;
  double drop_;
  StreamSource source_;
  MaskStream stream_;
  Words expected_;
  Words observed_;
  std::uint64_t masks_ = 0;
  std::optional<ReplayMismatch> mismatch_;
};

/// A seed whose first mask is another one by `other`: the first of many that
/// are tried, if there is one.
std::optional<std::uint64_t> telling_seed(const Context& context,
                                          const MaskRecipe& other,
                                          std::size_t units) {
  const MaskRecipe& recipe = *context.describe().recipe;
  const double drop = context.config().drop_probability;
  const double gap = std::abs(impl::exact_drop(recipe, drop).value() -
                              impl::exact_drop(other, drop).value());
  const auto most = static_cast<double>(searched_for(context.plan.profile));
  const double tries = std::min(most / static_cast<double>(units), kMostSeeds);
  if (gap * tries * static_cast<double>(units) < 1) return std::nullopt;
  Words one((units + 63) / 64);
  Words two(one.size());
  for (std::uint64_t i = 0; i < static_cast<std::uint64_t>(tries); ++i) {
    if (i % 64 == 0) stop_if_interrupted(context);
    const std::uint64_t seed =
        distinct_seed(context.experiment, Stream::kReplay, kSeeds + i);
    MaskReplay(recipe, drop, seed).next(units, one.data());
    MaskReplay(other, drop, seed).next(units, two.data());
    if (one != two) return seed;
  }
  return std::nullopt;
}

/// Seeds that tell the recipe from those that nearly always decide alike.
std::vector<std::uint64_t> telling_seeds(const Context& context,
                                         std::size_t units) {
  const MaskRecipe& recipe = *context.describe().recipe;
  const double drop = context.config().drop_probability;
  const std::uint64_t first =
      distinct_seed(context.experiment, Stream::kReplay, 0);
  Words due((units + 63) / 64);
  Words mask(due.size());
  MaskReplay(recipe, drop, first).next(units, due.data());
  std::vector<std::uint64_t> seeds;
  for (const MaskRecipe& other : neighbours(recipe)) {
    MaskReplay(other, drop, first).next(units, mask.data());
    if (mask != due) continue;
    const auto seed = telling_seed(context, other, units);
    if (seed) seeds.push_back(*seed);
  }
  return seeds;
}

std::string sentence_of(const Context& context, const Comparison& comparison) {
  const ReplayMismatch& mismatch = *comparison.mismatch();
  const MaskRecipe& recipe = *context.describe().recipe;
  const std::size_t first = mismatch.first();
  const bool kept = (mismatch.observed[first / 64] >> (first % 64) & 1U) != 0;
  std::string place = fmt::format("unit {}", first);
  const StreamSource& source = comparison.source();
  if (source.units() == source.elements()) {
    place = place_of(static_cast<std::int64_t>(first), context.plan.shape);
  }
  const std::string words = impl::in_words(recipe);
  return fmt::format(
      "its mask is not that of {}, as declared: with seed {}, call {}, {} is "
      "{} "
      "and should be {} ({} of {} decisions differ){}",
      words.substr(0, words.find_first_of(",;")), mismatch.seed,
      mismatch.call + 1, place, kept ? "kept" : "dropped",
      kept ? "dropped" : "kept", mismatch.count(), mismatch.units,
      cause_of_mismatch(recipe, context.config().drop_probability, mismatch));
}

/// "drops exactly 838861/2^23 of all words, 0.1 + 2.4e-08".
std::string rate_words(const impl::DyadicFraction& dropped, double drop) {
  const double error = dropped.error(drop);
  std::string text = fmt::format("drops exactly {} of all words, {}",
                                 impl::to_string(dropped), drop);
  if (error != 0) {
    text += fmt::format(" {} {:.2g}", error > 0 ? '+' : '-', std::abs(error));
  }
  return text;
}

Finding check_replay(const Context& context) {
  Finding finding = start_finding(context, "replay");
  const MaskRecipe& recipe = *context.describe().recipe;
  const double drop = context.config().drop_probability;
  Comparison comparison(context);
  if (!comparison.readable()) {
    leave_open(finding, "its results show no mask to compare");
    return finding;
  }
  const auto seed = [&](std::uint64_t index) {
    return distinct_seed(context.experiment, Stream::kReplay, index);
  };
  const std::int64_t budget = std::max<std::int64_t>(
      2, elements_for(context.plan.profile) / comparison.elements());
  const std::int64_t few = std::clamp<std::int64_t>(budget / 16, 2, kMostCalls);
  std::uint64_t seeds = 0;
  bool holds = comparison.holds(0, few);
  for (; holds && seeds < kSeeds; ++seeds) {
    const bool last = seeds + 1 == kSeeds;
    holds = comparison.holds(
        seed(seeds),
        last ? std::clamp<std::int64_t>(budget, 2, kMostCalls) : few);
  }
  std::vector<std::uint64_t> telling;
  // Generated cases are for odd shapes: the others tell recipes apart.
  if (holds && !context.plan.generated) {
    telling = telling_seeds(context, comparison.units());
  }
  for (std::size_t i = 0; holds && i < telling.size(); ++i) {
    holds = comparison.holds(telling[i], 1);
  }
  finding.calls = comparison.masks();
  finding.n = comparison.masks() * comparison.units();
  if (!holds) {
    refute(finding, sentence_of(context, comparison));
    return finding;
  }
  const impl::DyadicFraction dropped = impl::exact_drop(recipe, drop);
  finding.quantity = "drop probability of the recipe";
  finding.expected = drop;
  finding.observed = dropped.value();
  const std::string rate = rate_words(dropped, drop);
  if (std::abs(dropped.error(drop)) > std::max(context.plan.delta, kGrid)) {
    refute(finding, fmt::format("its masks are those of the declared recipe, "
                                "but that {}",
                                rate));
    return finding;
  }
  certify(finding,
          fmt::format("every mask is the recomputed one, bit for bit; the "
                      "recipe {}",
                      rate),
          fmt::format("the mask is that of {}: {} masks of {} decisions, by {} "
                      "seeds{}",
                      impl::in_words(recipe), comparison.masks(),
                      comparison.units(), 1 + seeds + telling.size(),
                      telling.empty()
                          ? ""
                          : fmt::format(", {} of them chosen because recipes "
                                        "that differ in one part decide "
                                        "otherwise there",
                                        telling.size())));
  return finding;
}

std::string_view no_mask(const impl::Law& law) {
  if (law.factor != impl::Factor::kMask) return "nothing is dropped: no mask";
  return law.unit == impl::Unit::kBlock
             ? "many decisions make one element: its blocks overlap"
             : "";
}

std::string_view left_out(const PlannedConfiguration& planned,
                          const Occasion& occasion) {
  if (!occasion.recipe) return "no recipe of its masks is declared";
  if (!occasion.reseed) return "the layer cannot be reseeded";
  // At 0 and 1 nothing need be drawn.
  return planned.rate <= 0 || planned.rate >= 1 ? "nothing is random there"
                                                : "";
}

void plan_replay(const PlannedConfiguration& planned, const Settings&, double,
                 PlannedCheck& check) {
  check.detectable =
      "any decision that is not the declared recipe's, among those compared";
  check.elements = 1.4 * static_cast<double>(elements_for(planned.profile));
}

}  // namespace

constinit const CheckDefinition replay_check{
    .info = {"replay", Evidence::kDeterministic,
             "every mask is the one that the declared generator and rule give",
             "Where a subject declares how its masks follow from a seed (a "
             "recipe: MT19937 as PyTorch's, PCG64 as NumPy's, Threefry as "
             "JAX's, Philox; which bits of which words, held against p how), "
             "masks are recomputed and compared bit for bit: the first call "
             "after a reseed, later ones, and calls by seeds that are searched "
             "for because a recipe that differs in one part (a threshold "
             "rounded to f32) decides otherwise there. The drop probability is "
             "then the recipe's, an exact fraction, and must be within the "
             "run's tolerance.",
             "False alarm: none, no chance is involved. False pass: a mask "
             "that was not compared.",
             "faulty:replay_one_word_late"},
    .from_calls = check_replay,
    .takes_chance = false,
    .not_applicable = no_mask,
    .left_out = left_out,
    .plan = plan_replay};

}  // namespace dropcheck::properties
