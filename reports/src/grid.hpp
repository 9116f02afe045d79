#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "wording.hpp"

namespace dropcheck::reports {

/// The findings of one check on one subject and layer.
struct Cell {
  Verdict verdict = Verdict::kCertified;  ///< the worst
  std::size_t worst = 0;                  ///< findings that have it
  std::size_t total = 0;

  void add(Verdict other);
};

/// A subject with one of its layers, in order of appearance.
struct Target {
  std::string subject;
  std::string layer;
  Cell all;                           ///< over its checks
  std::map<std::string, Cell> cells;  ///< by check
};
std::vector<Target> targets_of(const RunResult& result);

/// The checks that occur: those of the catalogue in its order, then others.
std::vector<std::string> checks_of(const RunResult& result);

/// Findings that are told together; the first one is told in full.
using Group = std::vector<const Finding*>;

/// Groups of the findings with these verdicts, in the order of `verdicts`;
/// members share verdict, subject, layer and check. Checks that say one and the
/// same sentence throughout are one group: a layer that cannot be called fails
/// all of them for one reason. A member that was shrunk stands first.
std::vector<Group> groups_of(const RunResult& result,
                             const std::vector<Verdict>& verdicts);

/// The members besides the first.
struct Others {
  std::vector<const Finding*> configurations;  ///< of the same check
  std::vector<std::string> checks;             ///< other ones, each once
  std::size_t findings = 0;                    ///< of those checks
};
Others others_of(const Group& group);

/// "and 2 more configurations"; empty if there are none.
std::string configurations_line(const Others& others);

/// "2 more checks say the same: a, b", with the number of findings where it is
/// another; empty if there are none.
std::string checks_line(const Others& others);

}  // namespace dropcheck::reports
