#include "dropcheck/properties/verify.hpp"

#include <fmt/format.h>
#include <tbb/global_control.h>
#include <tbb/parallel_for.h>
#include <tbb/task_arena.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <exception>
#include <iterator>
#include <map>
#include <mutex>
#include <numbers>

#include "battery.hpp"
#include "check_definition.hpp"
#include "dropcheck/properties/version.hpp"
#include "dropcheck/stats/run_alarm.hpp"
#include "network_claims.hpp"
#include "statistical_checks.hpp"

namespace dropcheck::properties {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point begin) {
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

/// FNV-1a; the key of a configuration must not depend on the run around it.
std::uint64_t hash_text(std::string_view text) {
  std::uint64_t hash = 0xcbf29ce484222325;
  for (const char c : text) {
    hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  }
  return hash;
}

std::uint64_t key_of(const PlannedConfiguration& planned) {
  return hash_text(
      fmt::format("{}|{}", planned.law->layer, planned.configuration));
}

/// What went wrong with a subject while a check ran, as a finding.
void note_failure(Finding& finding) {
  try {
    throw;
  } catch (const impl::NotSupported& error) {
    finding.verdict = Verdict::kNotSupported;
    finding.sentence = error.what();
  } catch (const impl::LayerError& error) {
    refute(finding, fmt::format("refuses a valid call: {}", error.what()));
    finding.evidence = Evidence::kDeterministic;
  } catch (const impl::MemoryViolation& error) {
    refute(finding, error.what());
    finding.evidence = Evidence::kDeterministic;
  } catch (const impl::SubjectCrashed& error) {
    finding.verdict = Verdict::kCrash;
    finding.sentence = error.what();
  } catch (const impl::SubjectTimeout& error) {
    finding.verdict = Verdict::kTimeout;
    finding.sentence = error.what();
  } catch (const impl::AdapterError& error) {
    finding.verdict = Verdict::kError;
    finding.sentence = error.what();
  } catch (const std::exception& error) {
    finding.verdict = Verdict::kError;
    finding.sentence = fmt::format("the check broke: {}", error.what());
  } catch (...) {
    finding.verdict = Verdict::kError;
    finding.sentence =
        "the check broke: an exception that is no std::exception";
  }
}

/// Runs the checks of one configuration.
class ConfigurationRun {
 public:
  ConfigurationRun(const Plan& plan, const PlannedConfiguration& planned,
                   SubjectPool& pool, const Progress& progress)
      : progress_(progress),
        context_{planned,
                 plan.settings,
                 pool,
                 {planned.law, planned.config, planned.shape,
                  plan.settings.seed, key_of(planned)},
                 {},
                 {},
                 nullptr,
                 {},
                 nullptr,
                 [this] { return interrupted(); }} {}

  std::vector<Finding> run() {
    if (interrupted()) {
      not_run("interrupted before it began");
    } else if (open()) {
      const bool testable = context_.plan.delta > 0;
      if (!testable || prepare()) {
        run_own();
      } else {
        run_unread();
      }
      if (context_.network) apply_network_doubt(findings_);
      context_.lease.reset();
      if (context_.reader) run_statistical();
    }
    if (context_.law().factor == impl::Factor::kNormal) explain_bits();
    order();
    if (context_.reader && !context_.reader->readable()) withdraw_unread();
    std::erase_if(findings_, [this](const Finding& finding) {
      return context_.planned(finding.check)->hidden;
    });
    return std::move(findings_);
  }

 private:
  bool interrupted() const {
    return progress_.interrupt != nullptr && progress_.interrupt->load();
  }

  void not_run(const std::string& why) {
    for (const PlannedCheck& check : context_.plan.checks) {
      Finding finding = start_finding(context_, check.check);
      finding.sentence = why;
      findings_.push_back(std::move(finding));
    }
  }

  /// A subject that fails here fails every check of the configuration.
  template <class Step>
  bool attempt(const Step& step) {
    try {
      step();
      return true;
    } catch (...) {
      for (const PlannedCheck& check : context_.plan.checks) {
        Finding finding = start_finding(context_, check.check);
        note_failure(finding);
        findings_.push_back(std::move(finding));
      }
      return false;
    }
  }

  bool open() {
    return attempt([this] { context_.lease.emplace(context_.pool); });
  }

  /// Inputs, calibration, mask reading.
  bool prepare() {
    return attempt([this] {
      if (context_.law().network != nullptr) {
        context_.network =
            gather_network(context_, [this] { return interrupted(); });
        return;
      }
      impl::Subject& subject = context_.subject();
      context_.inputs = make_inputs(subject, context_.experiment);
      const std::int64_t size = context_.inputs.base.size();
      const std::int64_t calls = std::clamp<std::int64_t>(
          (std::int64_t{1} << 15) / std::max<std::int64_t>(size, 1), 4, 4096);
      context_.calibration = draw_outputs(
          subject, context_.experiment, context_.inputs.input,
          stream_seed(context_.experiment, Stream::kCalibration), calls);
      context_.reader = std::make_unique<MaskReader>(
          context_.law(), context_.config(), context_.inputs.base,
          context_.calibration);
    });
  }

  template <class Check>
  void add(std::string_view name, const Check& check) {
    if (context_.planned(name) == nullptr) return;
    const auto begin = Clock::now();
    Finding finding = start_finding(context_, name);
    if (interrupted()) {
      finding.sentence = "interrupted before it began";
      findings_.push_back(std::move(finding));
      return;
    }
    try {
      finding = check();
    } catch (...) {
      note_failure(finding);
    }
    finding.seconds = seconds_since(begin);
    findings_.push_back(std::move(finding));
  }

  void run_own() {
    for (const CheckDefinition* check : check_definitions()) {
      if (check->from_calls == nullptr) continue;
      add(check->info.name, [&] { return check->from_calls(context_); });
    }
  }

  /// Checks that can say more than that the results could not be read. Not
  /// those of a subject that crashes or hangs: it would do so again.
  void run_unread() {
    for (const CheckDefinition* check : check_definitions()) {
      if (!check->before_reading) continue;
      const auto erased = std::erase_if(findings_, [&](const Finding& finding) {
        return finding.check == check->info.name &&
               finding.verdict == Verdict::kRefuted;
      });
      if (erased == 0) continue;
      add(check->info.name, [&] { return check->from_calls(context_); });
    }
  }

  void run_statistical() {
    std::vector<const CheckDefinition*> all;
    for (const CheckDefinition* check : check_definitions()) {
      if (check->from_battery != nullptr &&
          context_.planned(check->info.name) != nullptr) {
        all.push_back(check);
      }
    }
    if (all.empty()) return;
    std::exception_ptr failure;
    const auto begin = Clock::now();
    BatteryResult battery;
    std::unique_ptr<Sampler> sampler;
    try {
      sampler = std::make_unique<Sampler>(context_.experiment, context_.pool,
                                          context_.inputs, *context_.reader,
                                          context_.plan.calls_per_block);
      battery = run_battery(*sampler, make_battery_plan(context_.plan),
                            rate_claims(context_),
                            !context_.pool.planned().repeatable(),
                            [this] { return interrupted(); });
      if (progress_.counted) {
        progress_.counted(context_.plan, battery.total.rate);
      }
    } catch (...) {
      failure = std::current_exception();
    }
    const std::size_t first = findings_.size();
    for (const CheckDefinition* check : all) {
      findings_.push_back(
          failure ? failed(check->info.name, failure)
                  : decided_by(*check, {context_, *sampler, battery}));
    }
    // All of them read the same masks: each has its share of the time.
    const double share =
        seconds_since(begin) / static_cast<double>(findings_.size() - first);
    for (std::size_t k = first; k < findings_.size(); ++k) {
      findings_[k].seconds = share;
    }
    if (failure) return;
    note_torn_units(findings_, context_, battery.total);
    apply_structural_doubt(findings_, {context_, *sampler, battery});
  }

  Finding failed(std::string_view name,
                 const std::exception_ptr& failure) const {
    Finding finding = start_finding(context_, name);
    try {
      std::rethrow_exception(failure);
    } catch (...) {
      note_failure(finding);
    }
    return finding;
  }

  Finding decided_by(const CheckDefinition& check,
                     const StatisticalInput& input) const {
    Finding finding = start_finding(context_, check.info.name);
    try {
      finding = check.from_battery(input);
    } catch (...) {
      note_failure(finding);
    }
    if (input.battery.interrupted &&
        finding.verdict == Verdict::kInconclusive) {
      finding.verdict = Verdict::kNotRun;
      finding.sentence = "interrupted: " + finding.sentence;
    }
    return finding;
  }

  /// Says what stands for a drop where nothing is dropped.
  void explain_bits() {
    for (Finding& finding : findings_) {
      const CheckDefinition& check = definition_of(finding.check);
      const bool read = check.from_battery != nullptr || check.structural ||
                        finding.check == "granularity" ||
                        finding.check == "seeding";
      if (!read || finding.verdict > Verdict::kInconclusive) continue;
      finding.sentence += " (a factor below 1 counts as a drop)";
    }
  }

  /// Where no mask could be read, nothing about masks is proved.
  void withdraw_unread() {
    for (Finding& finding : findings_) {
      if (!definition_of(finding.check).reads_masks ||
          finding.verdict != Verdict::kCertified)
        continue;
      leave_open(finding, "the mask cannot be read: every value is NaN");
      finding.bound.clear();
    }
  }

  /// The order of the catalogue.
  void order() {
    const auto rank = [](const Finding& finding) {
      return find_check(finding.check) - checks().data();
    };
    std::stable_sort(
        findings_.begin(), findings_.end(),
        [&](const Finding& a, const Finding& b) { return rank(a) < rank(b); });
  }

  const Progress& progress_;
  Context context_;
  std::vector<Finding> findings_;
};

SubjectRecord record_of(const PlannedSubject& subject) {
  return {subject.entry.name, subject.entry.layer, subject.description.version,
          subject.description.generator, subject.repeatable()};
}

Finding failed_to_open(const PlannedSubject& subject) {
  Finding finding;
  finding.subject = subject.entry.name;
  finding.layer = subject.entry.layer;
  finding.check = "open";
  finding.configuration = subject.entry.name;
  finding.id = fmt::format("{}.open[{}]", finding.layer, finding.configuration);
  finding.verdict = Verdict::kError;
  finding.evidence = Evidence::kDeterministic;
  finding.sentence = "the subject could not be opened: " + subject.failure;
  return finding;
}

/// Weights e-values and decides whether the whole run alarms.
void sum_evidence(RunResult& result) {
  std::vector<stats::WeightedEvidence> evidence;
  double largest = -1e300;
  for (const Finding& finding : result.findings) {
    if (!finding.log10_e || finding.weight <= 0) continue;
    const double log_e = *finding.log10_e / std::numbers::log10e;
    evidence.push_back({log_e, finding.weight});
    const double term = log_e + std::log(finding.weight);
    if (term > largest) {
      largest = term;
      result.largest_term = finding.id;
    }
  }
  if (evidence.empty()) return;
  result.log10_run_e = stats::log_run_e_value(evidence) * std::numbers::log10e;
  result.alarm = stats::run_alarms(evidence, result.alpha);
}

/// The pools of a run; each is closed when its last configuration is done, so
/// that no more processes live than are at work.
class Pools {
 public:
  explicit Pools(const Plan& plan) {
    for (const PlannedSubject& subject : plan.subjects) {
      pools_.try_emplace(subject.entry.name, subject);
    }
    for (const PlannedConfiguration& planned : plan.configurations) {
      ++pools_.at(planned.subject).left;
    }
  }

  SubjectPool& of(const PlannedConfiguration& planned) {
    return pools_.at(planned.subject).pool;
  }

  void done(const PlannedConfiguration& planned) {
    Entry& entry = pools_.at(planned.subject);
    if (--entry.left == 0) entry.pool.close();
  }

 private:
  struct Entry {
    explicit Entry(const PlannedSubject& subject) : pool(subject) {}
    SubjectPool pool;
    std::atomic<std::size_t> left{0};
  };
  std::map<std::string, Entry> pools_;
};

void run_all(const Plan& plan, const Progress& progress, RunResult& result) {
  for (const PlannedSubject& subject : plan.subjects) {
    result.subjects.push_back(record_of(subject));
    if (subject.failure.empty()) continue;
    result.findings.push_back(failed_to_open(subject));
  }
  Pools pools(plan);
  std::vector<std::vector<Finding>> findings(plan.configurations.size());
  std::atomic<bool> stopped{false};
  std::mutex mutex;
  std::size_t done = 0;
  const auto run_one = [&](std::size_t index) {
    const PlannedConfiguration& planned = plan.configurations[index];
    const Progress skip{{}, &stopped, {}};
    findings[index] = ConfigurationRun(plan, planned, pools.of(planned),
                                       stopped ? skip : progress)
                          .run();
    pools.done(planned);
    const bool bad = std::any_of(
        findings[index].begin(), findings[index].end(),
        [](const Finding& f) { return f.verdict <= Verdict::kRefuted; });
    if (plan.settings.fail_fast && bad) stopped = true;
    const std::lock_guard lock(mutex);
    ++done;
    if (progress.report) {
      progress.report(
          done, plan.configurations.size(),
          fmt::format("{} {}", planned.subject, planned.configuration));
    }
  };
  // Configurations run side by side; what each finds does not depend on it.
  tbb::parallel_for(std::size_t{0}, plan.configurations.size(), run_one);
  for (std::vector<Finding>& part : findings) {
    std::move(part.begin(), part.end(), std::back_inserter(result.findings));
  }
}

}  // namespace

RunResult verify(const Plan& plan, const Progress& progress) {
  const auto begin = Clock::now();
  RunResult result;
  result.version = kVersion;
  result.profile = name_of(plan.settings.profile);
  result.seed = plan.settings.seed;
  result.alpha = plan.settings.alpha;
  result.delta = plan.delta;
  result.margin = plan.margin;
  result.threads = thread_count(plan.settings);
  result.warnings = plan.warnings;
  const tbb::global_control limit(tbb::global_control::max_allowed_parallelism,
                                  result.threads);
  tbb::task_arena arena(static_cast<int>(result.threads));
  arena.execute([&] { run_all(plan, progress, result); });
  sum_evidence(result);
  result.interrupted =
      progress.interrupt != nullptr && progress.interrupt->load();
  result.seconds = seconds_since(begin);
  return result;
}

}  // namespace dropcheck::properties
