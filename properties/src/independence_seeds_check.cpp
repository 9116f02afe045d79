// independence_seeds (STATISTICS 2.b F6, 2.f "What must not be missed").
#include <fmt/format.h>

#include <cmath>

#include "check_definition.hpp"
#include "claim_parts.hpp"
#include "context.hpp"
#include "detection.hpp"
#include "own_draws.hpp"
#include "seed_evidence.hpp"

namespace dropcheck::properties {
namespace {

SeedPlan plan_of(const Context& context) {
  return make_seed_plan(context.plan, context.settings.profile,
                        context.log_threshold("independence_seeds"));
}

void append(std::vector<ClaimPart>& parts, std::vector<ClaimPart> more) {
  for (ClaimPart& part : more) parts.push_back(std::move(part));
}

std::string size_words(const SeedPlan& plan) {
  if (plan.sizes.empty()) return "";
  return fmt::format(
      "a run that returns in a call of another size ({} sizes from {} to {} "
      "units{})",
      plan.sizes.size(), plan.sizes.front(), plan.sizes.back(),
      plan.large_calls > 0 ? ", the rate above 2^24 too" : "");
}

std::string certified_words(bool reseeds, const SeedPlan& plan) {
  if (!reseeds) {
    return "masks of different tensor sizes do not depend on each other; seeds "
           "cannot be set";
  }
  return fmt::format(
      "masks of different seeds, instances{} do not depend on each other",
      plan.sizes.empty() ? "" : " and tensor sizes");
}

}  // namespace

static Finding check_independence_seeds(const Context& context) {
  Finding finding = start_finding(context, "independence_seeds");
  const SeedPlan plan = plan_of(context);
  if (plan.fresh == 0) {
    leave_open(finding,
               "too many decisions are needed to tell masks apart at this drop "
               "probability");
    return finding;
  }
  const bool reseeds = context.describe().reseed;
  std::vector<ClaimPart> parts;
  if (reseeds) {
    append(parts, fresh_seed_parts(context, plan));
    parts.push_back(relatives_part(context, plan));
    parts.push_back(shifts_part(context, plan));
    parts.push_back(runs_part(context, plan));
  } else if (plan.sizes.empty()) {
    finding.verdict = Verdict::kNotSupported;
    finding.sentence = "the subject declares that it cannot be reseeded";
    return finding;
  } else {
    finding.detectable = size_words(plan);
  }
  append(parts, size_parts(context, plan));
  finding.n = static_cast<std::uint64_t>(plan.decisions(reseeds));
  finding.calls = static_cast<std::uint64_t>(plan.calls(reseeds));
  if (refute_by_parts(finding, context, parts)) return finding;
  certify(
      finding, certified_words(reseeds, plan),
      fmt::format(
          "each of these would have been refuted with probability 1 - 1e-9: {}",
          finding.detectable));
  return finding;
}

namespace {

void plan_independence_seeds(const PlannedConfiguration& planned,
                             const Settings& settings, double threshold,
                             PlannedCheck& check) {
  const SeedPlan plan = make_seed_plan(planned, settings.profile, threshold);
  if (plan.fresh == 0) return;
  const double share = threshold + std::log(kSeedParts);
  const double p = planned.config.drop_probability;
  const auto n = static_cast<double>(plan.fresh * plan.mask_bits());
  const auto related = static_cast<double>(plan.bases * plan.mask_bits());
  const auto shifted = static_cast<double>(plan.block_pairs * plan.block_bits);
  const auto effect = [&](double number, double pairs) {
    return two_digits(
        detectable_z(share + std::log(number), mixture_overhead(pairs)) /
        std::sqrt(pairs));
  };
  check.detectable_effect = effect(kSeedRelations, related);
  check.detectable = fmt::format(
      "fewer than {:.2g} masks of all seeds together, rates that differ by "
      "{:.2g} with any bit of the seed, a correlation of {:.2g} between seeds "
      "that differ in one bit or by 1, of {:.2g} at any one shift between "
      "successive seeds, a run of {} units that returns under another seed or "
      "in another instance{}{}",
      std::pow(static_cast<double>(plan.fresh), 2) / 41.4,
      2 * effect(kSeedRelations, n) * std::sqrt(p * (1 - p)),
      check.detectable_effect,
      effect(2 * static_cast<double>(plan.block_bits), shifted / 2),
      plan.row_bits() / 2, plan.sizes.empty() ? "" : ", ", size_words(plan));
  check.expected_n = check.worst_n = static_cast<double>(plan.decisions(true));
  check.elements = check.worst_n * 2;
}

}  // namespace

constinit const CheckDefinition independence_seeds_check{
    .info =
        {"independence_seeds", Evidence::kStatistical,
         "masks of different seeds, instances and tensor sizes are independent",
         "Many fresh seeds: no mask returns, and the rate does not depend on "
         "any bit of the seed. Seeds that differ in one bit or by 1: the same "
         "unit is independent, no run of decisions returns at another place "
         "or in the next call, and at every shift joint drops are as they "
         "should be, also between "
         "two drop probabilities (counted exactly by Fourier transforms). Two "
         "instances, and one sequence of calls of several sizes, likewise; "
         "sizes have one rate. Each has an equal share of the claim. In one "
         "configuration a subject.",
         kByEValue, "faulty:seed_of_16_bits"},
    .from_calls = check_independence_seeds,
    .not_applicable = overlapping_blocks,
    .left_out = not_once,
    .plan = plan_independence_seeds};

}  // namespace dropcheck::properties
