#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "dropcheck/properties/run_result.hpp"

namespace dropcheck::reports {

using properties::Finding;
using properties::RunResult;
using properties::Verdict;

/// How a verdict looks; the glyph never stands without a word or a legend.
struct VerdictMark {
  std::string_view glyph;
  char ascii;
  std::string_view meaning;  ///< for legends
};
const VerdictMark& mark_of(Verdict verdict);

/// All verdicts, worst first.
const std::vector<Verdict>& all_verdicts();

/// Certified, not supported, declared: nothing for the reader to do.
bool is_pass(Verdict verdict);

/// The verdict of the run: its worst finding, its alarm, its interruption.
Verdict overall_verdict(const RunResult& result);

/// One or two words for it: "certified", "refuted", "stale deviations".
std::string overall_word(const RunResult& result);

/// The counts as a sentence: "3 refuted, 1 crash, 600 certified."
std::string overall_sentence(const RunResult& result);

/// Which checks of which subjects are refuted; empty if none is.
std::string open_sentence(const RunResult& result);

/// What may be wrong with the certificates, together and one by one.
std::string joint_statement(const RunResult& result);

/// What the run as a whole says, and how often it says so wrongly.
std::string alarm_statement(const RunResult& result);

/// "expected 0.1", "observed 0.09", "interval [..]", "n = ..", "log10 e = .."
std::vector<std::string> evidence_parts(const Finding& finding);

/// The same as one line.
std::string evidence_line(const Finding& finding);

/// "[lower, upper]", open at a side that is absent; empty if both are.
std::string interval_text(const Finding& finding);

/// The line to paste; empty if there is no token.
std::string replay_line(const Finding& finding);

/// "smallest case still refuted: p=0.5,f32,9 (12 of 30 cases refuted)", or that
/// none is smaller, and what stopped the search; empty if none was made.
std::string smallest_line(const Finding& finding);

/// The line that repeats the smallest case; empty if there is none.
std::string smallest_replay_line(const Finding& finding);

/// That a statistical refutation may follow from another finding of its layer;
/// empty if there is no such finding.
std::string consequence_line(const RunResult& result, const Finding& finding);

/// Largest distance from what is expected that the observation and its interval
/// leave open; nothing where the finding measures nothing.
std::optional<double> open_effect(const Finding& finding);

/// "layer.check[configuration]" without the layer.
std::string case_name(const Finding& finding);

}  // namespace dropcheck::reports
