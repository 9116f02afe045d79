#include "only_pattern.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "commands.hpp"
#include "dropcheck/cli/names.hpp"
#include "dropcheck/cli/usage_error.hpp"
#include "dropcheck/properties/check_catalogue.hpp"
#include "dropcheck/properties/glob.hpp"

namespace dropcheck::cli {
namespace {

using properties::Plan;

bool plans_any(const Plan& plan, const std::string& pattern) {
  for (const auto& configuration : plan.configurations) {
    for (const auto& check : configuration.checks) {
      if (check.hidden) continue;
      if (properties::glob_matches(id_glob(pattern), check.id)) return true;
    }
  }
  return false;
}

/// Whether a pattern names a check of some layer, whatever it runs on.
bool names_check(const std::string& pattern, std::string_view check,
                 std::string_view layer) {
  const std::string id = id_glob(pattern);
  const std::string names = id.substr(0, id.find('['));
  return properties::glob_matches(names, fmt::format("{}.{}", layer, check));
}

/// Why a check that is asked for is in no configuration of a subject.
std::string why_left_out(const Plan& plan, const properties::CheckInfo& check,
                         const impl::Law& law) {
  const auto reason = properties::not_applicable(check, law);
  if (!reason.empty()) {
    return fmt::format("{} of {} has no meaning: {}", check.name, law.layer,
                       reason);
  }
  const std::vector<double>& asked = plan.settings.drop_probabilities;
  const bool ends =
      !asked.empty() && std::all_of(asked.begin(), asked.end(),
                                    [](double p) { return p == 0 || p == 1; });
  if (ends) {
    return fmt::format("{} has no meaning at p = {:g}", check.name,
                       asked.front());
  }
  return fmt::format("{} of {} is not in the chosen configurations", check.name,
                     law.layer);
}

/// Why nothing is left of the checks that a pattern names.
std::string why_idle(const Plan& plan, const std::string& pattern) {
  constexpr std::size_t kTold = 3;
  std::set<std::string> reasons;
  for (const auto& subject : plan.subjects) {
    if (subject.law == nullptr) continue;
    for (const auto& check : properties::checks()) {
      if (!names_check(pattern, check.name, subject.law->layer)) continue;
      reasons.insert(why_left_out(plan, check, *subject.law));
    }
  }
  if (reasons.empty()) return "no check of the chosen subjects has such an id";
  std::vector<std::string> told(reasons.begin(), reasons.end());
  if (told.size() > kTold) {
    told.resize(kTold);
    told.emplace_back("...");
  }
  return "nothing is left of it: " + join(told, "; ");
}

}  // namespace

void refuse_unknown_check(const std::string& pattern) {
  if (is_glob(pattern) || pattern.find('[') != std::string::npos) return;
  const std::string name = pattern.substr(pattern.find('.') + 1);
  if (properties::find_check(name)) return;
  throw UsageError(fmt::format("--only is '{}', but no check has this name{}",
                               pattern,
                               name.find(',') == std::string::npos
                                   ? did_you_mean(name, check_names())
                                   : "; give the option once for each check"));
}

void refuse_idle_pattern(const Plan& plan,
                         const std::vector<std::string>& only) {
  for (const std::string& pattern : only) {
    if (plans_any(plan, pattern)) continue;
    throw UsageError(fmt::format("--only is '{}', but {}", pattern,
                                 why_idle(plan, pattern)));
  }
}

}  // namespace dropcheck::cli
