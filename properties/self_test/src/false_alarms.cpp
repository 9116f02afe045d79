// Right layers, under opaque names: one configuration a run, a seed of its own
// for each.
#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "dropcheck/impl/odd_subjects.hpp"
#include "dropcheck/properties/verify.hpp"
#include "dropcheck/self_test/opaque.hpp"
#include "dropcheck/stats/clopper_pearson.hpp"
#include "trials.hpp"

namespace dropcheck::self_test {
namespace {

using impl::SubjectEntry;
using properties::Finding;
using properties::Verdict;

constexpr std::uint64_t kQuickRuns = 400;
constexpr std::uint64_t kFullRuns = 20000;
constexpr std::size_t kOffencesShown = 20;

/// Two-sided at this level is one-sided at 95 %.
constexpr double kTwoSided = 0.1;

std::vector<const SubjectEntry*> right_layers() {
  std::vector<const SubjectEntry*> all;
  for (const auto* part : {&impl::builtin_subjects(), &impl::builtin_networks(),
                           &impl::odd_subjects()}) {
    for (const SubjectEntry& entry : *part) all.push_back(&entry);
  }
  return all;
}

std::string id_of(const SubjectEntry& entry) {
  return "false_alarms." + entry.name;
}

/// What a user's run asks, with two more probabilities: every one at f32, the
/// other dtypes and the variants at the first.
properties::Settings default_settings() {
  properties::Settings settings;
  settings.profile = properties::Profile::kSmoke;
  settings.drop_probabilities = {.1, .05, .3, .5, .9};
  settings.threads = 1;
  return settings;
}

/// One configuration of a right layer.
struct RightConfiguration {
  const SubjectEntry* entry;
  std::string opaque_name;
  std::string configuration;
  std::uint64_t share = 1;  ///< how often it is run, against others
};

/// One configuration of each subject has the checks whose answer does not
/// depend on p or dtype; they take five times as long as all the others, and
/// so are run a quarter as often.
std::uint64_t share_of(const properties::PlannedConfiguration& planned) {
  constexpr std::uint64_t kShare = 4;
  const bool dear = std::any_of(
      planned.checks.begin(), planned.checks.end(),
      [](const auto& check) { return check.check == "long_stream"; });
  return dear ? 1 : kShare;
}

std::vector<RightConfiguration> right_configurations(const Settings& settings) {
  std::vector<RightConfiguration> all;
  std::size_t index = 0;
  for (const SubjectEntry* entry : right_layers()) {
    const std::string name = fmt::format("right-{}", ++index);
    if (!is_asked(settings, id_of(*entry))) continue;
    const properties::Plan plan =
        properties::make_plan({opaque(*entry, name)}, default_settings());
    for (const auto& planned : plan.configurations) {
      all.push_back({entry, name, planned.configuration, share_of(planned)});
    }
  }
  // Any part of the order is a fair choice.
  std::sort(all.begin(), all.end(), [&](const auto& a, const auto& b) {
    const auto key = [&](const RightConfiguration& one) {
      return trial_seed(settings, one.opaque_name + one.configuration);
    };
    return key(a) < key(b);
  });
  return all;
}

properties::Plan plan_of(const RightConfiguration& one) {
  properties::Settings settings = default_settings();
  settings.only = {fmt::format("*[{}]", one.configuration)};
  return properties::make_plan({opaque(*one.entry, one.opaque_name)}, settings);
}

void note_offence(FalseAlarms& counts, const RightConfiguration& one,
                  const properties::RunResult& run) {
  if (counts.offences.size() >= kOffencesShown) return;
  const auto first = std::min_element(
      run.findings.begin(), run.findings.end(),
      [](const Finding& a, const Finding& b) { return a.verdict < b.verdict; });
  Offence offence{one.entry->name, one.configuration, run.seed,
                  Verdict::kNotRun, "nothing ran"};
  if (first != run.findings.end()) {
    offence.verdict = first->verdict;
    offence.sentence = fmt::format("{}: {}", first->check, first->sentence);
  }
  if (run.alarm) offence.sentence += "; the run as a whole alarms";
  counts.offences.push_back(std::move(offence));
}

void count(FalseAlarms& counts, const RightConfiguration& one,
           const properties::RunResult& run) {
  ++counts.runs;
  counts.findings += run.findings.size();
  counts.seconds += run.seconds;
  switch (properties::exit_status(run)) {
    case 0:
    case 5:  // The subject declares that it lacks all that was asked.
      return;
    case 1:
      ++counts.alarms;
      break;
    case 3:
      ++counts.inconclusive;
      break;
    default:
      ++counts.broken;
  }
  note_offence(counts, one, run);
}

/// Exact one-sided limit for the rate of something seen so often.
double limit(std::uint64_t seen, std::uint64_t runs) {
  if (runs == 0) return 1;
  return stats::clopper_pearson({seen, runs}, kTwoSided).upper;
}

Job job_of(Trials& trials, const RightConfiguration& one, std::size_t runs) {
  return {one.entry->name, runs, [&trials, one, runs](const auto& step) {
            properties::Plan plan = plan_of(one);
            const std::string id = id_of(*one.entry) + one.configuration;
            for (std::size_t k = 0; k < runs; ++k) {
              plan.settings.seed = trial_seed(trials.settings, id, k);
              const properties::RunResult run = properties::verify(plan);
              {
                const std::lock_guard lock(trials.mutex);
                count(trials.result.false_alarms, one, run);
              }
              if (!step()) return;
            }
          }};
}

}  // namespace

void plan_false_alarms(Trials& trials) {
  const std::uint64_t runs = trials.settings.runs.value_or(
      trials.settings.profile == Profile::kQuick ? kQuickRuns : kFullRuns);
  const auto all = right_configurations(trials.settings);
  std::uint64_t shares = 0;
  for (const RightConfiguration& one : all) shares += one.share;
  std::uint64_t before = 0;
  std::set<const SubjectEntry*> subjects;
  for (const RightConfiguration& one : all) {
    // Rounded so that all together are `runs`.
    const std::uint64_t own =
        runs * (before + one.share) / shares - runs * before / shares;
    before += one.share;
    if (own == 0) continue;
    trials.jobs.push_back(job_of(trials, one, own));
    subjects.insert(one.entry);
    ++trials.result.false_alarms.configurations;
  }
  trials.result.false_alarms.subjects = subjects.size();
}

void judge_false_alarms(SelfTestResult& result) {
  FalseAlarms& counts = result.false_alarms;
  counts.alarm_limit = limit(counts.alarms, counts.runs);
  counts.inconclusive_limit = limit(counts.inconclusive, counts.runs);
  for (const Offence& offence : counts.offences) {
    result.failures.push_back(
        fmt::format("{} is right, but is {} at {} with seed {}: {}; dropcheck "
                    "verify {} --profile smoke --p 0.1,0.05,0.3,0.5,0.9 "
                    "--only '*[{}]' --seed {} repeats it",
                    offence.subject, name_of(offence.verdict),
                    offence.configuration, offence.seed, offence.sentence,
                    offence.subject, offence.configuration, offence.seed));
  }
}

std::vector<std::string> false_alarm_ids() {
  std::vector<std::string> ids;
  for (const SubjectEntry* entry : right_layers()) {
    ids.push_back(id_of(*entry));
  }
  return ids;
}

}  // namespace dropcheck::self_test
