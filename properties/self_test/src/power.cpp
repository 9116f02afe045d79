// Defects planted at the size that the plan of their check states: all but one
// in 10^9 must be found. Smaller ones show where the limit is.
#include <fmt/format.h>

#include <algorithm>
#include <numbers>
#include <stdexcept>
#include <tuple>

#include "dropcheck/impl/fault_families.hpp"
#include "dropcheck/properties/verify.hpp"
#include "dropcheck/self_test/opaque.hpp"
#include "dropcheck/stats/binomial_tail.hpp"
#include "trials.hpp"

namespace dropcheck::self_test {
namespace {

using impl::FaultFamily;

constexpr std::uint64_t kQuickRuns = 12;
constexpr std::uint64_t kFullRuns = 1000;
constexpr std::uint64_t kCurveRuns = 100;

/// Misses as many as this are no accident if the statement holds: one in a few,
/// two in a thousand.
constexpr double kLog10Wrong = -7;

std::string id_of(const FaultFamily& family) { return "power." + family.name; }

/// One point of a curve.
struct Point {
  double drop_probability = 0.1;
  double share = 1;  ///< of the stated size
  std::uint64_t runs = 0;
};

std::vector<Point> points(Profile profile) {
  if (profile == Profile::kQuick) return {{0.1, 1, kQuickRuns}};
  std::vector<Point> all;
  for (const double p : {0.1, 0.5}) {
    for (const double share : {0.25, 0.5, 0.75}) {
      all.push_back({p, share, kCurveRuns});
    }
    all.push_back({p, 1, kFullRuns});
  }
  return all;
}

properties::Plan plan_of(const FaultFamily& family, double size, double drop) {
  properties::Settings settings;
  settings.profile = properties::Profile::kSmoke;
  settings.drop_probabilities = {drop};
  settings.dtypes = {impl::DType::kFloat32};
  settings.only = {family.caught_by};
  settings.threads = 1;
  return properties::make_plan({opaque(family.of_size(size), "planted")},
                               settings);
}

const properties::PlannedCheck& check_of(const properties::Plan& plan,
                                         const std::string& name) {
  for (const auto& check : plan.configurations.at(0).checks) {
    if (check.check == name) return check;
  }
  throw std::logic_error("the plan lacks the check " + name);
}

bool found_by(const properties::RunResult& run, const std::string& check) {
  for (const properties::Finding& finding : run.findings) {
    if (finding.check == check) {
      return finding.verdict == properties::Verdict::kRefuted;
    }
  }
  return false;
}

Power start(const FaultFamily& family, const Point& point) {
  const properties::Plan right = plan_of(family, 0, point.drop_probability);
  const properties::PlannedCheck& check = check_of(right, family.caught_by);
  Power power;
  power.family = family.name;
  power.check = family.caught_by;
  power.measures = family.measures;
  power.drop_probability = point.drop_probability;
  power.stated_size = check.detectable_effect;
  power.stated_miss = check.miss_probability;
  power.size = point.share * check.detectable_effect;
  power.judged = point.share == 1;
  return power;
}

void judge(Power& power) {
  const std::uint64_t missed = power.runs - power.found;
  power.log10_p = stats::log_upper_tail(missed, power.runs, power.stated_miss) *
                  std::numbers::log10e;
  power.right = power.runs > 0 && power.log10_p > kLog10Wrong;
}

Job job_of(Trials& trials, const FaultFamily& family, const Point& point) {
  return {family.name, point.runs, [&trials, &family, point](const auto& step) {
            Power power = start(family, point);
            properties::Plan plan =
                plan_of(family, power.size, point.drop_probability);
            const std::string id = fmt::format(
                "{} {} {}", id_of(family), point.share, point.drop_probability);
            bool going = true;
            for (std::uint64_t k = 0; k < point.runs && going; ++k) {
              plan.settings.seed = trial_seed(trials.settings, id, k);
              const properties::RunResult run = properties::verify(plan);
              ++power.runs;
              power.found += found_by(run, family.caught_by) ? 1U : 0U;
              going = step();
            }
            judge(power);
            const std::lock_guard lock(trials.mutex);
            trials.result.powers.push_back(power);
          }};
}

}  // namespace

void plan_power(Trials& trials) {
  for (const FaultFamily& family : impl::fault_families()) {
    if (!is_asked(trials.settings, id_of(family))) continue;
    for (const Point& point : points(trials.settings.profile)) {
      trials.jobs.push_back(job_of(trials, family, point));
    }
  }
}

void judge_power(SelfTestResult& result) {
  // Threads finish in any order.
  std::sort(result.powers.begin(), result.powers.end(),
            [](const Power& a, const Power& b) {
              return std::tie(a.family, a.drop_probability, a.size) <
                     std::tie(b.family, b.drop_probability, b.size);
            });
  for (const Power& power : result.powers) {
    if (!power.judged || power.right) continue;
    result.failures.push_back(fmt::format(
        "{} says it finds {} {:.2g} but for a chance of {:.2g}, yet of {} "
        "planted at p = {:g} it found {}",
        power.check, power.measures, power.stated_size, power.stated_miss,
        power.runs, power.drop_probability, power.found));
  }
}

std::vector<std::string> power_ids() {
  std::vector<std::string> ids;
  for (const FaultFamily& family : impl::fault_families()) {
    ids.push_back(id_of(family));
  }
  return ids;
}

}  // namespace dropcheck::self_test
