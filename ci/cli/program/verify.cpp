#include "commands.hpp"
#include "dropcheck/cli/selection.hpp"

namespace dropcheck::cli {

int verify_command(const Context& context) {
  const Options& options = context.options;
  const properties::Settings settings = settings_of(options);
  const auto entries =
      select_subjects(all_subjects(options, named_by(options)),
                      {options.subjects, options.layers}, layer_names());
  refuse_workers(options, entries);
  Run run;
  run.deviations = check_files(options);
  run.plan = plan_or_refuse(entries, settings, options);
  return run_and_report(context, run);
}

}  // namespace dropcheck::cli
