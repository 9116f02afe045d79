#include <fmt/format.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <stdexcept>

#include "commands.hpp"
#include "dropcheck/cli/exit_status.hpp"
#include "dropcheck/cli/names.hpp"
#include "dropcheck/cli/output.hpp"
#include "dropcheck/cli/time_text.hpp"
#include "dropcheck/cli/usage_error.hpp"
#include "dropcheck/reports/atomic_write.hpp"
#include "dropcheck/reports/json.hpp"

namespace dropcheck::cli {
namespace {

using properties::RunResult;
using properties::Verdict;
using reports::Deviation;
using reports::EntryFate;
using State = EntryFate::State;

// Warned of while there is time to look again.
constexpr std::chrono::days kSoon{30};

// What several runs found, as one run: an entry may cover one subject in one
// and another one in the next.
RunResult read_results(const std::vector<std::string>& paths) {
  RunResult all;
  for (const std::string& path : paths) {
    try {
      RunResult one = reports::read_json(path);
      all.interrupted = all.interrupted || one.interrupted;
      for (auto& finding : one.findings) {
        all.findings.push_back(std::move(finding));
      }
    } catch (const std::runtime_error& error) {
      throw UsageError(error.what());
    }
  }
  reports::withdraw_deviations(all);
  return all;
}

std::vector<Deviation> read_or_refuse(const std::string& path) {
  try {
    return reports::read_deviations(path);
  } catch (const std::runtime_error& error) {
    throw UsageError(error.what());
  }
}

const char* mark(bool good, bool unicode) {
  if (unicode) return good ? "\u2713 " : "\u2717 ";
  return good ? "ok   " : "FAIL ";
}

std::string fate_text(const EntryFate& fate) {
  switch (fate.state) {
    case State::kCovers:
      return "declares " + counted(fate.findings, "finding");
    case State::kUndecided:
      return "is not decided by these results";
    case State::kOfOthers:
      return "is of subjects that are not in these results";
    default:
      return "";
  }
}

bool is_open(const properties::Finding& finding) {
  return finding.verdict == Verdict::kRefuted ||
         finding.verdict == Verdict::kCrash ||
         finding.verdict == Verdict::kTimeout ||
         finding.verdict == Verdict::kError;
}

struct Judged {
  RunResult result;
  std::vector<EntryFate> fates;
};

Judged judge(RunResult result, const std::vector<Deviation>& deviations) {
  Judged judged{std::move(result), {}};
  judged.fates =
      reports::apply_deviations(judged.result, deviations, utc_today());
  return judged;
}

std::string judgement_text(const Judged& judged,
                           const std::vector<Deviation>& deviations,
                           bool unicode) {
  std::string text;
  const char* good = mark(true, unicode);
  const char* bad = mark(false, unicode);
  for (std::size_t i = 0; i < deviations.size(); ++i) {
    const EntryFate& fate = judged.fates[i];
    text += fate.problem.empty()
                ? fmt::format("{}deviation \"{}\" of \"{}\" {}\n", good,
                              deviations[i].id, deviations[i].subject,
                              fate_text(fate))
                : bad + fate.problem + "\n";
  }
  std::size_t open = 0;
  for (const auto& finding : judged.result.findings) {
    if (!is_open(finding)) continue;
    ++open;
    text += fmt::format("{}not declared: {} of {}: {}\n", bad, finding.id,
                        finding.subject, on_one_line(finding.sentence));
  }
  return text + fmt::format("\n{}, {} wrong; {}, {} not declared\n",
                            deviations.size() == 1
                                ? "1 entry"
                                : fmt::format("{} entries", deviations.size()),
                            judged.result.deviation_problems.size(),
                            counted(judged.result.findings.size(), "finding"),
                            open);
}

void warn_of_what_expires_soon(const std::vector<Deviation>& deviations) {
  const auto today = std::chrono::sys_days(utc_today());
  for (const Deviation& deviation : deviations) {
    if (!deviation.expires) continue;
    const auto left = std::chrono::sys_days(*deviation.expires) - today;
    if (left < std::chrono::days(0) || left > kSoon) continue;
    complain(
        fmt::format("warning: deviation \"{}\" of \"{}\" expires in {}",
                    deviation.id, deviation.subject,
                    counted(static_cast<std::size_t>(left.count()), "day")));
  }
}

// Without results only dates can be wrong.
int check_alone(const Context& context,
                const std::vector<Deviation>& deviations) {
  const auto today = utc_today();
  std::size_t expired = 0;
  std::string text;
  for (const Deviation& deviation : deviations) {
    const bool late = deviation.expires && *deviation.expires < today;
    expired += late;
    text +=
        fmt::format("{}deviation \"{}\" of \"{}\"{}\n",
                    mark(!late, context.out.unicode), deviation.id,
                    deviation.subject, late ? " has expired" : " can be read");
  }
  text += fmt::format("\n{} {}, {} expired\n", deviations.size(),
                      deviations.size() == 1 ? "entry" : "entries", expired);
  print(text);
  return expired > 0 ? kUsage : kSuccess;
}

int check(const Context& context) {
  const auto& files = context.options.subjects;
  const auto deviations = read_or_refuse(files.front());
  warn_of_what_expires_soon(deviations);
  if (files.size() == 1) return check_alone(context, deviations);
  const Judged judged =
      judge(read_results({files.begin() + 1, files.end()}), deviations);
  print(judgement_text(judged, deviations, context.out.unicode));
  return properties::exit_status(judged.result);
}

constexpr const char* kNewFile =
    "# Known deviations: dropcheck verify --deviations THIS_FILE accepts what\n"
    "# stands here, and fails when an entry matches nothing any more.\n";

std::string text_of_file(const std::string& path) {
  std::error_code error;
  if (!std::filesystem::exists(path, error)) return kNewFile;
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

void print_changes(const reports::DeviationsUpdate& update,
                   const std::string& path) {
  std::string text;
  for (const auto& entry : update.removed) text += "- " + entry + "\n";
  for (const auto& entry : update.raised) text += "~ " + entry + "\n";
  for (const auto& entry : update.added) text += "+ " + entry + "\n";
  text += fmt::format("\n{}: {} removed, {} changed, {} added\n", path,
                      update.removed.size(), update.raised.size(),
                      update.added.size());
  print(text);
}

reports::DeviationsUpdate updated(const std::string& text,
                                  const std::vector<Deviation>& deviations,
                                  const Judged& judged,
                                  const Options& options) {
  try {
    return reports::update_deviations(
        text, deviations, judged.fates, judged.result,
        {options.url, options.reason, options.expires});
  } catch (const std::invalid_argument& error) {
    throw UsageError(std::string(error.what()) +
                     (options.url.empty() ? "; --url gives it" : ""));
  }
}

int update(const Context& context) {
  const auto& files = context.options.subjects;
  const std::string& path = files.front();
  const std::string before = text_of_file(path);
  const auto parse = [&](const std::string& text) {
    try {
      return reports::parse_deviations(text, path);
    } catch (const std::runtime_error& error) {
      throw UsageError(error.what());
    }
  };
  const auto deviations = parse(before);
  const RunResult result = read_results({files.begin() + 1, files.end()});
  const auto change =
      updated(before, deviations, judge(result, deviations), context.options);
  const auto now = parse(change.text);  // never write what cannot be read
  try {
    if (change.text != before) reports::atomic_write(path, change.text);
  } catch (const std::exception& error) {
    throw EnvironmentError(error.what());
  }
  print_changes(change, path);
  const Judged after = judge(result, now);
  for (const auto& problem : after.result.deviation_problems) {
    complain(problem);
  }
  return properties::exit_status(after.result);
}

}  // namespace

int deviations_command(const Context& context) {
  return context.options.topic == "check" ? check(context) : update(context);
}

}  // namespace dropcheck::cli
