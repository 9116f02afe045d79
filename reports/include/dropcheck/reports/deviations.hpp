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
      std::nullopt;      ///< last valid day
  std::size_t line = 0;  ///< of the file, from 1; 0: not from a file
};

/// What a run says of one entry.
struct EntryFate {
  enum class State {
    kCovers,     ///< every refutation that it matches is what it declares
    kUndecided,  ///< open, broken, or too coarse to see the recorded effect
    kOfOthers,   ///< its subject is not in the run
    kUnmatched,  ///< its subject is, but no finding
    kGone,       ///< what it matches is right by now
    kGrown,      ///< deviates by more than it declares, or nobody knows by what
    kExpired
  };
  State state = State::kOfOthers;
  std::size_t findings = 0;  ///< that it covers
  /// Largest distance from what is expected that the intervals of its refuted
  /// findings leave open; absent where one of them measures nothing.
  std::optional<double> effect = std::nullopt;
  std::string problem = {};  ///< one sentence; empty: none
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
/// Throws std::runtime_error with file, line, field and rule; two entries with
/// one id and one subject contradict each other.
std::vector<Deviation> read_deviations(const std::filesystem::path& path);

/// The same from a text, which errors call `name`.
std::vector<Deviation> parse_deviations(const std::string& text,
                                        const std::string& name);

/// Whether a refuted finding is declared, its effect included: before the run
/// is over, when nothing is known of the others.
bool is_declared(const properties::Finding& finding,
                 std::span<const Deviation> deviations,
                 std::chrono::year_month_day today);

/// Turns refuted findings that are declared into deviations, and certified
/// ones whose entry has nothing left to declare into unexpected passes.
///
/// An entry that has expired, matches nothing, matches only what is right by
/// now, or whose effect has grown adds a line to `deviation_problems`. Right by
/// now is a certificate whose interval excludes the recorded effect (the
/// `largest_effect`, on either side); one that leaves it open contradicts
/// nothing. A finding that becomes a deviation counts as e-value 1 in the alarm
/// of the run from then on: entries are fixed before the data, and 1 is an
/// e-value. Returns one fate for each entry, in order.
std::vector<EntryFate> apply_deviations(properties::RunResult& result,
                                        std::span<const Deviation> deviations,
                                        std::chrono::year_month_day today);

/// Takes back what apply_deviations did to findings, so that they can be
/// judged by another file. The alarm is not weighed again.
void withdraw_deviations(properties::RunResult& result);

/// What a new entry needs from a person.
struct Declaration {
  std::string url = {};
  std::string reason = {};  ///< empty: the sentence of the finding
  std::optional<std::chrono::year_month_day> expires = std::nullopt;
};

/// A deviations file brought up to date, and what was done, for people.
struct DeviationsUpdate {
  std::string text;
  std::vector<std::string> removed;
  std::vector<std::string> raised;
  std::vector<std::string> added;
};

/// Brings `text` up to date with a run that its entries were applied to:
/// entries that are gone or match nothing are removed with the comment above
/// them, grown ones get the effect that is seen now, refuted findings that
/// nothing declares get an entry. Everything else stays as it was typed.
/// Expired entries stay: their date is for a person to move.
///
/// Throws std::invalid_argument where an entry is not written [[deviation]] or
/// its lines cannot be told from those of a string, or where something must be
/// added and the declaration has no address.
DeviationsUpdate update_deviations(const std::string& text,
                                   std::span<const Deviation> deviations,
                                   std::span<const EntryFate> fates,
                                   const properties::RunResult& result,
                                   const Declaration& declaration);

}  // namespace dropcheck::reports
