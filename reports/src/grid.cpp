#include "grid.hpp"

#include <algorithm>
#include <set>
#include <tuple>

#include "dropcheck/properties/check_catalogue.hpp"

namespace dropcheck::reports {

void Cell::add(Verdict other) {
  if (total == 0 || other < verdict) {
    verdict = other;
    worst = 0;
  }
  ++total;
  if (other == verdict) ++worst;
}

std::vector<Target> targets_of(const RunResult& result) {
  std::vector<Target> targets;
  std::map<std::pair<std::string, std::string>, std::size_t> places;
  for (const Finding& finding : result.findings) {
    const auto [place, is_new] =
        places.try_emplace({finding.subject, finding.layer}, targets.size());
    if (is_new) targets.push_back({finding.subject, finding.layer, {}, {}});
    Target& target = targets[place->second];
    target.all.add(finding.verdict);
    target.cells[finding.check].add(finding.verdict);
  }
  return targets;
}

std::vector<std::string> checks_of(const RunResult& result) {
  std::set<std::string> present;
  for (const Finding& finding : result.findings) present.insert(finding.check);
  std::vector<std::string> order;
  for (const properties::CheckInfo& info : properties::checks()) {
    if (present.erase(std::string(info.name)) > 0)
      order.emplace_back(info.name);
  }
  order.insert(order.end(), present.begin(), present.end());
  return order;
}

std::vector<Group> groups_of(const RunResult& result,
                             const std::vector<Verdict>& verdicts,
                             Alike alike) {
  using Key = std::tuple<std::string, std::string, std::string, std::string>;
  std::vector<Group> groups;
  for (const Verdict verdict : verdicts) {
    std::map<Key, std::size_t> places;
    for (const Finding& finding : result.findings) {
      if (finding.verdict != verdict) continue;
      const Key key{finding.subject, finding.layer, finding.check,
                    alike == Alike::kSentence ? finding.sentence : ""};
      const auto [place, is_new] = places.try_emplace(key, groups.size());
      if (is_new) groups.emplace_back();
      Group& group = groups[place->second];
      // The one with a smallest case speaks for all.
      group.insert(finding.shrinking ? group.begin() : group.end(), &finding);
    }
  }
  return groups;
}

}  // namespace dropcheck::reports
