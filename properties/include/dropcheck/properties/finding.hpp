#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "dropcheck/properties/verdict.hpp"

namespace dropcheck::properties {

/// A classical test shown beside the decision. It never decides.
struct DiagnosticRow {
  std::string name;  ///< e.g. "chi-square of drops per 64 units"
  double statistic = 0;
  double degrees_of_freedom = 0;
  double log10_p = 0;  ///< always finite
  bool valid_at_level = false;
  std::string note;
};

/// A piece of a mask, for a picture: rows of '1' (kept) and '0' (dropped).
struct MaskPicture {
  std::string caption;  ///< what the rows and columns are
  std::vector<std::string> observed;
  std::vector<std::string> expected;  ///< an example that follows the law
};

/// One case that was decided on the way from a refuted one to a smaller one.
struct ShrinkStep {
  std::string configuration;
  bool refuted = false;
  std::optional<double> log10_e;  ///< absent where no chance is involved
  /// What log10_e had to reach: that of the first case and more with each step.
  std::optional<double> log10_threshold;
};

/// The smallest case still refuted, and how it was found (STATISTICS 2.f 7).
/// The alarm rests on the first case's e-value, never on these.
struct Shrinking {
  std::vector<ShrinkStep> steps;
  std::string smallest;  ///< configuration; empty: no smaller case is refuted
  std::string sentence;  ///< what is wrong there
  std::string replay;    ///< token of the smallest case
  /// Cases simpler than the smallest whose size affords no decision.
  std::uint64_t not_asked = 0;
  std::string stopped;  ///< what ended it too early; empty: nothing did
};

/// One check on one configuration of one subject.
struct Finding {
  std::string id;             ///< "dropout2d.granularity[p=0.1,f32,64x256x2x2]"
  std::string subject;        ///< "torch:nn.Dropout2d"
  std::string layer;          ///< the law, e.g. "dropout2d"
  std::string check;          ///< e.g. "granularity"
  std::string configuration;  ///< what stands between the brackets of the id
  Verdict verdict = Verdict::kNotRun;
  Evidence evidence = Evidence::kStatistical;
  std::string sentence;  ///< one plain sentence: what is wrong or proved
  std::string quantity;  ///< what `expected` ... `interval` measure
  std::optional<double> expected;
  std::optional<double> observed;
  std::optional<double> interval_lower;  ///< at the claim's own level
  std::optional<double> interval_upper;
  std::optional<double> log10_e;  ///< absent where no chance is involved
  double weight = 0;              ///< share of the run's alarm budget
  std::uint64_t n = 0;            ///< decisions (units) that were read
  std::uint64_t calls = 0;
  std::string detectable;  ///< "would have caught ... with probability 1 - ..."
  std::optional<double> detectable_effect;
  std::string bound;       ///< what certified means here, in words
  std::string replay;      ///< token for `dropcheck replay`
  bool repeatable = true;  ///< false: one unseeded sequence
  double seconds = 0;      ///< time spent, not part of the result
  std::vector<DiagnosticRow> diagnostics;
  std::optional<MaskPicture> picture;
  bool generated = false;  ///< a configuration that RapidCheck drew
  std::optional<Shrinking> shrinking = std::nullopt;  ///< refuted ones only
  std::string deviation_reason;  ///< verdict deviation or unexpected-pass
  std::string deviation_url;
};

}  // namespace dropcheck::properties
