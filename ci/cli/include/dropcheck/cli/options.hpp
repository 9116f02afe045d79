#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "dropcheck/impl/tensor.hpp"

namespace dropcheck::cli {

enum class Command {
  kNone,
  kVerify,
  kPlan,
  kList,
  kExplain,
  kReplay,
  kIdentify,
  kSelfTest,
  kAdapter,
  kCheckTensors,
  kDeviations
};

/// Where the reports go; empty: not wanted.
struct ReportPaths {
  std::string json;
  std::string junit;
  std::string html;
  std::string markdown;
  std::string badge;

  /// Whether one of them goes to standard output: "-".
  bool on_standard_output() const;
};

/// What the command line says. Numbers are checked; names are not, because
/// only the linked program knows them.
struct Options {
  Command command = Command::kNone;
  /// Names and globs; of adapter the command, of check-tensors and deviations
  /// the files.
  std::vector<std::string> subjects;
  std::vector<std::string> layers;
  std::vector<double> drop_probabilities;
  std::vector<impl::Shape> shapes;
  std::vector<impl::DType> dtypes;
  std::string profile = "pr";
  std::optional<double> delta;
  std::vector<std::string> only;
  std::optional<std::uint64_t> seed;  ///< empty: a fresh one
  double alpha = 1e-9;
  unsigned threads = 0;  ///< 0: all cores
  std::optional<double> time_limit_seconds;
  double call_timeout_seconds = 60;
  std::optional<std::size_t> generated;  ///< empty: the profile's
  std::optional<double> shrink_limit_seconds;
  bool in_process = false;  ///< refuse subjects that need a worker process
  std::string device = "cpu";
  bool channels_last = false;  ///< of check-tensors: options of the layer
  bool unscaled = false;
  bool fail_fast = false;
  bool no_color = false;
  ReportPaths reports;
  std::string deviations;  ///< path of a TOML file
  std::string lifetime;    ///< path of the file that carries counts on
  std::string build;       ///< what is under test; a change begins anew
  std::string url;         ///< of deviations update: what new entries refer to
  std::string reason;
  std::optional<std::chrono::year_month_day> expires;
  std::string
      topic;  ///< of list, explain, replay, identify, adapter, deviations
  std::optional<std::uint64_t> runs;  ///< of self-test, on right layers
  std::vector<std::string> notes;     ///< on what was typed, for standard error
};

/// What to do: carry `options` out, or print `text` and leave.
struct Invocation {
  Options options;
  std::string text;  ///< help or version; empty: carry the options out
};

/// Reads a command line without the program's name. Throws UsageError.
Invocation parse_command_line(std::vector<std::string> arguments,
                              const std::string& version);

/// The command line that repeats a run: quoted for a shell, with the seed that
/// was drawn where none was given.
std::string command_text(const std::vector<std::string>& arguments,
                         std::uint64_t seed);

}  // namespace dropcheck::cli
