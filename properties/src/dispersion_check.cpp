// dispersion: numbers of drops per row, call and run of calls (STATISTICS 2.f,
// "exact-count masks and a rate drawn per call").
#include <fmt/format.h>

#include <cmath>
#include <string>
#include <vector>

#include "check_definition.hpp"
#include "context.hpp"
#include "detection.hpp"
#include "dropcheck/stats/dispersion.hpp"
#include "mask_kernels.hpp"
#include "mask_sample.hpp"
#include "mask_stream.hpp"
#include "own_draws.hpp"
#include "pattern_causes.hpp"
#include "shapes.hpp"
#include "structure_evidence.hpp"

namespace dropcheck::properties {
namespace {

constexpr std::int64_t kUnits = 1024;  ///< a call
constexpr std::int64_t kRow = 64;
constexpr std::int64_t kRun = 16;  ///< calls
constexpr double kKinds = 3;

std::int64_t calls_of(Profile profile) {
  return by_profile<std::int64_t>(profile, 512, 4096, 1 << 18);
}

/// Drops per group, for one size of group.
struct Kind {
  std::string group;  ///< "row of 64 units"
  stats::Dispersion counts;
};

/// Adds up the drops of rows, calls and runs of calls.
class Counter {
 public:
  Counter(std::int64_t units, double p0) : units_(units) {
    const auto add = [&](std::string name, std::int64_t size) {
      kinds_.push_back(
          {std::move(name),
           stats::Dispersion(static_cast<std::uint64_t>(size), p0)});
    };
    add(fmt::format("call of {} units", units), units);
    add(fmt::format("run of {} calls", kRun), units * kRun);
    if (units > kRow) add(fmt::format("row of {} units", kRow), kRow);
  }

  void add_call(const std::uint64_t* mask) {
    const auto words = static_cast<std::size_t>((units_ + 63) / 64);
    const std::uint64_t drops = popcount(mask, words);
    kinds_[0].counts.add(drops);
    in_run_ += drops;
    if (++calls_ % kRun == 0) {
      kinds_[1].counts.add(in_run_);
      in_run_ = 0;
    }
    if (kinds_.size() < 3) return;
    for (std::int64_t row = 0; row < units_ / kRow; ++row) {
      kinds_[2].counts.add(popcount(mask + row, 1));
    }
  }

  const std::vector<Kind>& kinds() const { return kinds_; }

 private:
  std::int64_t units_;
  std::vector<Kind> kinds_;
  std::uint64_t in_run_ = 0;
  std::int64_t calls_ = 0;
};

std::string words_of(const Kind& kind) {
  const double ratio = kind.counts.variance_ratio();
  if (ratio == 0) {
    return fmt::format("exactly {} of each {} are dropped, never more or less",
                       kind.counts.all().drops / kind.counts.groups(),
                       kind.group);
  }
  if (ratio < 0.95) {
    return fmt::format(
        "the number of drops per {} varies too little: {:.3g} times the "
        "binomial variance",
        kind.group, ratio);
  }
  if (ratio > 1.05) {
    return fmt::format(
        "the number of drops per {} varies too much: {:.3g} times the binomial "
        "variance, as if the drop rate were drawn anew each time",
        kind.group, ratio);
  }
  return fmt::format("the number of drops per {} is not binomial", kind.group);
}

}  // namespace

static Finding check_dispersion(const Context& context) {
  Finding finding = start_finding(context, "dispersion");
  const StreamSource source(
      context, shape_of_units(context.law(), context.config(), kUnits));
  MaskStream stream(source);
  stream.reseed(stream_seed(context.experiment, Stream::kDispersion));
  Counter counter(source.units(), context.p0());
  const std::int64_t calls = calls_of(context.settings.profile);
  stream.draw(calls,
              [&](const std::uint64_t* mask) { counter.add_call(mask); });
  finding.calls = static_cast<std::uint64_t>(calls);
  finding.n = finding.calls * static_cast<std::uint64_t>(source.units());
  std::vector<double> logs;
  for (const Kind& kind : counter.kinds()) {
    logs.push_back(kind.counts.log_e_value(kAnyRate));
  }
  const Kind& worst = counter.kinds()[largest_index(logs)];
  finding.quantity =
      "variance of drops per " + worst.group + " over the binomial one";
  finding.expected = 1;
  finding.observed = worst.counts.variance_ratio();
  if (refute_by_e_value(finding, context, log_mean(logs), words_of(worst))) {
    add_cause(finding, [&] { return cause_of_counts(sample_masks(context)); });
    return finding;
  }
  certify(finding,
          "drops per row, call and run of calls vary as the binomial law says",
          fmt::format("in {} calls of {} units: {}", calls, source.units(),
                      finding.detectable));
  return finding;
}

namespace {

void plan_dispersion(const PlannedConfiguration&, const Settings& settings,
                     double threshold, PlannedCheck& check) {
  const auto calls = static_cast<double>(calls_of(settings.profile));
  // Of N groups with variance ratio v, ln E is about N (v - 1)^2 / 4, less
  // what 16 cells and the list of ratios cost.
  check.detectable_effect =
      two_digits(detectable_z(threshold + std::log(2 * kKinds), 20) *
                 std::sqrt(2 / calls));
  check.detectable = fmt::format(
      "drops per call that vary {:.2g} times as much as binomial ones, or "
      "more, or whose number is fixed",
      1 + check.detectable_effect);
  check.expected_n = check.worst_n = calls * kUnits;
  check.elements = check.worst_n;
}

}  // namespace

constinit const CheckDefinition dispersion_check{
    .info = {"dispersion", Evidence::kStatistical,
             "the numbers of drops are neither fixed nor overdispersed",
             "Drops per row of 64 units, per call and per 16 calls: a "
             "Dirichlet-multinomial e-value on 16 cells of the binomial law, "
             "and a beta-binomial one for a rate of its own in every group. "
             "Valid for any one rate. In one configuration a subject.",
             kByEValue, "faulty:rate_drawn_per_call"},
    .from_calls = check_dispersion,
    .own_shapes = true,
    .not_applicable = one_decision_a_call,
    .left_out = not_once,
    .plan = plan_dispersion};

}  // namespace dropcheck::properties
