#include "context.hpp"

#include <fmt/format.h>

#include <cmath>
#include <numbers>

#include "dropcheck/properties/check_catalogue.hpp"
#include "dropcheck/properties/number_text.hpp"
#include "dropcheck/properties/verify.hpp"
#include "dropcheck/properties/version.hpp"
#include "dropcheck/stats/run_alarm.hpp"

namespace dropcheck::properties {

const PlannedCheck* Context::planned(std::string_view check) const {
  for (const PlannedCheck& candidate : plan.checks) {
    if (candidate.check == check) return &candidate;
  }
  return nullptr;
}

double Context::log_threshold(std::string_view check) const {
  const PlannedCheck* claim = planned(check);
  return stats::refutation_threshold(
      settings.alpha,
      claim != nullptr && claim->weight > 0 ? claim->weight : 1);
}

std::string would_have_caught(const PlannedCheck& planned) {
  if (planned.detectable.empty()) return {};
  if (planned.miss_probability <= 0) {
    return "would have caught " + planned.detectable;
  }
  return fmt::format("would have caught {} with probability 1 - {}",
                     planned.detectable, number_text(planned.miss_probability));
}

Finding start_finding(const Context& context, std::string_view check) {
  const PlannedCheck& planned = *context.planned(check);
  Finding finding;
  finding.id = planned.id;
  finding.subject = context.plan.subject;
  finding.layer = context.law().layer;
  finding.check = check;
  finding.configuration = context.plan.configuration;
  finding.evidence = find_check(check)->evidence;
  finding.weight = planned.weight;
  finding.generated = context.plan.generated;
  finding.detectable = would_have_caught(planned);
  if (planned.detectable_effect > 0) {
    finding.detectable_effect = planned.detectable_effect;
  }
  // Layers that share a generator are run in one sequence after a reseed.
  finding.repeatable = context.describe().reseed;
  ReplayToken token;
  token.subject = context.plan.subject;
  token.check = check;
  token.config = context.config();
  token.version = kVersion;
  token.shape = context.plan.shape;
  token.own_shape = context.plan.own_shape;
  token.profile = context.plan.profile;
  token.generated = context.plan.generated;
  token.structure_n = context.plan.own_structure_n;
  token.delta = context.plan.delta;
  token.margin = context.plan.margin;
  token.rate_n_max = context.plan.rate_n_max;
  token.alpha = context.settings.alpha;
  token.weight = planned.weight;
  token.seed = context.settings.seed;
  token.reduced_n = planned.reduced_n;
  finding.replay = encode(token);
  return finding;
}

// What x86 computes has a sign that says nothing.
static std::string without_sign_of_nan(std::string sentence) {
  constexpr std::string_view kSigned = "-nan";
  for (std::size_t at = sentence.find(kSigned); at != std::string::npos;
       at = sentence.find(kSigned, at)) {
    sentence.replace(at, kSigned.size(), "NaN");
  }
  return sentence;
}

void refute(Finding& finding, std::string sentence) {
  finding.verdict = Verdict::kRefuted;
  finding.sentence = without_sign_of_nan(std::move(sentence));
}

void certify(Finding& finding, std::string sentence, std::string bound) {
  finding.verdict = Verdict::kCertified;
  finding.sentence = std::move(sentence);
  finding.bound = std::move(bound);
}

void leave_open(Finding& finding, std::string sentence) {
  finding.verdict = Verdict::kInconclusive;
  finding.sentence = std::move(sentence);
}

bool refute_by_e_value(Finding& finding, const Context& context, double log_e,
                       std::string sentence) {
  finding.log10_e = log_e * std::numbers::log10e;
  if (!std::isfinite(*finding.log10_e))
    finding.log10_e = log_e > 0 ? 1e9 : -1e9;
  if (!stats::claim_refuted(log_e, finding.weight, context.settings.alpha)) {
    return false;
  }
  refute(finding, std::move(sentence));
  return true;
}

std::string place_of(std::int64_t element, const impl::Shape& shape) {
  impl::Shape index(shape.size());
  for (std::size_t axis = shape.size(); axis-- > 0;) {
    index[axis] = element % shape[axis];
    element /= shape[axis];
  }
  return fmt::format("[{}]", fmt::join(index, ", "));
}

}  // namespace dropcheck::properties
