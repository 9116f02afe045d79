// Every wrong layer of the zoo, under an opaque name, against the check that
// must refute it and against the others.
#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <string_view>

#include "dropcheck/properties/check_catalogue.hpp"
#include "dropcheck/properties/verify.hpp"
#include "dropcheck/self_test/opaque.hpp"
#include "trials.hpp"

namespace dropcheck::self_test {
namespace {

using impl::SubjectEntry;
using properties::Finding;
using properties::Verdict;

/// Dear beside the others: the quick profile runs them only where they are the
/// check that must refute.
const std::set<std::string_view> kDear{"resolution", "independence_seeds",
                                       "long_stream", "self_normalisation",
                                       "value_independence"};

std::vector<const SubjectEntry*> zoo() {
  std::vector<const SubjectEntry*> all;
  for (const auto* part :
       {&impl::faulty_subjects(), &impl::faulty_networks()}) {
    for (const SubjectEntry& entry : *part) all.push_back(&entry);
  }
  return all;
}

std::string id_of(const SubjectEntry& entry) { return "kill." + entry.name; }

properties::Profile profile_of(const SubjectEntry& entry) {
  return properties::profile_from_name(entry.trial.profile).value();
}

/// A smaller tolerance costs so much that the named check must do, at least
/// quickly.
std::vector<std::string> checks_to_run(const SubjectEntry& entry,
                                       Profile profile) {
  const bool smoke = profile_of(entry) == properties::Profile::kSmoke;
  if (profile == Profile::kFull && smoke) return {};
  if (!smoke) return {entry.caught_by};
  std::vector<std::string> some{entry.caught_by};
  for (const properties::CheckInfo& check : properties::checks()) {
    if (kDear.count(check.name) == 0) some.emplace_back(check.name);
  }
  return some;
}

properties::Settings settings_of(const SubjectEntry& entry,
                                 const Settings& settings) {
  properties::Settings trial;
  trial.profile = profile_of(entry);
  trial.drop_probabilities = {entry.trial.drop_probability};
  trial.dtypes = {entry.trial.dtype};
  trial.call_timeout_seconds = entry.trial.call_timeout_seconds;
  trial.only = checks_to_run(entry, settings.profile);
  trial.seed = trial_seed(settings, id_of(entry));
  trial.threads = 1;
  return trial;
}

bool is_refuted(const Finding& finding) {
  return finding.verdict == Verdict::kRefuted ||
         finding.verdict == Verdict::kTimeout ||
         finding.verdict == Verdict::kCrash;
}

void add_once(std::vector<std::string>& names, const std::string& name) {
  if (std::find(names.begin(), names.end(), name) == names.end()) {
    names.push_back(name);
  }
}

/// Of several configurations, the first that was refuted is shown.
void take_named(Kill& kill, const Finding& finding, const SubjectEntry& entry) {
  if (kill.killed) return;
  kill.verdict = finding.verdict;
  kill.killed = is_refuted(finding);
  kill.sentence = finding.sentence;
  kill.names_cause =
      finding.sentence.find(entry.trial.says) != std::string::npos;
  kill.n = finding.n;
  kill.seconds = finding.seconds;
}

Kill kill_of(const SubjectEntry& entry, const properties::RunResult& result) {
  Kill kill;
  kill.subject = entry.name;
  kill.layer = entry.layer;
  kill.defect = entry.defect;
  kill.effect = entry.trial.effect;
  kill.caught_by = entry.caught_by;
  kill.profile = entry.trial.profile;
  kill.drop_probability = entry.trial.drop_probability;
  for (const Finding& finding : result.findings) {
    add_once(kill.looked, finding.check);
    if (finding.check == entry.caught_by) {
      take_named(kill, finding, entry);
    } else if (is_refuted(finding)) {
      add_once(kill.also, finding.check);
    }
  }
  return kill;
}

}  // namespace

void plan_kills(Trials& trials) {
  std::size_t index = 0;
  for (const SubjectEntry* entry : zoo()) {
    const std::string name = fmt::format("subject-{}", ++index);
    if (!is_asked(trials.settings, id_of(*entry))) continue;
    const bool quick = trials.settings.profile == Profile::kQuick;
    if (quick && profile_of(*entry) > properties::Profile::kPr) {
      trials.result.left_out.push_back(entry->name);
      continue;
    }
    const std::size_t place = trials.result.kills.size();
    trials.result.kills.push_back(kill_of(*entry, {}));
    trials.jobs.push_back(
        {entry->name, 1, [&trials, entry, name, place](const auto& step) {
           const properties::RunResult result = properties::verify(
               properties::make_plan({opaque(*entry, name)},
                                     settings_of(*entry, trials.settings)));
           // Its place is its own: no other job touches it.
           trials.result.kills[place] = kill_of(*entry, result);
           step();
         }});
  }
}

void judge_kills(SelfTestResult& result) {
  for (const Kill& kill : result.kills) {
    if (!kill.killed) {
      result.failures.push_back(fmt::format(
          "{} must be refuted by {} at {}, but is {}{}{}", kill.subject,
          kill.caught_by, kill.profile, name_of(kill.verdict),
          kill.sentence.empty() ? "" : ": ", kill.sentence));
    } else if (!kill.names_cause) {
      result.failures.push_back(
          fmt::format("{} is refuted by {}, but the sentence does not name the "
                      "cause: {}",
                      kill.subject, kill.caught_by, kill.sentence));
    }
  }
}

std::vector<std::string> kill_ids() {
  std::vector<std::string> ids;
  for (const SubjectEntry* entry : zoo()) ids.push_back(id_of(*entry));
  return ids;
}

}  // namespace dropcheck::self_test
