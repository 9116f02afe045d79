#include "self_test_words.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "text.hpp"

namespace dropcheck::reports {

using self_test::FalseAlarms;
using self_test::Kill;
using self_test::Power;
using self_test::SelfTestResult;

const char* const kFalseAlarmRemark =
    "So many runs show no rate below that limit. That a run of right layers "
    "alarms at most once in 10^9 rests on the exact means of the e-values, "
    "which are computed below.";

namespace {

bool has(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

}  // namespace

std::string kill_summary(const SelfTestResult& result) {
  const auto killed = static_cast<std::uint64_t>(
      std::count_if(result.kills.begin(), result.kills.end(),
                    [](const Kill& kill) { return kill.killed; }));
  const std::string of = fmt::format(
      "{} of {}", grouped(killed), counted(result.kills.size(), "wrong layer"));
  std::string text =
      result.kills.size() == 1
          ? of +
                " is refuted by the check that must refute it, under an opaque "
                "name"
          : of + " are refuted by the check that must refute them, each under "
                 "an opaque name";
  if (!result.left_out.empty()) {
    text += fmt::format("; {} more wait for the full profile",
                        result.left_out.size());
  }
  return text + '.';
}

std::string false_alarm_summary(const FalseAlarms& counts) {
  return fmt::format(
      "{} on {} in {}, {}: {}, rate at most {:.2g}; {} inconclusive, rate at "
      "most {:.2g} (exact, 95 %).",
      counted(counts.runs, "run"), counted(counts.subjects, "right layer"),
      counted(counts.configurations, "configuration"),
      counted(counts.findings, "finding"), counted(counts.alarms, "alarm"),
      counts.alarm_limit, counts.inconclusive, counts.inconclusive_limit);
}

std::string power_summary(const SelfTestResult& result) {
  std::uint64_t runs = 0;
  std::uint64_t found = 0;
  for (const Power& power : result.powers) {
    if (!power.judged) continue;
    runs += power.runs;
    found += power.found;
  }
  return fmt::format(
      "{} of {} planted at the size that the plan says is found were found.",
      grouped(found), counted(runs, "defect"));
}

std::string statistics_summary(const SelfTestResult& result) {
  const auto right = static_cast<std::uint64_t>(
      std::count_if(result.exactness.begin(), result.exactness.end(),
                    [](const auto& row) { return row.right; }));
  return fmt::format("{} of {} hold, computed exactly.", right,
                     counted(result.exactness.size(), "promise"));
}

std::string self_test_conclusion(const SelfTestResult& result) {
  if (result.failures.empty()) return "All is as it must be.";
  return fmt::format("{} not as {} must be.",
                     result.failures.size() == 1
                         ? "1 thing is"
                         : fmt::format("{} things are", result.failures.size()),
                     result.failures.size() == 1 ? "it" : "they");
}

Hit hit_of(const Kill& kill, const std::string& check) {
  if (check == kill.caught_by) return kill.killed ? Hit::kNamed : Hit::kMissed;
  if (has(kill.also, check)) return Hit::kRefuted;
  return has(kill.looked, check) ? Hit::kPassed : Hit::kNotLooked;
}

std::string short_name(const Kill& kill) {
  return kill.subject.substr(kill.subject.find(':') + 1);
}

}  // namespace dropcheck::reports
