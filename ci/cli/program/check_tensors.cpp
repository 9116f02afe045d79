#include <stdexcept>

#include "commands.hpp"
#include "dropcheck/cli/environment.hpp"
#include "dropcheck/cli/names.hpp"
#include "dropcheck/cli/time_text.hpp"
#include "dropcheck/cli/usage_error.hpp"
#include "dropcheck/impl/adapters/recorded_tensors.hpp"
#include "dropcheck/properties/recorded.hpp"

namespace dropcheck::cli {
namespace {

impl::LayerConfig config_of(const Options& options) {
  impl::LayerConfig config;
  config.layer = options.layers.front();
  config.drop_probability = options.drop_probabilities.front();
  config.channels_last = options.channels_last;
  config.scale_by_keep = !options.unscaled;
  const auto known = layer_names();
  if (impl::find_law(config.layer) != nullptr) return config;
  throw UsageError("--layer is '" + config.layer + "', but must be one of " +
                   join(known) + did_you_mean(config.layer, known));
}

properties::RunResult judge_or_refuse(const properties::Recording& recording,
                                      double alpha) {
  try {
    return properties::judge_recording(recording, alpha);
  } catch (const std::logic_error& error) {  // a shape, a dtype, a number
    throw UsageError(error.what());
  }
}

}  // namespace

int check_tensors_command(const Context& context) {
  const Options& options = context.options;
  const impl::LayerConfig config = config_of(options);
  check_files(options);
  auto tensors = impl::adapters::read_recorded(options.subjects);
  properties::RunResult result = judge_or_refuse(
      {config, std::move(tensors.input), std::move(tensors.outputs)},
      options.alpha);
  result.started = utc_now();
  result.environment = environment();
  result.command = "dropcheck " + join(context.arguments, " ");
  return report(context, result);
}

}  // namespace dropcheck::cli
