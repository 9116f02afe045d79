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

/// What findings must share to stand in one group.
enum class Alike { kSentence, kCheck };

/// Groups of the findings with these verdicts, in the order of `verdicts`;
/// members share verdict, subject, layer, check and, if asked, sentence. A
/// member that was shrunk stands first.
std::vector<Group> groups_of(const RunResult& result,
                             const std::vector<Verdict>& verdicts, Alike alike);

}  // namespace dropcheck::reports
