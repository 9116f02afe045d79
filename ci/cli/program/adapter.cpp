#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <set>

#include "commands.hpp"
#include "dropcheck/cli/exit_status.hpp"
#include "dropcheck/cli/output.hpp"
#include "dropcheck/impl/adapters/adapter_trials.hpp"

namespace dropcheck::cli {
namespace {

using impl::adapters::AdapterTrial;
using Outcome = AdapterTrial::Outcome;

const char* mark_of(Outcome outcome, bool unicode) {
  switch (outcome) {
    case Outcome::kPassed:
      return unicode ? "\u2713" : "ok  ";
    case Outcome::kFailed:
      return unicode ? "\u2717" : "FAIL";
    case Outcome::kNotTried:
      return unicode ? "\u00b7" : "-   ";
  }
  return "?";
}

std::string text_of(const std::vector<AdapterTrial>& trials, bool unicode) {
  std::string text;
  std::size_t failed = 0;
  std::size_t not_tried = 0;
  std::set<std::string> failures;
  for (const AdapterTrial& trial : trials) {
    // One cause may fail many trials.
    const bool again = trial.outcome == Outcome::kFailed &&
                       !failures.insert(trial.sentence).second;
    text += fmt::format("{} {:<18} {}\n", mark_of(trial.outcome, unicode),
                        trial.name, again ? "the same" : trial.sentence);
    failed += trial.outcome == Outcome::kFailed;
    not_tried += trial.outcome == Outcome::kNotTried;
  }
  return text + fmt::format("\n{} trials: {} failed, {} not tried, {} passed\n",
                            trials.size(), failed, not_tried,
                            trials.size() - failed - not_tried);
}

bool any_failed(const std::vector<AdapterTrial>& trials) {
  return std::any_of(trials.begin(), trials.end(), [](const auto& trial) {
    return trial.outcome == Outcome::kFailed;
  });
}

}  // namespace

int adapter_command(const Context& context) {
  impl::adapters::WorkerOptions options;
  options.command = context.options.subjects;
  options.call_timeout = std::chrono::milliseconds(
      static_cast<std::int64_t>(1000 * context.options.call_timeout_seconds));
  options.start_timeout = options.call_timeout;
  options.reuse = false;
  const auto trials = impl::adapters::try_adapter(options);
  print(text_of(trials, context.out.unicode));
  return any_failed(trials) ? kEnvironment : kSuccess;
}

}  // namespace dropcheck::cli
