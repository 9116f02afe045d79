#pragma once

#include <chrono>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "dropcheck/properties/run_result.hpp"

namespace dropcheck::reports {

/// A difference of a subject from its law that somebody has looked at and
/// declared. In globs * and ? are wild; brackets stand for themselves.
struct Deviation {
  std::string id;  ///< glob on Finding::id
  std::string reason;
  std::string url;            ///< http:// or https://
  std::string subject = "*";  ///< glob on Finding::subject
  bool inconclusive = false;  ///< also accepts inconclusive findings
  std::optional<double> largest_effect =
      std::nullopt;  ///< of |observed - expected|
  std::optional<std::chrono::year_month_day> expires =
      std::nullopt;  ///< last valid day
};

/// Reads a deviations file:
///
///     [[deviation]]
///     id = "drop_path.drop_rate[*bf16*]"
///     subject = "torch:*"            # optional
///     reason = "draws in bf16"
///     url = "https://example.org/1"
///     verdict = "inconclusive"       # optional: accept this too
///     largest_effect = 2e-3          # optional
///     expires = 2026-12-31           # optional
///
/// Throws std::runtime_error with file, line, field and rule.
std::vector<Deviation> read_deviations(const std::filesystem::path& path);

/// Whether a refuted finding is declared, its effect included: before the run
/// is over, when nothing is known of the others.
bool is_declared(const properties::Finding& finding,
                 std::span<const Deviation> deviations,
                 std::chrono::year_month_day today);

/// Turns refuted findings that are declared into deviations.
///
/// An entry that has expired, matches nothing, matches only what is right by
/// now, or whose effect has grown adds a line to `deviation_problems`. A
/// finding that becomes a deviation counts as e-value 1 in the alarm of the
/// run from then on: entries are fixed before the data, and 1 is an e-value.
void apply_deviations(properties::RunResult& result,
                      std::span<const Deviation> deviations,
                      std::chrono::year_month_day today);

}  // namespace dropcheck::reports
