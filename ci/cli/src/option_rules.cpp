#include "option_rules.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "dropcheck/cli/names.hpp"
#include "dropcheck/cli/output.hpp"
#include "dropcheck/cli/usage_error.hpp"

namespace dropcheck::cli {

bool given(const CLI::App& app, const std::string& name) {
  const CLI::Option* option = app.get_option_no_throw(name);
  return option && option->count() > 0;
}

namespace {

std::vector<std::string> option_names(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::Option* option : app.get_options()) {
    for (const std::string& name : option->get_lnames()) {
      names.push_back("--" + name);
    }
  }
  return names;
}

std::vector<std::string> command_names(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::App* command : app.get_subcommands({})) {
    names.push_back(command->get_name());
  }
  return names;
}

void refuse_option(const CLI::App& app, const std::string& argument) {
  const std::string name = argument.substr(0, argument.find('='));
  if (app.get_name() == "adapter") {
    throw UsageError(fmt::format(
        "unknown option '{}'; a command and its options stand behind --",
        name));
  }
  throw UsageError(fmt::format("unknown option '{}'{}", name,
                               did_you_mean(name, option_names(app))));
}

void refuse_missing_topic(const Options& options) {
  if (!options.topic.empty()) return;
  if (options.command == Command::kExplain) {
    throw UsageError(
        "explain needs the name of a check; see 'dropcheck list checks'");
  }
  if (options.command == Command::kReplay) {
    throw UsageError("replay needs the token that a finding printed");
  }
  if (options.command == Command::kIdentify) {
    throw UsageError("identify needs a subject; see 'dropcheck list subjects'");
  }
}

void refuse_incomplete_adapter(const Options& options) {
  if (options.command != Command::kAdapter) return;
  if (options.topic != "verify") {
    throw UsageError(fmt::format(
        "adapter is followed by '{}', but must be by 'verify -- COMMAND'",
        options.topic));
  }
  if (options.subjects.empty()) {
    throw UsageError("adapter verify needs a command behind --");
  }
}

// A layer has one law for each p, dtype and shape: one is asked for.
void refuse_several(const Options& options) {
  if (options.command != Command::kIdentify) return;
  const std::pair<const char*, std::size_t> counts[] = {
      {"--p", options.drop_probabilities.size()},
      {"--dtype", options.dtypes.size()},
      {"--shape", options.shapes.size()}};
  for (const auto& [name, count] : counts) {
    if (count < 2) continue;
    throw UsageError(
        fmt::format("{} has {} values, but identify takes one", name, count));
  }
}

/// One name for each file, however it is written; none for a stream.
std::string canonical(const std::string& path) {
  if (path == kStandardOutput) return path;
  std::error_code error;
  const auto name = std::filesystem::weakly_canonical(path, error);
  return error ? path : name.string();
}

void refuse_unclear_recording(const Options& options) {
  if (options.command != Command::kCheckTensors) return;
  if (options.subjects.empty()) {
    throw UsageError("check-tensors needs the files of a recording");
  }
  if (options.layers.size() != 1 || options.drop_probabilities.size() != 1) {
    throw UsageError(
        "check-tensors needs one --layer and one --p: what the layer promises");
  }
}

void refuse_unclear_deviations(const CLI::App& app, const Options& options) {
  if (options.command != Command::kDeviations) return;
  if (options.topic != "check" && options.topic != "update") {
    throw UsageError(fmt::format(
        "deviations is followed by '{}', but must be by 'check FILE "
        "[RESULT.json ...]' or 'update FILE RESULT.json ...'",
        options.topic));
  }
  if (options.subjects.empty()) {
    throw UsageError("deviations " + options.topic + " needs a TOML file");
  }
  if (options.topic == "update") {
    if (options.subjects.size() > 1) return;
    throw UsageError(
        "deviations update needs the result of a run: verify ... --json FILE");
  }
  for (const char* name : {"--url", "--reason", "--expires"}) {
    if (!given(app, name)) continue;
    throw UsageError(std::string(name) +
                     " has a meaning for deviations update only");
  }
}

void refuse_shared_or_empty_paths(const CLI::App& app) {
  std::vector<std::pair<std::string, std::string>> seen;
  for (const std::string name : {"--json", "--junit", "--html", "--markdown",
                                 "--badge", "--deviations", "--lifetime"}) {
    if (!given(app, name)) continue;
    const auto path = app.get_option(name)->as<std::string>();
    if (path.empty()) {
      throw UsageError(name + " is '', but must be the path of a file");
    }
    const bool report = name != "--deviations" && name != "--lifetime";
    if (path == kStandardOutput && !report) {
      throw UsageError(name +
                       " is '-', but must be the path of a file: only "
                       "one report can go to standard output");
    }
    for (const auto& [other, other_path] : seen) {
      if (other_path != canonical(path)) continue;
      throw UsageError(fmt::format("{} is '{}', but {} has this path already",
                                   name, path, other));
    }
    seen.emplace_back(name, canonical(path));
  }
}

void refuse_build_alone(const CLI::App& app, const Options& options) {
  if (!given(app, "--build") || !options.lifetime.empty()) return;
  throw UsageError(
      fmt::format("--build is '{}', but has a meaning with --lifetime only",
                  options.build));
}

/// Keeps the first of equal values. The others would only be run again.
template <class Value, class Text>
void take_once(const char* option, std::vector<Value>& values,
               const Text& text_of, std::vector<std::string>& notes) {
  std::vector<Value> once;
  for (const Value& value : values) {
    if (std::find(once.begin(), once.end(), value) == once.end()) {
      once.push_back(value);
    } else {
      notes.push_back(
          fmt::format("note: {} is {} more than once, and is run "
                      "once",
                      option, text_of(value)));
    }
  }
  values = std::move(once);
}

}  // namespace

void refuse_leftovers(const CLI::App& app) {
  for (const std::string& argument : app.remaining()) {
    if (argument == "--") continue;
    if (argument.starts_with("-")) refuse_option(app, argument);
    if (!app.get_parent()) {
      const auto names = command_names(app);
      throw UsageError(fmt::format("unknown command '{}', must be one of {}{}",
                                   argument, join(names),
                                   did_you_mean(argument, names)));
    }
    throw UsageError(fmt::format("'{}' is one argument too many for '{}'",
                                 argument, app.get_name()));
  }
}

void refuse_contradictions(const CLI::App& app, const Options& options) {
  refuse_shared_or_empty_paths(app);
  refuse_missing_topic(options);
  refuse_incomplete_adapter(options);
  refuse_unclear_recording(options);
  refuse_unclear_deviations(app, options);
  refuse_build_alone(app, options);
  refuse_several(options);
}

void take_all_once(Options& options) {
  take_once(
      "--p", options.drop_probabilities,
      [](double p) { return fmt::format("{:g}", p); }, options.notes);
  take_once(
      "--dtype", options.dtypes,
      [](impl::DType dtype) { return std::string(impl::name_of(dtype)); },
      options.notes);
  take_once(
      "--shape", options.shapes,
      [](const impl::Shape& shape) { return impl::to_string(shape); },
      options.notes);
}

}  // namespace dropcheck::cli
