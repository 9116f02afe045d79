#include "grid.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <set>
#include <tuple>

#include "dropcheck/properties/check_catalogue.hpp"
#include "text.hpp"

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

namespace {

/// Whether all of them say the same.
bool agree(const Group& group) {
  const Finding& first = *group.front();
  return std::all_of(group.begin(), group.end(), [&](const Finding* finding) {
    return finding->sentence == first.sentence &&
           finding->deviation_reason == first.deviation_reason;
  });
}

std::vector<Group> with_equal_ones_joined(const std::vector<Group>& groups) {
  using Key =
      std::tuple<Verdict, std::string, std::string, std::string, std::string>;
  std::vector<Group> joined;
  std::map<Key, std::size_t> places;
  for (const Group& group : groups) {
    const Finding& first = *group.front();
    if (agree(group)) {
      const Key key{first.verdict, first.subject, first.layer, first.sentence,
                    first.deviation_reason};
      const auto [place, is_new] = places.try_emplace(key, joined.size());
      if (!is_new) {
        Group& all = joined[place->second];
        const bool leads = first.shrinking && !all.front()->shrinking;
        all.insert(leads ? all.begin() : all.end(), group.begin(), group.end());
        continue;
      }
    }
    joined.push_back(group);
  }
  return joined;
}

}  // namespace

std::vector<Group> groups_of(const RunResult& result,
                             const std::vector<Verdict>& verdicts) {
  using Key = std::tuple<std::string, std::string, std::string>;
  std::vector<Group> groups;
  for (const Verdict verdict : verdicts) {
    std::map<Key, std::size_t> places;
    for (const Finding& finding : result.findings) {
      if (finding.verdict != verdict) continue;
      const Key key{finding.subject, finding.layer, finding.check};
      const auto [place, is_new] = places.try_emplace(key, groups.size());
      if (is_new) groups.emplace_back();
      Group& group = groups[place->second];
      // The one with a smallest case speaks for all.
      group.insert(finding.shrinking ? group.begin() : group.end(), &finding);
    }
  }
  return with_equal_ones_joined(groups);
}

Others others_of(const Group& group) {
  Others others;
  for (std::size_t i = 1; i < group.size(); ++i) {
    const std::string& check = group[i]->check;
    if (check == group.front()->check) {
      others.configurations.push_back(group[i]);
      continue;
    }
    ++others.findings;
    auto& checks = others.checks;
    if (std::find(checks.begin(), checks.end(), check) == checks.end()) {
      checks.push_back(check);
    }
  }
  return others;
}

std::string configurations_line(const Others& others) {
  if (others.configurations.empty()) return {};
  return "and " + counted(others.configurations.size(), "more configuration");
}

std::string checks_line(const Others& others) {
  if (others.checks.empty()) return {};
  const std::size_t count = others.checks.size();
  return fmt::format("{} {} the same{}: {}", counted(count, "more check"),
                     count == 1 ? "says" : "say",
                     others.findings == count
                         ? ""
                         : " in " + counted(others.findings, "finding"),
                     fmt::join(others.checks, ", "));
}

}  // namespace dropcheck::reports
