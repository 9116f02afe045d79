// Statistical shrinking (STATISTICS 2.f 7): a candidate is decided afresh, by
// masks of its own key, at a threshold that grows with the number of the step,
// on a sample that is fixed before the first mask. So the path is no search
// among the same data for the case that looks worst.
#include "shrinking.hpp"

#include <fmt/format.h>
#include <tbb/parallel_for.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>
#include <map>
#include <numbers>
#include <optional>
#include <set>
#include <stdexcept>
#include <utility>

#include "check_definition.hpp"
#include "configuration_run.hpp"
#include "detection.hpp"
#include "dropcheck/impl/random_stream.hpp"
#include "dropcheck/properties/config_source.hpp"
#include "dropcheck/stats/run_alarm.hpp"
#include "plan_parts.hpp"
#include "shapes.hpp"

namespace dropcheck::properties {
namespace {

using Clock = std::chrono::steady_clock;

/// No path is longer; each step costs every later one a little evidence.
constexpr std::size_t kMostSteps = 200;

/// What a step costs a fast layer on one core: a bound of the plan, the same on
/// every machine.
constexpr double kSecondsPerElement = 5e-9;
constexpr double kSecondsPerCall = 3e-7;
constexpr double kSecondsPerStep = 1e-3;

/// Apart from every other key of a run: "shrink".
constexpr std::uint64_t kShrinkKey = 0x736872696e6b;

/// What a step costs besides where the subject ends or hangs: another process.
constexpr double kSecondsPerEnd = 0.1;
/// A call that hangs is told from a slow one within this share of the limit,
/// and within no less than that.
constexpr double kHangShare = 1 / 15.0;
constexpr double kLeastHangSeconds = 1;

/// Fewer units than this save nothing.
constexpr double kLeastUnits = 4096;

bool rests_on_rate(std::string_view check) {
  return check == "drop_rate" || check == "expectation" || check == "moments";
}

/// Units that the plan of a configuration has for a check of its battery.
std::uint64_t& planned_units(PlannedConfiguration& planned,
                             std::string_view check) {
  return rests_on_rate(check) ? planned.rate_n_max : planned.structure_n;
}

/// Neither right nor wrong: the subject ended, or did not answer.
bool has_ended(const Finding& finding) {
  return finding.verdict == Verdict::kCrash ||
         finding.verdict == Verdict::kTimeout;
}

bool was_refused(const Finding& finding) {
  return finding.sentence.starts_with("refuses a valid call");
}

class Shrinker {
 public:
  Shrinker(const Plan& plan, const PlannedSubject& subject,
           const PlannedConfiguration& planned, SubjectPool& pool,
           const Progress& progress)
      : plan_(plan),
        subject_(subject),
        first_(planned),
        pool_(pool),
        progress_(progress) {}

  void shrink(Finding& finding) {
    first_finding_ = &finding;
    if (finding.verdict == Verdict::kTimeout && !prepare_for_hangs()) {
      result_.stopped =
          "not tried: a call that does not return can be ended in a process of "
          "its own only";
      finding.shrinking = std::move(result_);
      return;
    }
    DrawnCase current = start();
    known_.insert(name_of(current));
    bool simpler = true;
    while (simpler && result_.stopped.empty()) {
      simpler = step_from(current);
    }
    finding.shrinking = std::move(result_);
  }

 private:
  static std::string name_of(const DrawnCase& drawn) {
    return impl::describe(drawn.config) + "," + impl::to_string(drawn.shape);
  }

  /// The subject with a shorter limit for a call, so that a hang costs little.
  bool prepare_for_hangs() {
    if (!subject_.entry.open_within) return false;
    const double limit =
        std::min(plan_.settings.call_timeout_seconds,
                 std::max(kLeastHangSeconds,
                          kHangShare * plan_.settings.shrink_limit_seconds));
    hang_seconds_ = limit;
    impatient_ = subject_;
    impatient_->entry.open = [open = subject_.entry.open_within, limit] {
      return open(
          std::chrono::milliseconds(static_cast<std::int64_t>(1000 * limit)));
    };
    impatient_pool_.emplace(*impatient_);
    return true;
  }

  const CheckDefinition& check() const {
    return definition_of(first_finding_->check);
  }

  /// The input on which the check found it.
  DrawnCase start() const {
    const bool shared = check().from_battery != nullptr || first_.own_shape ||
                        has_ended(*first_finding_);
    return {first_.config,
            shared ? first_.shape : structure_shapes(first_).front()};
  }

  /// Goes to the first simpler case that is refuted; false: there is none.
  bool step_from(DrawnCase& current) {
    result_.not_asked = 0;
    for (const DrawnCase& candidate : simpler_cases(*first_.law, current)) {
      const bool fixed = check().own_shapes && !has_ended(*first_finding_);
      if (fixed && candidate.shape != current.shape) continue;
      if (!declared(candidate.config.dtype)) continue;
      if (known_.count(name_of(candidate)) > 0) continue;
      ReplayToken token = token_for(candidate);
      const auto planned = plan_step(token);
      if (!planned) continue;
      if (!may_go_on(cost_of(*planned))) return false;
      known_.insert(name_of(candidate));
      if (refutes(token, *planned)) {
        current = candidate;
        return true;
      }
    }
    return false;
  }

  bool declared(impl::DType dtype) const {
    const auto& dtypes = subject_.description.dtypes;
    return std::find(dtypes.begin(), dtypes.end(), dtype) != dtypes.end();
  }

  /// The weight of the next step: its share of a sum over all steps.
  double next_weight() const {
    return first_finding_->weight *
           stats::open_ended_share(result_.steps.size() + 1);
  }

  ReplayToken token_for(const DrawnCase& candidate) const {
    ReplayToken token = decode_token(first_finding_->replay);
    token.config = candidate.config;
    token.shape = candidate.shape;
    token.own_shape = true;
    token.delta = 0;
    token.weight = next_weight();
    token.seed =
        impl::keyed_word(plan_.settings.seed, kShrinkKey, result_.steps.size());
    return token;
  }

  /// Fixes a step before its data; nothing where it has no meaning or could
  /// not decide.
  std::optional<PlannedConfiguration> plan_step(ReplayToken& token) {
    try {
      const Settings settings = settings_of(token);
      // Sizes as the profile has them for that shape, then no more than needed.
      PlannedConfiguration planned = plan_configuration(
          subject_, {token.config, true, true, true, token.generated, true},
          &token.shape, settings);
      if (planned.delta <= 0 && check().needs_rate) return std::nullopt;
      const std::uint64_t wanted = wanted_units(token.weight);
      std::uint64_t& units = planned_units(planned, token.check);
      const bool unplanned =
          planned.values_only && check().takes_chance && !check().knows_limits;
      const bool too_small =
          !has_ended(*first_finding_) && (2 * units < wanted || unplanned);
      if (too_small) {
        ++result_.not_asked;
        return std::nullopt;
      }
      if (wanted > 0) units = std::min(units, wanted);
      token.delta = planned.delta;
      token.margin = planned.margin;
      token.rate_n_max = planned.rate_n_max;
      token.structure_n = planned.structure_n;
      PlannedConfiguration step = plan_token(token, subject_, settings);
      step.seconds_per_call = first_.seconds_per_call;
      step.seconds_per_shared_call = first_.seconds_per_shared_call;
      return step;
    } catch (const std::logic_error&) {
      return std::nullopt;  // no such shape, no such check there
    }
  }

  /// Units that refute half the effect that the first finding proves, but for
  /// a chance of 1e-9; never more than its own plan had. 0: no say in it.
  std::uint64_t wanted_units(double weight) const {
    const Finding& finding = *first_finding_;
    if (!finding.log10_e || check().from_battery == nullptr) return 0;
    PlannedConfiguration first = first_;
    const auto planned =
        static_cast<double>(planned_units(first, finding.check));
    const double n = static_cast<double>(std::max<std::uint64_t>(finding.n, 1));
    const double overhead = mixture_overhead(n);
    const double log_e = *finding.log10_e / std::numbers::log10e;
    const double needed =
        stats::refutation_threshold(plan_.settings.alpha, finding.weight);
    const double proved = (std::sqrt(2 * (std::max(log_e, 0.0) + overhead)) -
                           std::sqrt(2 * (needed + overhead))) /
                          std::sqrt(n);
    if (!(proved > 0)) return static_cast<std::uint64_t>(planned);
    const double threshold =
        stats::refutation_threshold(plan_.settings.alpha, weight);
    const double z = detectable_z(threshold, mixture_overhead(planned));
    const double units = std::pow(2 * z / proved, 2);
    return static_cast<std::uint64_t>(
        std::min(planned, std::max(kLeastUnits, units)));
  }

  double cost_of(const PlannedConfiguration& planned) const {
    double elements = 0;
    for (const PlannedCheck& one : planned.checks) elements += one.elements;
    const double call = std::max<double>(
        1, static_cast<double>(impl::element_count(planned.shape)));
    double calls = elements / call;
    if (planned.delta > 0) {
      calls += static_cast<double>(
                   std::max(planned.rate_n_max, planned.structure_n)) /
               static_cast<double>(planned.units_per_call);
    }
    return kSecondsPerStep +
           calls * (kSecondsPerCall + call * kSecondsPerElement);
  }

  /// Whether another step may be taken; if not, says why not.
  bool may_go_on(double cost) {
    const double limit = plan_.settings.shrink_limit_seconds;
    const std::chrono::duration<double> used = Clock::now() - began_;
    if (progress_.interrupt != nullptr && progress_.interrupt->load()) {
      result_.stopped = "interrupted";
    } else if (result_.steps.size() == kMostSteps) {
      result_.stopped = fmt::format("stopped after {} steps", kMostSteps);
    } else if (cost_ + cost > limit) {
      result_.stopped = fmt::format(
          "stopped where the next case would take it past its limit of {:g} s",
          limit);
    } else if (used.count() > limit) {
      result_.stopped = fmt::format(
          "stopped by the clock after {:g} s: another run may get further",
          limit);
    }
    cost_ += cost;
    return result_.stopped.empty();
  }

  bool refutes(const ReplayToken& token, const PlannedConfiguration& planned) {
    Settings settings = settings_of(token);
    settings.call_timeout_seconds = plan_.settings.call_timeout_seconds;
    Progress progress;
    progress.interrupt = progress_.interrupt;
    const std::vector<Finding> findings =
        run_configuration(settings, planned,
                          impatient_pool_ ? *impatient_pool_ : pool_, progress);
    if (findings.empty()) return false;
    const Finding& finding = findings.front();
    if (finding.verdict == Verdict::kTimeout) cost_ += hang_seconds_;
    if (finding.verdict == Verdict::kCrash) cost_ += kSecondsPerEnd;
    const bool refuted = is_alike(finding);
    ShrinkStep step;
    step.configuration = finding.configuration;
    step.refuted = refuted;
    if (first_finding_->log10_e) {
      step.log10_e = finding.log10_e;
      step.log10_threshold =
          stats::refutation_threshold(settings.alpha, token.weight) *
          std::numbers::log10e;
    }
    result_.steps.push_back(std::move(step));
    if (!refuted) return false;
    result_.smallest = finding.configuration;
    result_.sentence = finding.sentence;
    result_.replay = finding.replay;
    return true;
  }

  /// Refuted, and by the same kind of evidence: a case that the layer refuses
  /// is no smaller case of a wrong rate.
  bool is_alike(const Finding& finding) const {
    return finding.verdict == first_finding_->verdict &&
           finding.log10_e.has_value() == first_finding_->log10_e.has_value() &&
           was_refused(finding) == was_refused(*first_finding_);
  }

  const Plan& plan_;
  const PlannedSubject& subject_;
  const PlannedConfiguration& first_;
  SubjectPool& pool_;
  const Progress& progress_;
  const Finding* first_finding_ = nullptr;
  Shrinking result_;
  std::set<std::string> known_;
  double cost_ = 0;
  double hang_seconds_ = 0;
  std::optional<PlannedSubject> impatient_;
  std::optional<SubjectPool> impatient_pool_;
  Clock::time_point began_ = Clock::now();
};

/// Evidence without chance is worst, then the largest e-value.
double badness(const Finding& finding) {
  return finding.log10_e.value_or(std::numeric_limits<double>::infinity());
}

/// One crash and one hang of each subject, though every check of it may have
/// met them: the first one, of a check without chance where there is one.
std::vector<Finding*> first_ends(const Progress& progress,
                                 std::vector<Finding>& findings) {
  std::map<std::pair<std::string, Verdict>, Finding*> first;
  for (Finding& finding : findings) {
    if (!has_ended(finding) || finding.check == "open") continue;
    if (progress.known && progress.known(finding)) continue;
    Finding*& known = first[{finding.subject, finding.verdict}];
    const bool surer = known != nullptr &&
                       definition_of(known->check).takes_chance &&
                       !definition_of(finding.check).takes_chance;
    if (known == nullptr || surer) known = &finding;
  }
  std::vector<Finding*> chosen;
  for (const auto& [key, finding] : first) chosen.push_back(finding);
  return chosen;
}

/// The worst refuted finding of each check of each subject.
std::vector<Finding*> worst_of_each(const Progress& progress,
                                    std::vector<Finding>& findings) {
  std::map<std::pair<std::string, std::string>, Finding*> worst;
  for (Finding& finding : findings) {
    if (finding.verdict != Verdict::kRefuted) continue;
    if (progress.known && progress.known(finding)) continue;
    Finding*& known = worst[{finding.subject, finding.check}];
    if (known == nullptr || badness(finding) > badness(*known)) {
      known = &finding;
    }
  }
  std::vector<Finding*> chosen;
  for (const auto& [key, finding] : worst) chosen.push_back(finding);
  return chosen;
}

const PlannedConfiguration* configuration_of(const Plan& plan,
                                             const Finding& finding) {
  for (const PlannedConfiguration& planned : plan.configurations) {
    if (planned.subject == finding.subject &&
        planned.configuration == finding.configuration) {
      return &planned;
    }
  }
  return nullptr;
}

const PlannedSubject& subject_of(const Plan& plan, const std::string& name) {
  return *std::find_if(
      plan.subjects.begin(), plan.subjects.end(),
      [&](const PlannedSubject& s) { return s.entry.name == name; });
}

}  // namespace

void shrink_refuted(const Plan& plan, const Progress& progress,
                    const PoolOf& pool_of, std::vector<Finding>& findings) {
  std::vector<Finding*> chosen = worst_of_each(progress, findings);
  for (Finding* finding : first_ends(progress, findings)) {
    chosen.push_back(finding);
  }
  // Paths run side by side; what each finds does not depend on it.
  tbb::parallel_for(std::size_t{0}, chosen.size(), [&](std::size_t index) {
    Finding& finding = *chosen[index];
    const PlannedConfiguration* planned = configuration_of(plan, finding);
    if (planned == nullptr || planned->law->network != nullptr) return;
    Shrinker(plan, subject_of(plan, finding.subject), *planned,
             pool_of(*planned), progress)
        .shrink(finding);
  });
}

}  // namespace dropcheck::properties
