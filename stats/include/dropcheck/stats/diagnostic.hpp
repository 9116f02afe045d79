#pragma once

#include <string>

namespace dropcheck::stats {

/// A classical test, shown in a report and never the ground of a verdict.
struct Diagnostic {
  std::string name;
  double statistic = 0;
  double degrees_of_freedom = 0;  ///< 0 for a normal statistic.
  double log10_p = 0;             ///< Finite: a p-value is never printed as 0.
  bool valid_at_level = false;  ///< Asymptotics hold, compared with alpha / 2.
  std::string note;             ///< Why not, or what was merged.
};

}  // namespace dropcheck::stats
