#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "dropcheck/properties/verdict.hpp"

namespace dropcheck::self_test {

/// One wrong layer on trial.
struct Kill {
  std::string subject;    ///< "faulty:threshold_8bit"
  std::string layer;      ///< the law that it promises
  std::string defect;     ///< what is wrong, and where it was seen
  std::string effect;     ///< how big it is; empty where that has no number
  std::string caught_by;  ///< the check that must refute it
  std::string profile;    ///< at which it is tried
  double drop_probability = 0;
  properties::Verdict verdict =
      properties::Verdict::kNotRun;  ///< of that check
  bool killed = false;               ///< it refuted the layer
  bool names_cause = false;  ///< its sentence has the words that are due
  std::string sentence;
  std::uint64_t n = 0;              ///< decisions that it read
  double seconds = 0;               ///< that it took
  std::vector<std::string> looked;  ///< all checks that ran
  std::vector<std::string> also;    ///< others that refuted it
};

/// Something that happened to a right layer and should not.
struct Offence {
  std::string subject;
  std::string configuration;
  std::uint64_t seed = 0;
  properties::Verdict verdict = properties::Verdict::kNotRun;
  std::string sentence;
};

/// Runs on right layers, each with a seed of its own.
struct FalseAlarms {
  std::uint64_t runs = 0;
  std::uint64_t subjects = 0;
  std::uint64_t configurations = 0;
  std::uint64_t findings = 0;
  std::uint64_t alarms = 0;        ///< runs with a refutation or a run alarm
  std::uint64_t inconclusive = 0;  ///< runs with a finding that is open
  std::uint64_t broken = 0;        ///< runs that ended in an error
  /// Exact (Clopper-Pearson) upper limits at 95 %, one-sided.
  double alarm_limit = 1;
  double inconclusive_limit = 1;
  double seconds = 0;             ///< added up over threads
  std::vector<Offence> offences;  ///< the first few
};

/// Defects planted at the size that a check says it finds.
struct Power {
  std::string family;    ///< which defect
  std::string check;     ///< that must find it
  std::string measures;  ///< what the size is: "a drop rate off by"
  double drop_probability = 0;
  double stated_size = 0;  ///< that the plan states
  double size = 0;         ///< that was planted
  double stated_miss = 0;  ///< P(not found), as stated for `stated_size`
  std::uint64_t runs = 0;
  std::uint64_t found = 0;
  double log10_p = 0;   ///< of that many misses or more, if the statement holds
  bool judged = false;  ///< planted at the stated size
  bool right = false;
};

/// A promise of stats/ that is computed exactly.
struct Exactness {
  std::string name;
  std::string what;   ///< "mean under the null, at every look"
  double lowest = 0;  ///< of the values computed
  double highest = 0;
  double at_most = 1;  ///< that `highest` may be
  bool right = false;
};

struct SelfTestResult {
  std::string version;
  std::string profile;  ///< "quick" or "full"
  std::uint64_t seed = 0;
  unsigned threads = 1;
  std::string started;  ///< ISO 8601, UTC
  std::string command;
  double seconds = 0;
  std::vector<std::string> checks;  ///< all, in the order of the reports
  std::vector<Kill> kills;
  std::vector<std::string> left_out;  ///< wrong layers for the full profile
  FalseAlarms false_alarms;
  std::vector<Power> powers;
  std::vector<Exactness> exactness;
  bool interrupted = false;
  bool out_of_time = false;
  /// One sentence for each thing that is not as it must be.
  std::vector<std::string> failures;
};

}  // namespace dropcheck::self_test
