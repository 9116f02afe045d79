#include "dropcheck/properties/verify.hpp"

#include <fmt/format.h>
#include <tbb/global_control.h>
#include <tbb/parallel_for.h>
#include <tbb/task_arena.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <iterator>
#include <map>
#include <mutex>
#include <numbers>

#include "configuration_run.hpp"
#include "dropcheck/properties/version.hpp"
#include "dropcheck/stats/run_alarm.hpp"
#include "shrinking.hpp"

namespace dropcheck::properties {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point begin) {
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

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

  SubjectPool& of(const std::string& subject) {
    return pools_.at(subject).pool;
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

/// Configurations that must not run side by side: those of a subject in this
/// process whose layers share a generator, where a reseed of one would reach
/// the others.
std::vector<std::vector<std::size_t>> groups_of(const Plan& plan) {
  std::vector<std::vector<std::size_t>> groups;
  std::map<std::string, std::size_t> shared;
  for (const PlannedSubject& subject : plan.subjects) {
    if (!subject.in_this_process || subject.description.own_state) continue;
    shared.emplace(subject.entry.name, groups.size());
    groups.emplace_back();
  }
  for (std::size_t i = 0; i < plan.configurations.size(); ++i) {
    const auto found = shared.find(plan.configurations[i].subject);
    if (found == shared.end()) {
      groups.push_back({i});
    } else {
      groups[found->second].push_back(i);
    }
  }
  // Those that take longest come first: a long one that began last would keep
  // one thread at work alone.
  const auto seconds = [&](const std::vector<std::size_t>& group) {
    double sum = 0;
    for (const std::size_t i : group) {
      sum += plan.configurations[i].expected_seconds;
    }
    return sum;
  };
  std::stable_sort(
      groups.begin(), groups.end(),
      [&](const auto& a, const auto& b) { return seconds(a) > seconds(b); });
  return groups;
}

/// How the masks of each subject were read.
void note_paths(Pools& pools, RunResult& result) {
  for (SubjectRecord& subject : result.subjects) {
    const SubjectPool& pool = pools.of(subject.name);
    if (pool.fused()) subject.paths.emplace_back("fused");
    if (pool.blocks()) subject.paths.emplace_back("blocks");
    const bool replayed =
        std::any_of(result.findings.begin(), result.findings.end(),
                    [&](const Finding& finding) {
                      return finding.subject == subject.name &&
                             finding.check == "replay" && finding.calls > 0;
                    });
    if (replayed) subject.paths.emplace_back("replay");
  }
}

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
    Progress skip;
    skip.interrupt = &stopped;
    findings[index] = run_configuration(
        plan.settings, planned, pools.of(planned), stopped ? skip : progress);
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
  const auto groups = groups_of(plan);
  std::atomic<std::size_t> next{0};
  const auto work = [&](std::size_t) {
    for (std::size_t group = next++; group < groups.size(); group = next++) {
      for (const std::size_t index : groups[group]) run_one(index);
    }
  };
  tbb::parallel_for(std::size_t{0},
                    std::min<std::size_t>(result.threads, groups.size()), work,
                    tbb::simple_partitioner());
  for (std::vector<Finding>& part : findings) {
    std::move(part.begin(), part.end(), std::back_inserter(result.findings));
  }
  note_paths(pools, result);
  if (!stopped && plan.settings.shrink_limit_seconds > 0) {
    shrink_refuted(
        plan, progress,
        [&pools](const PlannedConfiguration& planned) -> SubjectPool& {
          return pools.of(planned);
        },
        result.findings);
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
