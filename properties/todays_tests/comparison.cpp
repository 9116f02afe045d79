#include "comparison.hpp"

#include <tbb/parallel_for.h>

#include <algorithm>
#include <exception>

#include "dropcheck/properties/verify.hpp"

namespace dropcheck::properties::todays_tests {
namespace {

enum class Outcome { kFails, kPasses, kPassesGranted, kHangs };

std::vector<Case> cases_for(const TodaysTest& test, const std::string& layer,
                            std::uint64_t run) {
  std::vector<Case> cases;
  for (const Case& situation : test.cases) {
    if (situation.layer.empty() || situation.layer == layer) {
      cases.push_back(situation);
    }
  }
  if (test.choice == Cases::kOneAtRandom) {
    // 7 and the number of cases have no common divisor: runs differ.
    cases = {cases[7 * run % cases.size()]};
  }
  return cases;
}

Outcome run_once(const TodaysTest& test, const impl::SubjectEntry& entry,
                 std::uint64_t run) {
  try {
    // Far apart: a layer takes a seed for every case.
    Trial trial(entry, (run + 1) << 20U);
    for (const Case& situation : cases_for(test, entry.layer, run)) {
      if (!test.passes(situation, trial)) return Outcome::kFails;
    }
    return trial.granted() ? Outcome::kPassesGranted : Outcome::kPasses;
  } catch (const impl::SubjectTimeout&) {
    return Outcome::kHangs;
  } catch (const std::exception&) {
    return Outcome::kFails;
  }
}

bool is_long(const TodaysTest& test) { return decisions(test) > 1e7; }

int runs_of(const TodaysTest& test) { return is_long(test) ? 3 : 11; }

/// Whether the runs that are left cannot change the verdict.
bool settled(const Record& record, int most) {
  return 2 * record.granted > most || 2 * (record.runs - record.passed) > most;
}

Record hung(const TodaysTest& test, const impl::SubjectEntry& entry) {
  return {.subject = entry.name, .runs = runs_of(test), .hangs = true};
}

}  // namespace

Record try_layer(const TodaysTest& test, const impl::SubjectEntry& entry) {
  Record record{.subject = entry.name};
  const int most = runs_of(test);
  while (record.runs < most && !(is_long(test) && settled(record, most))) {
    const Outcome outcome =
        run_once(test, entry, static_cast<std::uint64_t>(record.runs));
    if (outcome == Outcome::kHangs) return hung(test, entry);
    ++record.runs;
    record.passed += outcome != Outcome::kFails;
    record.granted += outcome == Outcome::kPassesGranted;
  }
  return record;
}

bool applies(const TodaysTest& test, const impl::SubjectEntry& entry) {
  return std::find(test.layers.begin(), test.layers.end(), entry.layer) !=
         test.layers.end();
}

std::vector<Record> try_layers(const TodaysTest& test,
                               const std::vector<impl::SubjectEntry>& entries,
                               std::set<std::string>& hanging) {
  std::vector<const impl::SubjectEntry*> chosen;
  for (const impl::SubjectEntry& entry : entries) {
    if (applies(test, entry)) chosen.push_back(&entry);
  }
  std::vector<Record> records(chosen.size());
  tbb::parallel_for(std::size_t{0}, chosen.size(), [&](std::size_t i) {
    const impl::SubjectEntry& entry = *chosen[i];
    records[i] = hanging.count(entry.name) > 0 ? hung(test, entry)
                                               : try_layer(test, entry);
  });
  for (const Record& record : records) {
    if (record.hangs) hanging.insert(record.subject);
  }
  return records;
}

Refutation refute(const impl::SubjectEntry& entry) {
  const impl::Trial& trial = entry.trial;
  Settings settings;
  settings.profile = profile_from_name(trial.profile).value();
  settings.drop_probabilities = {trial.drop_probability};
  settings.dtypes = {trial.dtype};
  settings.only = {entry.caught_by};
  settings.seed = 1;
  settings.call_timeout_seconds = trial.call_timeout_seconds;
  const bool refuted = exit_status(verify(make_plan({entry}, settings))) == 1;
  return {.subject = entry.name,
          .check = entry.caught_by,
          .profile = trial.profile,
          .drop = trial.drop_probability,
          .refuted = refuted};
}

}  // namespace dropcheck::properties::todays_tests
