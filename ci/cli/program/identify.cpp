

#include "dropcheck/properties/identify.hpp"

#include <exception>
#include <optional>
#include <stdexcept>

#include "commands.hpp"
#include "dropcheck/cli/exit_status.hpp"
#include "dropcheck/cli/output.hpp"
#include "dropcheck/cli/selection.hpp"
#include "dropcheck/cli/usage_error.hpp"
#include "dropcheck/reports/identification.hpp"

namespace dropcheck::cli {
namespace {

/// Nothing is refuted here; what cannot be told is inconclusive.
constexpr int kNotIdentified = 3;
constexpr int kCrashed = 1;

properties::Identification identify_or_refuse(
    const impl::SubjectEntry& entry,
    const properties::IdentifySettings& settings) {
  try {
    return properties::identify(entry, settings);
  } catch (const std::invalid_argument& error) {
    throw UsageError(std::string("--") + error.what());
  }
}

/// A network takes inputs of one size, which is no part of its law.
std::optional<impl::Shape> own_input(const impl::SubjectEntry& entry) {
  const impl::NetworkLaw* network = impl::law_of(entry).network;
  if (network == nullptr) return std::nullopt;
  impl::Shape shape{network->batch};
  shape.insert(shape.end(), network->sample.begin(), network->sample.end());
  return shape;
}

bool write_json(const std::string& path,
                const properties::Identification& found) {
  if (path.empty()) return true;
  try {
    write_report(path, reports::to_json(found).dump(2) + '\n');
  } catch (const std::exception& error) {
    complain(std::string("--json: ") + error.what());
    return false;
  }
  return true;
}

int status_of(const properties::Identification& found, bool written) {
  if (found.interrupted) return kInterrupted;
  const int status = found.identified ? kSuccess
                     : found.crashed  ? kCrashed
                                      : kNotIdentified;
  return worse_status(status, written ? kSuccess : kEnvironment);
}

}  // namespace

int identify_command(const Context& context) {
  const Options& options = context.options;
  const impl::SubjectEntry entry = find_subject(
      all_subjects(options, {{options.topic}, "dropout"}), options.topic);
  refuse_workers(options, {entry});
  check_files(options);
  properties::IdentifySettings settings;
  if (!options.drop_probabilities.empty()) {
    settings.config.drop_probability = options.drop_probabilities.front();
  }
  if (!options.dtypes.empty()) {
    settings.config.dtype = options.dtypes.front();
    settings.dtype_is_asked = true;
  }
  settings.shape = options.shapes.empty()
                       ? own_input(entry)
                       : std::optional(options.shapes.front());
  settings.seed = settings_of(options).seed;
  settings.interrupt = context.interrupt;
  const properties::Identification found = identify_or_refuse(entry, settings);
  const bool written = write_json(options.reports.json, found);
  print_beside(
      options.reports.on_standard_output(),
      reports::identification_text(
          found, {context.out.colour, context.out.width, context.out.unicode}));
  return status_of(found, written);
}

}  // namespace dropcheck::cli
