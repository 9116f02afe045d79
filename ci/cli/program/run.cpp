#include <chrono>
#include <exception>
#include <functional>
#include <iostream>
#include <optional>
#include <stdexcept>
#include <utility>

#include "commands.hpp"
#include "dropcheck/cli/environment.hpp"
#include "dropcheck/cli/exit_status.hpp"
#include "dropcheck/cli/output.hpp"
#include "dropcheck/cli/progress.hpp"
#include "dropcheck/cli/time_text.hpp"
#include "dropcheck/cli/usage_error.hpp"
#include "dropcheck/properties/verify.hpp"
#include "dropcheck/reports/atomic_write.hpp"
#include "dropcheck/reports/badge.hpp"
#include "dropcheck/reports/html.hpp"
#include "dropcheck/reports/json.hpp"
#include "dropcheck/reports/junit.hpp"
#include "dropcheck/reports/markdown.hpp"
#include "dropcheck/reports/terminal.hpp"
#include "lifetime.hpp"

namespace dropcheck::cli {
namespace {

using properties::RunResult;

struct Report {
  const char* option;
  std::string path;
  std::function<std::string(const RunResult&)> render;
};

std::vector<Report> wanted_reports(const ReportPaths& paths) {
  const std::vector<Report> all = {
      {"--json", paths.json,
       [](const RunResult& r) { return reports::to_json(r).dump(2) + '\n'; }},
      {"--junit", paths.junit, reports::junit_xml},
      {"--html", paths.html, reports::html_report},
      {"--markdown", paths.markdown, reports::markdown_summary},
      {"--badge", paths.badge, reports::badge_svg},
  };
  std::vector<Report> wanted;
  for (const Report& report : all) {
    if (!report.path.empty()) wanted.push_back(report);
  }
  return wanted;
}

// One report that fails must not cost the others.
bool write_reports(const RunResult& result, const ReportPaths& paths) {
  bool good = true;
  for (const Report& report : wanted_reports(paths)) {
    try {
      write_report(report.path, report.render(result));
    } catch (const std::exception& error) {
      complain(std::string(report.option) + ": " + error.what());
      good = false;
    }
  }
  return good;
}

RunResult verify_with_progress(const Context& context, const Run& run,
                               Night* night) {
  ProgressLine line(std::cerr, {context.err.rewrite, context.err.width,
                                ProgressLine::Clock::now});
  properties::Progress progress;
  progress.interrupt = context.interrupt;
  progress.report = [&](std::size_t done, std::size_t total,
                        const std::string& what) {
    line.update(done, total, what);
  };
  progress.known = [&run](const properties::Finding& finding) {
    return reports::is_declared(finding, run.deviations, utc_today());
  };
  if (night != nullptr) {
    progress.counted = [night](const auto& planned, const auto& counts) {
      night->record(planned, counts);
    };
  }
  RunResult result = properties::verify(run.plan, progress);
  line.finish();
  return result;
}

// What only the program knows.
void complete(RunResult& result, const Context& context, const Run& run) {
  const properties::Settings& settings = run.plan.settings;
  result.command = context.options.command == Command::kReplay
                       ? "dropcheck replay " + context.options.topic
                       : command_text(context.arguments, settings.seed);
  result.environment = environment();
}

// The counts of a night that cannot be written are lost: the run says so.
bool finish_night(Night& night, RunResult& result) {
  try {
    night.finish(result);
    return true;
  } catch (const std::exception& error) {
    complain(error.what());
    return false;
  }
}

double seconds_since(ProgressLine::Clock::time_point start) {
  return std::chrono::duration<double>(ProgressLine::Clock::now() - start)
      .count();
}

}  // namespace

std::vector<reports::Deviation> check_files(const Options& options) {
  for (const Report& report : wanted_reports(options.reports)) {
    if (report.path == kStandardOutput) continue;
    try {
      reports::check_writable(report.path);
    } catch (const std::runtime_error& error) {
      throw UsageError(std::string(report.option) + ": " + error.what());
    }
  }
  if (options.deviations.empty()) return {};
  try {
    return reports::read_deviations(options.deviations);
  } catch (const std::runtime_error& error) {
    throw UsageError(std::string("--deviations: ") + error.what());
  }
}

int run_and_report(const Context& context, const Run& run) {
  // May refuse, and then nothing begins.
  std::optional<Night> night;
  if (!context.options.lifetime.empty()) {
    night.emplace(context.options, run.plan);
  }
  if (!run.plan.configurations.empty()) std::cerr << forecast(run.plan);
  std::cerr << std::flush;
  const std::string started = utc_now();
  const auto start = ProgressLine::Clock::now();
  RunResult result =
      verify_with_progress(context, run, night ? &*night : nullptr);
  if (result.started.empty()) result.started = started;
  if (!(result.seconds > 0)) result.seconds = seconds_since(start);
  complete(result, context, run);
  reports::apply_deviations(result, run.deviations, utc_today());
  const bool entered = !night || finish_night(*night, result);
  return worse_status(report(context, result),
                      entered ? kSuccess : kEnvironment);
}

int report(const Context& context, const RunResult& result) {
  const bool written = write_reports(result, context.options.reports);
  print_beside(
      context.options.reports.on_standard_output(),
      reports::summary_table(result, {context.out.colour, context.out.width,
                                      context.out.unicode}));
  return worse_status(properties::exit_status(result),
                      written ? kSuccess : kEnvironment);
}

}  // namespace dropcheck::cli
