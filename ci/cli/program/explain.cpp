#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "commands.hpp"
#include "dropcheck/cli/exit_status.hpp"
#include "dropcheck/cli/names.hpp"
#include "dropcheck/cli/output.hpp"
#include "dropcheck/cli/table.hpp"
#include "dropcheck/cli/usage_error.hpp"
#include "dropcheck/impl/law.hpp"
#include "dropcheck/properties/check_catalogue.hpp"

namespace dropcheck::cli {
namespace {

constexpr std::size_t kTextWidth = 76;

std::string paragraph(const std::string& title, std::string_view body) {
  std::string text = '\n' + title + '\n';
  for (const auto& line : wrapped(std::string(body), kTextWidth)) {
    text += "  " + line + '\n';
  }
  return text;
}

// Layers and networks that the check leaves out, by reason.
std::string exceptions(const properties::CheckInfo& check) {
  std::vector<std::pair<std::string, std::vector<std::string>>> reasons;
  for (const impl::Law* law : all_laws()) {
    const std::string reason(properties::not_applicable(check, *law));
    if (reason.empty()) continue;
    const auto known =
        std::find_if(reasons.begin(), reasons.end(),
                     [&](const auto& entry) { return entry.first == reason; });
    if (known != reasons.end()) {
      known->second.emplace_back(law->layer);
    } else {
      reasons.push_back({reason, {std::string(law->layer)}});
    }
  }
  std::string text;
  for (const auto& [reason, layers] : reasons) {
    for (const auto& line : wrapped(join(layers) + ": " + reason, kTextWidth)) {
      text += "  " + line + '\n';
    }
  }
  return text.empty() ? "" : "\nDoes not apply to\n" + text;
}

}  // namespace

int explain_command(const Context& context) {
  const std::string& name = context.options.topic;
  const properties::CheckInfo* check = properties::find_check(name);
  if (!check) {
    throw UsageError(
        fmt::format("unknown check '{}'{}; see 'dropcheck list checks'", name,
                    did_you_mean(name, check_names())));
  }
  std::string text = fmt::format("{} ({})\n", check->name,
                                 properties::name_of(check->evidence));
  text += paragraph("What it decides", check->summary);
  text += paragraph("How", check->method);
  text += paragraph("Error rates", check->error_rates);
  text += exceptions(*check);
  text += fmt::format(
      "\nSee it refute a wrong layer\n"
      "  dropcheck verify {} --only {} --profile smoke\n",
      check->example, check->name);
  print(text);
  return kSuccess;
}

}  // namespace dropcheck::cli
