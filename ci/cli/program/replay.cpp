#include <fmt/format.h>

#include <stdexcept>

#include "commands.hpp"
#include "dropcheck/cli/output.hpp"
#include "dropcheck/cli/selection.hpp"
#include "dropcheck/cli/usage_error.hpp"
#include "dropcheck/properties/verify.hpp"

namespace dropcheck::cli {
namespace {

properties::ReplayToken token_or_refuse(const std::string& text) {
  try {
    return properties::decode_token(text);
  } catch (const std::invalid_argument& error) {
    throw UsageError(fmt::format("token '{}': {}", text, error.what()));
  }
}

void warn_of_other_version(const properties::ReplayToken& token) {
  if (token.version == DROPCHECK_VERSION) return;
  complain(
      fmt::format("warning: the token is of dropcheck {}, this is {}; "
                  "the finding may differ",
                  token.version, DROPCHECK_VERSION));
}

}  // namespace

int replay_command(const Context& context) {
  const Options& options = context.options;
  const properties::ReplayToken token = token_or_refuse(options.topic);
  const impl::SubjectEntry entry =
      find_subject(all_subjects(options, {{token.subject}, token.config.layer}),
                   token.subject);
  Run run;
  run.deviations = check_files(options);
  try {
    run.plan =
        properties::replay_plan(token, entry, options.call_timeout_seconds);
  } catch (const std::invalid_argument& error) {
    throw UsageError(
        fmt::format("token '{}': {}", options.topic, error.what()));
  }
  warn_of_other_version(token);
  run.plan.settings.threads = useful_threads(options.threads);
  return run_and_report(context, run);
}

}  // namespace dropcheck::cli
