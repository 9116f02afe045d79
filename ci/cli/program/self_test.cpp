#include "dropcheck/self_test/self_test.hpp"

#include <algorithm>
#include <exception>
#include <iostream>

#include "commands.hpp"
#include "dropcheck/cli/exit_status.hpp"
#include "dropcheck/cli/names.hpp"
#include "dropcheck/cli/output.hpp"
#include "dropcheck/cli/progress.hpp"
#include "dropcheck/cli/time_text.hpp"
#include "dropcheck/cli/usage_error.hpp"
#include "dropcheck/properties/glob.hpp"
#include "dropcheck/reports/self_test.hpp"

namespace dropcheck::cli {
namespace {

using self_test::SelfTestResult;

constexpr int kFailed = 1;

self_test::Profile profile_or_refuse(const std::string& name) {
  if (const auto profile = self_test::profile_from_name(name)) return *profile;
  throw UsageError("--profile is '" + name +
                   "', but self-test has quick and full" +
                   did_you_mean(name, {"quick", "full"}));
}

void refuse_idle_pattern(const std::vector<std::string>& only) {
  if (only.empty()) return;
  const std::vector<std::string> ids = self_test::trial_ids();
  for (const std::string& glob : only) {
    const bool any =
        std::any_of(ids.begin(), ids.end(), [&](const std::string& id) {
          return properties::glob_matches(glob, id);
        });
    if (any) continue;
    throw UsageError("--only is '" + glob +
                     "', but no part of the self-test has such an id" +
                     did_you_mean(glob, ids));
  }
}

self_test::Settings settings_of_trial(const Options& options) {
  self_test::Settings settings;
  settings.profile = profile_or_refuse(options.profile);
  settings.seed = options.seed ? *options.seed : fresh_seed();
  settings.threads = options.threads;
  settings.only = options.only;
  settings.runs = options.runs;
  settings.time_limit_seconds = options.time_limit_seconds;
  return settings;
}

SelfTestResult run_with_progress(const Context& context,
                                 const self_test::Settings& settings) {
  ProgressLine line(std::cerr, {context.err.rewrite, context.err.width,
                                ProgressLine::Clock::now});
  self_test::Progress progress;
  progress.interrupt = context.interrupt;
  progress.report = [&](std::size_t done, std::size_t total,
                        const std::string& what) {
    line.update(done, total, what);
  };
  SelfTestResult result = self_test::run(settings, progress);
  line.finish();
  return result;
}

// One report that fails must not cost the other.
template <class Render>
bool write(const char* option, const std::string& path, const Render& render) {
  if (path.empty()) return true;
  try {
    write_report(path, render());
    return true;
  } catch (const std::exception& error) {
    complain(std::string(option) + ": " + error.what());
    return false;
  }
}

bool write_reports(const SelfTestResult& result, const ReportPaths& paths) {
  const bool json = write("--json", paths.json, [&] {
    return reports::to_json(result).dump(2) + '\n';
  });
  const bool html = write("--html", paths.html,
                          [&] { return reports::self_test_html(result); });
  return json && html;
}

}  // namespace

int self_test_command(const Context& context) {
  const Options& options = context.options;
  refuse_idle_pattern(options.only);
  const self_test::Settings settings = settings_of_trial(options);
  check_files(options);
  const std::string started = utc_now();
  SelfTestResult result = run_with_progress(context, settings);
  result.started = started;
  result.command = command_text(context.arguments, settings.seed);
  const bool written = write_reports(result, options.reports);
  print_beside(
      options.reports.on_standard_output(),
      reports::self_test_text(result, {context.out.colour, context.out.width,
                                       context.out.unicode}));
  if (result.interrupted) return kInterrupted;
  return worse_status(result.failures.empty() ? kSuccess : kFailed,
                      written ? kSuccess : kEnvironment);
}

}  // namespace dropcheck::cli
