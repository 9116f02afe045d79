#pragma once

#include <CLI/CLI.hpp>
#include <string>

#include "dropcheck/cli/options.hpp"

namespace dropcheck::cli {

/// Whether an option was given, even as "": "--seed=" is a mistake.
bool given(const CLI::App& app, const std::string& name);

/// Throws UsageError for what no option and no positional took.
void refuse_leftovers(const CLI::App& app);

/// Throws UsageError for options that do not go together, or need another.
void refuse_contradictions(const CLI::App& app, const Options& options);

/// Keeps one of equal drop probabilities, dtypes and shapes, and notes it.
void take_all_once(Options& options);

}  // namespace dropcheck::cli
