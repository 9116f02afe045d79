// special_values: zeros of both signs, NaN, infinities, subnormal and large
// numbers, kept and dropped.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "check_definition.hpp"
#include "context.hpp"
#include "dropcheck/impl/block_law.hpp"
#include "form_trial.hpp"
#include "own_draws.hpp"
#include "special_rounds.hpp"

namespace dropcheck::properties {
namespace {

/// A kind of value is not seen kept, or not dropped, with probability at most
/// e^-40.
constexpr double kSurely = 40;
constexpr std::int64_t kMostElements = std::int64_t{1} << 23;

/// Rounds that a right layer needs with probability at most e^-40 for each
/// kind: each comes to an element in one round of 24, and to a unit as often.
double rounds_needed(const PlannedConfiguration& planned) {
  const double p = planned.rate;
  const double per_decision = -std::log1p(-std::min(p, 1 - p));
  const double units =
      std::max<double>(1, static_cast<double>(planned.units_per_call) / 24);
  return 24 + 24 * kSurely / per_decision / units;
}

std::uint64_t most_rounds(const Context& context) {
  const double rounds = rounds_needed(context.plan);
  const double affordable = static_cast<double>(kMostElements) /
                            static_cast<double>(std::max<std::int64_t>(
                                1, context.inputs.base.size()));
  return static_cast<std::uint64_t>(std::ceil(std::min(rounds, affordable)));
}

/// Where the mask is not known: kinds that are never kept, or never dropped.
bool refute_one_sided(Finding& finding, const Context& context,
                      const SpecialRounds& specials) {
  for (std::size_t k = 0; k < kSpecials; ++k) {
    const Seen& seen = specials.seen()[k];
    const bool never_kept = seen.kept == 0;
    if (seen.decisions == 0 || (!never_kept && seen.dropped > 0)) continue;
    const double p = context.p0();
    const double log_chance = static_cast<double>(seen.decisions) *
                              (never_kept ? std::log(p) : std::log1p(-p));
    const double log_tries = std::log(2.0 * kSpecials);
    if (refute_by_e_value(
            finding, context, -log_chance - log_tries,
            fmt::format("{} is never {} in {} decisions",
                        name_of(static_cast<Special>(k)),
                        never_kept ? "kept" : "dropped", seen.decisions))) {
      return true;
    }
  }
  return false;
}

void certify_specials(Finding& finding, const Context& context,
                      const SpecialRounds& specials) {
  std::uint64_t kept = 0;
  std::uint64_t dropped = 0;
  for (const Seen& seen : specials.seen()) {
    kept += seen.kept;
    dropped += seen.dropped;
  }
  if (specials.unknown()) {
    certify(finding, "NaN, infinities and zeros stay so, or are dropped",
            fmt::format("on {} special values; what others are multiplied by "
                        "is not known without a seed",
                        kept));
    return;
  }
  const bool noise = context.law().factor == impl::Factor::kNormal;
  const bool nan =
      context.law().options.dropped_nonfinite == impl::DroppedNonFinite::kNaN;
  certify(
      finding,
      noise ? "special values are multiplied as IEEE arithmetic has it"
            : fmt::format("special values are kept as IEEE arithmetic has it, "
                          "and dropped to the fill value{}",
                          nan ? " (NaN and infinity to NaN, as declared)" : ""),
      noise ? fmt::format("on {} special values", kept)
            : fmt::format("on {} special values that were kept and {} that "
                          "were dropped; others stayed as they are",
                          kept, dropped));
}

}  // namespace

static Finding check_special_values(const Context& context) {
  Finding finding = start_finding(context, "special_values");
  const MaskReader& reader = *context.reader;
  const bool fixed = context.law().factor == impl::Factor::kMask &&
                     !impl::measures_scale(context.law(), context.config());
  if (!reader.readable() || (fixed && !reader.exact() && !reader.straight())) {
    leave_open(finding, "ordinary values follow no rule: see support");
    return finding;
  }
  SpecialRounds specials(context, finding);
  const bool known = context.describe().reseed;
  const std::uint64_t most = most_rounds(context);
  for (std::uint64_t round = 0; round < most; ++round) {
    // All kinds have come after 24 rounds, or after one of a large tensor.
    const bool came = round >= 24 || context.inputs.base.size() >= 512;
    if (round > 0 && came && specials.saw_all()) break;
    if (!(known ? specials.reseeded_round(round)
                : specials.blind_round(round))) {
      specials.open() ? leave_open(finding, *specials.sentence())
                      : refute(finding, *specials.sentence());
      return finding;
    }
  }
  if (const auto words = sentence_of(specials.wrong())) {
    refute(finding, *words);
  } else if (known || specials.unknown() ||
             !refute_one_sided(finding, context, specials)) {
    if (specials.saw_all()) {
      certify_specials(finding, context, specials);
    } else {
      leave_open(finding, fmt::format("{} calls hold special values that were "
                                      "never dropped, or never kept",
                                      finding.calls));
    }
  }
  return finding;
}

namespace {

/// Calls of a generated configuration: made one by one.
constexpr double kMostCalls = 4000;

void plan_special_values(const PlannedConfiguration& planned, const Settings&,
                         double, PlannedCheck& check) {
  if (!planned.generated) return;
  const double calls = 3 * rounds_needed(planned);
  if (calls > kMostCalls) {
    check.undecidable = fmt::format(
        "may take {:.2g} calls for each kind of value to be kept and dropped",
        calls);
  }
  check.elements = calls * output_elements(planned, planned.shape);
}

}  // namespace

constinit const CheckDefinition special_values_check{
    .info = {"special_values", Evidence::kDeterministic,
             "NaN, infinities, zeros, subnormal and large numbers are kept and "
             "dropped like others",
             "Two calls with one seed, on ordinary numbers and with special "
             "ones among them: the first shows the mask. A kept value must be "
             "what IEEE arithmetic makes of it (NaN, infinity with its sign, "
             "zero with its sign, subnormal, overflow), a dropped one the fill "
             "value with a plus sign, and ordinary ones must not change. What "
             "0 * x gives instead is right where it is declared "
             "(dropped_nonfinite = nan, dropped_zero = signed). Without "
             "reseeding each value must be a kept or a dropped one, and each "
             "kind must be seen as both. At the first drop probability.",
             "False alarm: none where the layer can be reseeded; else at most "
             "weight * alpha, the chance that a kind is never dropped or never "
             "kept. False pass: what is not among the kinds and places tried; "
             "the finding says how many were kept and dropped.",
             "faulty:nan_counted_as_dropped"},
    .from_calls = check_special_values,
    .knows_limits = true,
    .left_out = not_first_probability,
    .plan = plan_special_values};

}  // namespace dropcheck::properties
