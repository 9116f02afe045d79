#pragma once

#include <array>
#include <optional>
#include <string_view>

namespace dropcheck::properties {

/// What a check concludes, worst first: a group's verdict is its worst member.
enum class Verdict {
  kError,           ///< adapter or harness broke
  kCrash,           ///< the process under test ended by itself
  kTimeout,         ///< a call took longer than its limit
  kRefuted,         ///< proved wrong; the finding has the witness
  kUnexpectedPass,  ///< a declared deviation that is no longer there
  kInconclusive,    ///< not decided; never a pass
  kNotRun,          ///< interrupted or out of time; never a pass
  kDeviation,       ///< refuted, as declared with reason and URL
  kNotSupported,    ///< the subject declares that it lacks this
  kCertified,       ///< proved right, with a bound
};

inline constexpr std::size_t kVerdictCount = 10;

/// "certified", "refuted", "not-run", ...
std::string_view name_of(Verdict verdict);
std::optional<Verdict> verdict_from_name(std::string_view name);

/// The worse of two verdicts.
constexpr Verdict worse(Verdict a, Verdict b) { return a < b ? a : b; }

/// How strong the evidence is, strongest first (STATISTICS, section 0).
enum class Evidence { kExhaustive, kDeterministic, kStatistical };
std::string_view name_of(Evidence evidence);

}  // namespace dropcheck::properties
