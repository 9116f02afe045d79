// Promises of stats/ that can be computed exactly, where no number of runs
// would show them.
#include <fmt/format.h>

#include <algorithm>

#include "dropcheck/stats/calibration.hpp"
#include "dropcheck/stats/look_schedule.hpp"
#include "dropcheck/stats/operating_characteristics.hpp"
#include "trials.hpp"

namespace dropcheck::self_test {
namespace {

constexpr double kRates[] = {.05, .1, .3, .5, .9};
constexpr double kDelta = 1e-2;
constexpr double kAlpha = 1e-9;

std::string id_of(const std::string& name) { return "statistics." + name; }

Exactness mean_of(const stats::EValueCase& e_value) {
  const stats::Calibration means = stats::calibrate(e_value);
  return {e_value.name,
          e_value.exact ? "mean under the null: 1 at every look and stop"
                        : "mean under the null: at most 1 at every look and "
                          "stop",
          means.smallest_mean,
          means.largest_mean,
          1,
          means.right};
}

stats::OperatingCharacteristics shipped_rule(double p0, double rate) {
  const stats::RateClaim claim{.p0 = p0, .delta = kDelta, .declared = {p0, p0}};
  const double time = p0 * (1 - p0) / (kDelta * kDelta);
  return stats::operating_characteristics(
      claim, stats::look_schedule(stats::n_max(p0, kDelta), 2 * time), rate);
}

std::string rule_name(double p0) {
  return fmt::format("rate rule at {:g}", p0);
}

/// Both errors of the rate's decision, over all looks.
std::vector<Exactness> errors_of(double p0) {
  const double refuted = shipped_rule(p0, p0).refuted;
  const double below = shipped_rule(p0, p0 - kDelta).certified;
  const double above = shipped_rule(p0, p0 + kDelta).certified;
  const double certified = std::max(below, above);
  return {{rule_name(p0), "P(a right rate is refuted)", refuted, refuted,
           kAlpha, refuted <= kAlpha},
          {rule_name(p0), "P(a rate off by the tolerance is certified)",
           std::min(below, above), certified, kAlpha, certified <= kAlpha}};
}

template <class Compute>
void add(Trials& trials, const std::string& name, const Compute& compute) {
  if (!is_asked(trials.settings, id_of(name))) return;
  trials.jobs.push_back({name, 1, [&trials, compute](const auto& step) {
                           const std::vector<Exactness> rows = compute();
                           {
                             const std::lock_guard lock(trials.mutex);
                             auto& all = trials.result.exactness;
                             all.insert(all.end(), rows.begin(), rows.end());
                           }
                           step();
                         }});
}

}  // namespace

void plan_statistics(Trials& trials) {
  for (const stats::EValueCase& e_value : stats::every_e_value()) {
    add(trials, e_value.name,
        [e_value] { return std::vector{mean_of(e_value)}; });
  }
  for (const double p0 : kRates) {
    add(trials, rule_name(p0), [p0] { return errors_of(p0); });
  }
}

void judge_statistics(SelfTestResult& result) {
  // Threads finish in any order.
  std::sort(result.exactness.begin(), result.exactness.end(),
            [](const Exactness& a, const Exactness& b) {
              return std::tie(a.name, a.what) < std::tie(b.name, b.what);
            });
  for (const Exactness& row : result.exactness) {
    if (row.right) continue;
    result.failures.push_back(
        fmt::format("{}: {}, but it is between {:.12g} and {:.12g}", row.name,
                    row.what, row.lowest, row.highest));
  }
}

std::vector<std::string> statistics_ids() {
  std::vector<std::string> ids;
  for (const stats::EValueCase& e_value : stats::every_e_value()) {
    ids.push_back(id_of(e_value.name));
  }
  for (const double p0 : kRates) ids.push_back(id_of(rule_name(p0)));
  return ids;
}

}  // namespace dropcheck::self_test
