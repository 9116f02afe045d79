// long_stream: one sequence that is never reseeded (STATISTICS 2.f 5). Only
// there drift, wraps of counters and long lags can be seen.
#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <vector>

#include "block_correlation.hpp"
#include "check_definition.hpp"
#include "claim_parts.hpp"
#include "context.hpp"
#include "detection.hpp"
#include "drift_counter.hpp"
#include "dropcheck/impl/random_stream.hpp"
#include "dropcheck/stats/granularity.hpp"
#include "long_stream_plan.hpp"
#include "mask_fingerprint.hpp"
#include "mask_kernels.hpp"
#include "mask_sample.hpp"
#include "mask_stream.hpp"
#include "own_draws.hpp"
#include "stream_history.hpp"
#include "structure_evidence.hpp"

namespace dropcheck::properties {
namespace {

constexpr std::int64_t kBatch = std::int64_t{1} << 20;  ///< decisions

/// What is counted while the sequence goes by.
class StreamCounts {
 public:
  StreamCounts(const LongStreamPlan& plan, double p0)
      : plan_(plan),
        drift_(plan.calls, plan.units),
        history_(plan.calls, plan.units),
        lags_(static_cast<std::size_t>(plan.block_bits),
              static_cast<std::size_t>(plan.lag_blocks)),
        repeats_(plan.repeats, p0) {}

  void add_call(const std::uint64_t* words) {
    drift_.add(
        popcount(words, static_cast<std::size_t>((plan_.units + 63) / 64)));
    history_.add(words);
    pending_.append(words, plan_.units);
    if (pending_.bits() >= kBatch) take_pending();
  }

  void finish() { take_pending(); }

  const DriftCounter& drift() const { return drift_; }
  const StreamHistory& history() const { return history_; }
  std::vector<stats::ShiftCounts> lags() { return lags_.lags(); }
  const std::optional<Repeat>& repeat() const { return repeats_.found(); }

 private:
  /// Whole blocks go to the transforms, and all whole words to the search.
  void take_pending() {
    const auto block_words = static_cast<std::size_t>(plan_.block_bits / 64);
    const auto words = pending_.whole_words();
    const bool correlates = blocks_ < plan_.blocks;
    std::size_t count = correlates ? 0 : words.size();
    while (blocks_ < plan_.blocks && count + block_words <= words.size()) {
      lags_.add(words.data() + count);
      count += block_words;
      ++blocks_;
    }
    repeats_.add(words.first(count));
    pending_.drop_front(count);
    if (correlates && blocks_ == plan_.blocks) take_pending();
  }

  const LongStreamPlan& plan_;
  DriftCounter drift_;
  StreamHistory history_;
  LagCounter lags_;
  RepeatSearch repeats_;
  BitSequence pending_;
  std::int64_t blocks_ = 0;
};

/// The short calls: masks that return whole.
struct MaskCounts {
  std::uint64_t telling = 0;  ///< masks with drops and keeps enough
  Duplicates duplicates;
  std::pair<std::int64_t, std::int64_t> calls;  ///< of the first pair
};

MaskCounts count_masks(const Context& context, const LongStreamPlan& plan) {
  const StreamSource source(context, plan.mask_shape);
  MaskStream stream(source);
  stream.reseed(stream_seed(context.experiment, Stream::kLongStream, 1));
  const Fingerprinter fingerprinter(
      stream_seed(context.experiment, Stream::kLongStream, 2));
  const auto words = static_cast<std::size_t>((plan.mask_units + 63) / 64);
  const double drops_due = context.p0() * static_cast<double>(plan.mask_units);
  const double keeps_due = static_cast<double>(plan.mask_units) - drops_due;
  std::vector<Fingerprint> prints;
  std::vector<std::int64_t> numbers;
  std::int64_t call = -1;
  stream.draw(plan.masks, [&](const std::uint64_t* mask) {
    ++call;
    const auto drops = static_cast<double>(popcount(mask, words));
    // A layer that drops nothing is not called a repetition.
    if (drops < drops_due / 4 ||
        static_cast<double>(plan.mask_units) - drops < keeps_due / 4) {
      return;
    }
    prints.push_back(fingerprinter.of(mask, words));
    numbers.push_back(call);
  });
  MaskCounts counts;
  counts.telling = prints.size();
  counts.duplicates = find_duplicates(prints);
  if (counts.duplicates.first) {
    const auto [a, b] = *counts.duplicates.first;
    counts.calls = {numbers[a], numbers[b]};
  }
  return counts;
}

ClaimPart drift_part(const StreamCounts& counts, const Context& context) {
  const DriftCounter::Standout odd = counts.drift().standout(context.p0());
  return {counts.drift().log_e_value(context.p0()),
          fmt::format("the drop rate drifts while the layer is used: {} drop{} "
                      "at {:.5g}, all calls together at {:.5g}",
                      odd.calls, odd.calls.starts_with("calls") ? "" : "s",
                      rate_of(odd.counts), rate_of(odd.all)),
          false,
          "drop rate of " + odd.calls,
          rate_of(odd.all),
          rate_of(odd.counts)};
}

/// How often a decision would have to be that of so many before.
std::string repetition_words(const PairCounts& pairs, std::size_t lag) {
  const double p = rate_of({pairs.later, pairs.pairs});
  const double share = (rate_of(pairs.after_drop()) - p) / (1 - p);
  if (!(share > 0)) return ": a drop makes the other one less likely";
  return fmt::format(
      ": as if a decision repeated the one {} before with probability {:.2g}",
      lag, share);
}

ClaimPart lag_part(StreamCounts& counts, const Context& context) {
  const std::vector<stats::ShiftCounts> lags = counts.lags();
  const stats::ShiftEvidence evidence = stats::shift_evidence(
      lags, context.p0(), kAnyRate, context.log_threshold("long_stream"));
  const stats::ShiftCounts& worst = lags.at(evidence.strongest);
  const PairCounts pairs{worst.pairs, worst.earlier, worst.later, worst.both};
  return {evidence.log_e,
          fmt::format("decisions {} apart in one sequence {}{}",
                      evidence.strongest + 1, dependence_words(pairs),
                      repetition_words(pairs, evidence.strongest + 1)),
          false,
          "drop rate after a drop",
          rate_of({pairs.later, pairs.pairs}),
          rate_of(pairs.after_drop())};
}

/// A distance at which all returns: a power of two is a counter's.
std::string period_words(std::int64_t period, std::string_view what) {
  if (!std::has_single_bit(static_cast<std::uint64_t>(period))) {
    return fmt::format(": it begins again after {} {}", period, what);
  }
  return fmt::format(": a counter of {} wraps at 2^{}", what,
                     std::countr_zero(static_cast<std::uint64_t>(period)));
}

/// What returns nearer than it lies from the beginning is no period.
std::string overlap_words(const Repeat& repeat, const StreamHistory& history) {
  const std::int64_t distance = repeat.later - repeat.earlier;
  const auto counter = history.counter();
  if (repeat.earlier < distance) {
    return period_words(distance, "decisions") +
           (counter ? ", and " + *counter : "");
  }
  if (counter) return ": " + *counter;
  return fmt::format(
      ": after about {} decisions the stream goes back by {}, so that its "
      "parts "
      "overlap",
      repeat.later, distance);
}

ClaimPart repeat_part(const StreamCounts& counts, const Context& context,
                      const LongStreamPlan& plan) {
  ClaimPart part;
  part.exact = true;
  if (!counts.repeat()) return part;
  part.log_e = -plan.repeats.log_chance(plan.decisions(), context.p0());
  const Repeat& repeat = *counts.repeat();
  const std::int64_t distance = repeat.later - repeat.earlier;
  part.sentence =
      distance % plan.units == 0
          ? fmt::format("call {} repeats call {}{}", repeat.later / plan.units,
                        repeat.earlier / plan.units,
                        period_words(distance / plan.units, "calls"))
          : fmt::format(
                "the stream repeats itself: decisions from {} on are those "
                "from {} on again, {} later{}",
                repeat.later, repeat.earlier, distance,
                overlap_words(repeat, counts.history()));
  return part;
}

ClaimPart mask_part(const MaskCounts& counts, const Context& context,
                    const LongStreamPlan& plan) {
  ClaimPart part;
  part.exact = true;
  if (counts.duplicates.pairs == 0) return part;
  const auto masks = static_cast<double>(plan.masks);
  const double log_pairs = 2 * std::log(masks) - std::log(2);
  part.log_e = -log_pairs -
               stats::log_chance_identical(
                   context.p0(), static_cast<std::uint64_t>(plan.mask_units));
  const auto telling = static_cast<double>(counts.telling);
  const std::int64_t distance = counts.calls.second - counts.calls.first;
  const auto masks_seen = static_cast<std::int64_t>(counts.telling);
  std::int64_t in_turn = 0;  // pairs, if so many masks took turns
  for (std::int64_t lag = distance; lag < masks_seen; lag += distance) {
    in_turn += masks_seen - lag;
  }
  const auto pairs = static_cast<double>(counts.duplicates.pairs);
  const bool turns = pairs > 0.9 * static_cast<double>(in_turn);
  part.sentence = fmt::format(
      "masks return: call {} has the mask of call {}; {} of {:.3g} pairs of "
      "calls agree: {}",
      counts.calls.second, counts.calls.first, counts.duplicates.pairs,
      telling * telling / 2,
      turns ? fmt::format("the same {} masks take turns for ever", distance)
            : fmt::format("calls choose at random among about {:.2g} masks",
                          telling * telling / 2 / pairs));
  return part;
}

std::string reach_words(const LongStreamPlan& plan) {
  if (plan.decisions() >= plan.wanted) return "";
  return fmt::format(" (reaches {:.2g} of the {:.2g} decisions of the profile)",
                     static_cast<double>(plan.decisions()),
                     static_cast<double>(plan.wanted));
}

std::string bound_words(const Finding& finding, const LongStreamPlan& plan) {
  return fmt::format(
      "in one sequence of {} decisions and {} calls, never reseeded{}, each of "
      "these would have been refuted with probability 1 - 1e-9: {}",
      plan.decisions(), plan.calls, reach_words(plan), finding.detectable);
}

/// Of a rate or a lag; a repetition has its cause in its words.
std::optional<std::string> why(const Finding& finding,
                               const StreamCounts& counts) {
  if (finding.quantity.empty()) return std::nullopt;
  if (auto words = counts.history().counter()) return words;
  if (!finding.quantity.starts_with("drop rate of")) return std::nullopt;
  return counts.history().drift();
}

LongStreamPlan plan_of(const Context& context) {
  return make_long_stream_plan(context.plan, context.settings.profile,
                               context.log_threshold("long_stream"),
                               context.planned("long_stream")->reduced_n);
}

/// Returns whether the sequence was drawn to its end.
bool draw_sequence(const Context& context, const LongStreamPlan& plan,
                   StreamCounts& counts) {
  const StreamSource source(context, plan.shape);
  MaskStream stream(source);
  stream.reseed(stream_seed(context.experiment, Stream::kLongStream));
  const std::int64_t step =
      std::max<std::int64_t>(1, (std::int64_t{1} << 24) / plan.units);
  for (std::int64_t done = 0; done < plan.calls; done += step) {
    if (context.interrupted && context.interrupted()) return false;
    stream.draw(std::min(step, plan.calls - done),
                [&](const std::uint64_t* mask) { counts.add_call(mask); });
  }
  counts.finish();
  return true;
}

}  // namespace

static Finding check_long_stream(const Context& context) {
  Finding finding = start_finding(context, "long_stream");
  const LongStreamPlan plan = plan_of(context);
  if (plan.repeats.window == 0) {
    leave_open(finding,
               "too many decisions are needed to tell runs of them apart at "
               "this drop probability");
    return finding;
  }
  StreamCounts counts(plan, context.p0());
  if (!draw_sequence(context, plan, counts)) {
    finding.verdict = Verdict::kNotRun;
    finding.sentence = "interrupted before the sequence was drawn";
    return finding;
  }
  std::vector<ClaimPart> parts{drift_part(counts, context),
                               lag_part(counts, context),
                               repeat_part(counts, context, plan)};
  if (plan.masks > 0) {
    parts.push_back(mask_part(count_masks(context, plan), context, plan));
  }
  finding.calls = static_cast<std::uint64_t>(plan.calls + plan.masks);
  finding.n = static_cast<std::uint64_t>(plan.decisions() +
                                         plan.masks * plan.mask_units);
  if (refute_by_parts(finding, context, parts)) {
    add_cause(finding, [&] { return why(finding, counts); });
    return finding;
  }
  certify(finding,
          "one sequence neither drifts nor repeats itself, and no lag in it "
          "shows dependence",
          bound_words(finding, plan));
  return finding;
}

namespace {

/// Elements of a layer that take as long as a decision of the transforms.
constexpr double kTransformElements = 12;

void plan_long_stream(const PlannedConfiguration& planned,
                      const Settings& settings, double threshold,
                      PlannedCheck& check) {
  if (check.reduced_n == 0) {
    check.reduced_n = affordable_decisions(planned, settings.profile);
  }
  const LongStreamPlan plan = make_long_stream_plan(planned, settings.profile,
                                                    threshold, check.reduced_n);
  const double p = planned.config.drop_probability;
  const auto n = static_cast<double>(plan.decisions());
  const auto correlated = static_cast<double>(plan.blocks * plan.block_bits);
  const double share = threshold + std::log(plan.parts());
  const double divisions = std::log(2 + std::log2(plan.calls));
  check.detectable_effect = two_digits(
      detectable_z(share + divisions, mixture_overhead(n) + kSegments) *
      std::sqrt(p * (1 - p) * kSegments / n));
  const double lags = std::log(static_cast<double>(plan.longest_lag()));
  check.detectable = fmt::format(
      "a rate off by {:.2g} in one of 16 parts of a sequence of {:.2g} "
      "decisions, a correlation of {:.2g} at any one lag up to {}, a run of {} "
      "decisions that returns",
      check.detectable_effect, n,
      two_digits(detectable_z(share + lags, mixture_overhead(correlated)) /
                 std::sqrt(correlated)),
      plan.longest_lag(), plan.run);
  if (plan.masks > 0) {
    check.detectable +=
        fmt::format(", or fewer than {:.2g} masks that return at random",
                    std::pow(static_cast<double>(plan.masks), 2) / 41.4);
  }
  check.expected_n = check.worst_n =
      n + static_cast<double>(plan.masks * plan.mask_units);
  check.elements = check.worst_n + kTransformElements * correlated;
}

}  // namespace

constinit const CheckDefinition long_stream_check{
    .info =
        {"long_stream", Evidence::kStatistical,
         "one sequence of calls, never reseeded, neither drifts nor repeats",
         "After one seed, in one sequence: the rate in 16 parts in time, by "
         "powers of two and by each bit of the call's number; the joint drops "
         "at every lag, counted exactly by Fourier transforms; a run of "
         "decisions that returns at any distance and shift; and, in a second "
         "sequence of short calls, masks that return whole. Each has an equal "
         "share of the claim. In one configuration a subject.",
         kByEValue, "faulty:counter_wraps_at_2_16"},
    .from_calls = check_long_stream,
    .not_applicable = overlapping_blocks,
    .left_out = not_once,
    .plan = plan_long_stream};

}  // namespace dropcheck::properties
