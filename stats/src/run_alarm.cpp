#include "dropcheck/stats/run_alarm.hpp"

#include <cmath>
#include <limits>
#include <vector>

#include "require.hpp"
#include "special.hpp"

namespace dropcheck::stats {
namespace {

void require_weight(double weight) {
  require(weight > 0 && weight <= 1, "weight", weight, "in (0, 1]");
}

void require_evidence(double log_e) {
  require(!std::isnan(log_e), "log_e", log_e, "a number");
}

}  // namespace

double refutation_threshold(double alpha, double weight) {
  require_level(alpha, "alpha");
  require_weight(weight);
  return -std::log(alpha) - std::log(weight) + kLogGuard;
}

double open_ended_share(std::uint64_t index) {
  const auto i = static_cast<double>(index);
  require(index > 0, "index", i, "at least 1");
  return 1 / (i * (i + 1));
}

double log_run_e_value(std::span<const WeightedEvidence> evidence) {
  double total = 0;
  double sum = -std::numeric_limits<double>::infinity();
  for (const auto& [log_e, weight] : evidence) {
    require_weight(weight);
    require_evidence(log_e);
    total += weight;
    sum = log_add(sum, std::log(weight) + log_e);
  }
  require(total <= 1 + 1e-12, "sum of weights", total, "at most 1");
  return sum;
}

bool claim_refuted(double log_e, double weight, double alpha) {
  require_evidence(log_e);
  return log_e >= refutation_threshold(alpha, weight);
}

bool run_alarms(std::span<const WeightedEvidence> evidence, double alpha) {
  return log_run_e_value(evidence) >= refutation_threshold(alpha, 1);
}

}  // namespace dropcheck::stats
