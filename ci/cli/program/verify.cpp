#include <algorithm>

#include "commands.hpp"
#include "dropcheck/cli/names.hpp"
#include "dropcheck/cli/selection.hpp"
#include "dropcheck/cli/usage_error.hpp"
#include "dropcheck/impl/adapters/doors.hpp"
#include "dropcheck/properties/glob.hpp"

namespace dropcheck::cli {

namespace {

/// An entry of a subject that nobody knows would never be judged.
void refuse_unknown_subjects(const std::vector<reports::Deviation>& deviations,
                             const std::vector<impl::SubjectEntry>& all) {
  std::vector<std::string> names;
  for (const auto& entry : all) names.push_back(entry.name);
  for (const auto& deviation : deviations) {
    const std::string& subject = deviation.subject;
    if (impl::adapters::is_door(subject)) continue;
    const bool known =
        std::any_of(names.begin(), names.end(), [&](const std::string& name) {
          return properties::glob_matches(subject, name);
        });
    if (known) continue;
    throw UsageError("--deviations: subject is '" + subject +
                     "', but nothing has this name" +
                     did_you_mean_one_of(subject, names));
  }
}

/// Only what is chosen stays in memory, not every subject there is.
Run planned_run(const Options& options) {
  const properties::Settings settings = settings_of(options);
  const auto all = all_subjects(options, named_by(options));
  const auto entries =
      select_subjects(all, {options.subjects, options.layers}, layer_names());
  refuse_workers(options, entries);
  Run run;
  run.deviations = check_files(options);
  refuse_unknown_subjects(run.deviations, all);
  run.plan = plan_or_refuse(entries, settings, options);
  return run;
}

}  // namespace

int verify_command(const Context& context) {
  return run_and_report(context, planned_run(context.options));
}

}  // namespace dropcheck::cli
