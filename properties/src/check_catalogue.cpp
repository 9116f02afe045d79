#include "dropcheck/properties/check_catalogue.hpp"

#include <array>

namespace dropcheck::properties {
namespace {

constexpr std::string_view kNoChance =
    "False alarm: none, no chance is involved. False pass: what is not among "
    "the cases listed in the finding.";
constexpr std::string_view kByEValue =
    "False alarm: at most weight * alpha, by Ville's inequality; the whole run "
    "at most alpha. False pass: a certificate is wrong with probability at "
    "most alpha; the finding names the effect it would have caught.";

constexpr std::array<CheckInfo, 15> kChecks{{
    {"support", Evidence::kDeterministic,
     "every value is exactly the kept or the dropped one",
     "The rounding model that gives every kept value bit for bit is found by "
     "search: the scale rounded to double, float or the dtype, multiplied or "
     "divided, fused or not. Each value of every call drawn is then compared "
     "bit for bit. A layer whose values are close, but follow no model, passes "
     "within two units of the last place and the finding says so.",
     kNoChance, "faulty:no_scale"},
    {"granularity", Evidence::kDeterministic,
     "elements share a decision exactly where the law says",
     "Each element's decisions over T calls are its signature. Elements of one "
     "unit must have one signature; two units have the same by chance with "
     "probability (p^2 + q^2)^T, and T is chosen so that this stays below the "
     "claim's share over all pairs. The partition that is found names the "
     "unit.",
     "False alarm: at most weight * alpha, the chance of equal signatures over "
     "all pairs; none where elements of a unit differ. False pass: dependence "
     "short of equality, which the independence checks see.",
     "faulty:channel_as_element"},
    {"drop_rate", Evidence::kStatistical,
     "the drop probability is the specified one",
     "Beta-binomial mixture martingale with a prior around the specified rate. "
     "Certified if its confidence sequence lies within delta of the specified "
     "rate, refuted if it excludes the declared rate (within 2^-24) at the "
     "claim's own share. Looks are scheduled at a factor 1.02.",
     kByEValue, "faulty:drops_nothing"},
    {"expectation", Evidence::kStatistical,
     "E[y] = x under 1/keep scaling (the law's mean in general)",
     "The mean is an exact function of the drop rate and of the kept and "
     "dropped values, which are known bit for bit. The drop rates at which the "
     "mean is right, up to delta and the rounding of the scale to the dtype, "
     "form an interval: its e-value decides.",
     kByEValue, "faulty:double_scale"},
    {"moments", Evidence::kStatistical,
     "variance (and, shown beside it, skewness and kurtosis) as the law gives",
     "The variance is p * q times the squared gap between kept and dropped "
     "value. The drop rates at which it is right form an interval: its e-value "
     "decides. Sampled mean, variance, skewness and kurtosis on a planned "
     "prefix, one value a unit, are shown with their exact standard errors; "
     "they never decide.",
     kByEValue, "faulty:scale_by_p"},
    {"unit_counts", Evidence::kStatistical,
     "drops per group follow the binomial law",
     "Counts of drops in groups of 64 units and per call. "
     "Dirichlet-multinomial "
     "e-value against binomial cells of any rate; Boost.Math's chi-square with "
     "its degrees of freedom and log10 p is shown beside it.",
     kByEValue, "faulty:exact_count"},
    {"homogeneity", Evidence::kStatistical,
     "segments, lanes, rows, columns and parts in time have one drop rate",
     "Universal inference with unknown rate over all positions, each axis, "
     "lanes of 2 to 64, 16 segments and 16 parts in time. One dead position "
     "among 65,000 takes about 370 calls at p = 0.1: pr makes fewer, p = 0.3 "
     "is enough. Certified if the rate of each segment, lane and part in time "
     "provably lies within the margin of the overall rate.",
     kByEValue, "faulty:vector_tail_never_dropped"},
    {"independence_within", Evidence::kStatistical,
     "units of one call do not depend on each other",
     "Context e-values: the drop rate after a drop and after a keep, at lags 1 "
     "to 64, every stride of the unit grid and its neighbours, and powers of "
     "two. Valid for any rate.",
     kByEValue, "faulty:lanes_of_4"},
    {"independence_calls", Evidence::kStatistical,
     "calls do not repeat, overlap or depend on each other",
     "Context e-values for the same unit 1 to 8 (16, 32, ...) calls later, and "
     "a search for "
     "a run of decisions that returns in a later call at any shift; its "
     "length is chosen so that chance stays below the claim's share.",
     kByEValue, "faulty:same_mask_every_call"},
    {"eval_identity", Evidence::kDeterministic,
     "evaluation is the identity, and training drops again afterwards",
     "Bit for bit on values with zeros of both signs, NaN, infinities and "
     "subnormals, before and after training calls. Attention and drop_connect "
     "must be the same function at every evaluation.",
     kNoChance, "faulty:active_at_eval"},
    {"edge_probabilities", Evidence::kDeterministic,
     "p = 0 is the identity, p = 1 gives zeros or an error, beyond is refused",
     "16 calls each at 0, 1e-300, 1 - 2^-53 and 1, and one at -0.1, -1e-9, "
     "1 + 1e-9, 1.5, infinity and NaN.",
     kNoChance, "faulty:drops_at_zero"},
    {"seeding", Evidence::kDeterministic,
     "a seed repeats its masks; other seeds and later calls have others",
     "Masks after reseeding one instance twice and another one once must agree "
     "bit for bit; masks of ten seeds (0, neighbours, single bits changed) and "
     "of successive calls must differ.",
     "False alarm: at most weight * alpha, the chance that independent masks "
     "agree. False pass: seeds that are not among those tried.",
     "faulty:seed_ignored"},
    {"in_place", Evidence::kDeterministic,
     "in place replaces the input; otherwise the input stays",
     "Memory and values of input and result are compared after a training and "
     "an evaluation call.",
     kNoChance, "faulty:in_place_ignored"},
    {"backward_mask", Evidence::kDeterministic,
     "the gradient uses the forward mask and scale",
     "Every entry of the gradient is compared with slope * incoming where the "
     "forward call kept and with 0 where it dropped, also where the input is "
     "0. "
     "For attention and drop_connect: derivatives along random directions, by "
     "two calls with one seed.",
     kNoChance, "faulty:backward_new_mask"},
    {"self_normalisation", Evidence::kStatistical,
     "SELU mean 0 and variance 1 are kept, one layer and through depth",
     "One layer: from the constants, given the rate. Through 32 SELU layers "
     "with fresh weights: one pass is one observation; a bet on the mean and "
     "on "
     "the mean square, clipped at 2, against a declared band.",
     kByEValue, "faulty:alpha_is_plain_dropout"},
}};

}  // namespace

std::span<const CheckInfo> checks() { return kChecks; }

const CheckInfo* find_check(std::string_view name) {
  for (const CheckInfo& check : kChecks) {
    if (check.name == name) return &check;
  }
  return nullptr;
}

std::string_view not_applicable(const CheckInfo& check, const impl::Law& law) {
  if (check.name == "self_normalisation" &&
      law.scaling != impl::Scaling::kSelu) {
    return "the law does not keep SELU's mean and variance";
  }
  if (check.name == "backward_mask" && !law.has_backward) {
    return "the law has no backward pass";
  }
  if (check.name == "independence_within" && law.unit == impl::Unit::kTensor) {
    return "one decision a call";
  }
  return {};
}

}  // namespace dropcheck::properties
