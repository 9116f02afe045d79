#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "dropcheck/properties/finding.hpp"

namespace dropcheck::properties {

/// A subject as it described itself during the run.
struct SubjectRecord {
  std::string name;   ///< "torch:F.dropout"
  std::string layer;  ///< law
  std::string version;
  std::string generator;
  bool repeatable = true;
  /// How its masks were read: "fused" (each piece of a result while it is in
  /// the cache), "blocks" (whole results), "replay" (recomputed, too).
  std::vector<std::string> paths = {};
};

/// A claim about a drop rate over many nights (STATISTICS 2.f 8).
struct LifetimeRecord {
  std::string subject;
  std::string configuration;
  std::uint64_t nights = 0;  ///< this one included
  std::uint64_t drops = 0;
  std::uint64_t n = 0;
  double log10_e = 0;
  double alpha = 1e-9;  ///< of all lifetimes in the file, beside the run's
  bool refuted = false;
  std::string sentence;  ///< how far it is, or what is wrong
};

/// Everything a report needs: no renderer computes a statistic.
struct RunResult {
  std::string version;  ///< of dropcheck
  std::string started;  ///< ISO 8601, UTC
  double seconds = 0;
  std::string profile;
  std::uint64_t seed = 0;
  double alpha = 1e-9;
  double delta = 0;   ///< tolerance of the profile for rates
  double margin = 0;  ///< r: margin of the structure checks
  unsigned threads = 1;
  std::string command;  ///< the command line, to run it again
  std::map<std::string, std::string> environment;  ///< os, cpu, compiler, ...
  std::vector<SubjectRecord> subjects;
  std::vector<Finding> findings;
  double log10_run_e = 0;    ///< log10 of sum of w_i * E_i
  bool alarm = false;        ///< log10_run_e >= -log10(alpha)
  std::string largest_term;  ///< id of the largest w_i * E_i
  bool interrupted = false;
  std::vector<std::string> warnings;
  std::vector<LifetimeRecord> lifetimes;
  std::vector<std::string> deviation_problems;  ///< stale, unmatched entries
};

/// Worst verdict of the run; kNotRun if there is no finding.
Verdict worst(const RunResult& result);

/// Number of findings with each verdict.
std::map<Verdict, std::size_t> count_verdicts(const RunResult& result);

/// Exit status of the program, DESIGN section 5: 0 certified, 1 refuted,
/// crash, timeout or alarm, 2 stale deviation, 3 inconclusive or not run,
/// 4 adapter broke, 5 nothing ran, 130 interrupted.
int exit_status(const RunResult& result);

}  // namespace dropcheck::properties
