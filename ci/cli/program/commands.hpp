#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <vector>

#include "dropcheck/cli/options.hpp"
#include "dropcheck/cli/terminal.hpp"
#include "dropcheck/impl/law.hpp"
#include "dropcheck/properties/plan.hpp"
#include "dropcheck/properties/run_result.hpp"
#include "dropcheck/reports/deviations.hpp"

namespace dropcheck::cli {

/// What every command gets.
struct Context {
  Options options;
  std::vector<std::string> arguments;  ///< as typed, for the report
  Terminal out;
  Terminal err;
  const std::atomic<bool>* interrupt = nullptr;
};

/// Each returns the exit status; mistakes of the user are UsageErrors.
int verify_command(const Context& context);
int plan_command(const Context& context);
int list_command(const Context& context);
int explain_command(const Context& context);
int replay_command(const Context& context);
int identify_command(const Context& context);
int self_test_command(const Context& context);
int adapter_command(const Context& context);
int check_tensors_command(const Context& context);
int deviations_command(const Context& context);

/// The laws of all layers, then of all networks.
std::vector<const impl::Law*> all_laws();

/// What may be named on the command line.
std::vector<std::string> layer_names();
std::vector<std::string> check_names();

/// Names of subjects, of which some may be doors to other programs, and the
/// layer of those that name none themselves.
struct Named {
  std::vector<std::string> subjects = {};
  std::string layer = {};
};

/// Every subject that this program knows, and those behind the named doors. A
/// door that cannot be read is a UsageError.
std::vector<impl::SubjectEntry> all_subjects(const Options& options,
                                             const Named& named = {});

/// What the options of verify and plan name.
Named named_by(const Options& options);

/// With --in-process, subjects that live in a worker are a UsageError.
void refuse_workers(const Options& options,
                    const std::vector<impl::SubjectEntry>& entries);

/// Of the threads that were asked for, as many as are of use: each opens
/// subjects of its own. Says so where these are fewer.
unsigned useful_threads(unsigned asked);

/// The settings of a run, with a fresh seed where none is given.
properties::Settings settings_of(const Options& options);

/// Where no seed is given.
std::uint64_t fresh_seed();

/// make_plan; a plan that cannot be, holds nothing, misses an --only pattern or
/// a subject that is named, or does not fit the time limit is a UsageError.
properties::Plan plan_or_refuse(const std::vector<impl::SubjectEntry>& subjects,
                                const properties::Settings& settings,
                                const Options& options);

/// What a run will detect and how long it takes, in a few lines.
std::string forecast(const properties::Plan& plan);

/// Report paths that can be written, and the deviations: before the run.
std::vector<reports::Deviation> check_files(const Options& options);

/// Carries a plan out, writes the reports, prints the summary, and returns the
/// exit status.
struct Run {
  properties::Plan plan;
  std::vector<reports::Deviation> deviations;
};
int run_and_report(const Context& context, const Run& run);

/// Writes the reports of a result that is there, prints its summary, and
/// returns the exit status.
int report(const Context& context, const properties::RunResult& result);

}  // namespace dropcheck::cli
