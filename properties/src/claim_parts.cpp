#include "claim_parts.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "structure_evidence.hpp"

namespace dropcheck::properties {

bool refute_by_parts(Finding& finding, const Context& context,
                     const std::vector<ClaimPart>& parts) {
  const double threshold = context.log_threshold(finding.check);
  std::vector<double> logs;
  for (const ClaimPart& part : parts) logs.push_back(part.log_e);
  const auto exact =
      std::find_if(parts.begin(), parts.end(), [&](const ClaimPart& part) {
        return part.exact && part.log_e >= threshold;
      });
  const ClaimPart& loudest =
      exact != parts.end() ? *exact : parts[largest_index(logs)];
  if (!refute_by_e_value(finding, context, log_mean(logs), loudest.sentence)) {
    return false;
  }
  if (!loudest.quantity.empty()) {
    finding.quantity = loudest.quantity;
    finding.expected = loudest.expected;
    finding.observed = loudest.observed;
  }
  return true;
}

std::string dependence_words(const PairCounts& pairs) {
  const double after_drop = rate_of(pairs.after_drop());
  const double after_keep = rate_of(pairs.after_keep());
  if (after_drop > 0.9999 && after_keep < 1e-4) return "always agree";
  if (after_drop < 1e-4 && after_keep > 0.9999) return "never agree";
  return fmt::format(
      "are dependent: a unit is dropped with probability {:.5g} "
      "after a drop and {:.5g} after a keep",
      after_drop, after_keep);
}

}  // namespace dropcheck::properties
