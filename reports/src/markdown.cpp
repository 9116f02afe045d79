#include "dropcheck/reports/markdown.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "grid.hpp"
#include "text.hpp"

namespace dropcheck::reports {
namespace {

constexpr std::size_t kToldGroups = 50;

// Text that Markdown and HTML show as it is, within one table cell.
std::string plain(std::string_view text) {
  std::string out;
  for (const char c : one_line(text)) {
    if (c == '<') {
      out += "&lt;";
    } else if (c == '>') {
      out += "&gt;";
    } else if (c == '&') {
      out += "&amp;";
    } else {
      if (std::string_view("\\`*_[]|~#!").find(c) != std::string_view::npos) {
        out += '\\';
      }
      out += c;
    }
  }
  return out;
}

// Code in a cell: fenced by more backticks than it holds; pipes are escaped,
// as a table splits its cells before it reads code.
std::string code(std::string_view text) {
  const std::string line = one_line(text);
  std::string fence = "`";
  while (line.find(fence) != std::string::npos) fence += '`';
  std::string out;
  for (const char c : line) out += c == '|' ? "\\|" : std::string(1, c);
  const bool padded = fence.size() > 1;
  return fence + (padded ? " " : "") + out + (padded ? " " : "") + fence;
}

std::string cell_text(const Cell& cell) {
  const auto& mark = mark_of(cell.verdict);
  std::string text = fmt::format("{} {}", mark.glyph, name_of(cell.verdict));
  if (cell.total > 1) text += fmt::format(" {}/{}", cell.worst, cell.total);
  return text;
}

// The row of one target: its verdict, and the checks that are not a pass.
std::string target_row(const Target& target,
                       const std::vector<std::string>& checks) {
  std::vector<std::string> open;
  std::size_t certified = 0;
  for (const std::string& check : checks) {
    const auto found = target.cells.find(check);
    if (found == target.cells.end()) continue;
    if (found->second.verdict == Verdict::kCertified) {
      ++certified;
    } else {
      open.push_back(code(check) + " " + cell_text(found->second));
    }
  }
  return fmt::format("| {} | {} | {} {} | {} of {} | {} |\n",
                     code(target.subject), code(target.layer),
                     mark_of(target.all.verdict).glyph,
                     name_of(target.all.verdict), certified,
                     target.cells.size(), joined(open, "<br>"));
}

// A line to paste.
std::string fenced(const std::string& line) {
  if (line.empty()) return {};
  std::string fence = "```";
  while (line.find(fence) != std::string::npos) fence += '`';
  return "\n" + fence + "\n" + line + "\n" + fence + "\n";
}

// The cases that were refuted on the way to the smallest one.
std::string way(const properties::Shrinking& shrinking) {
  std::string out;
  for (const properties::ShrinkStep& step : shrinking.steps) {
    if (!step.refuted) continue;
    out +=
        fmt::format("| {} | {} | {} |\n", code(step.configuration),
                    step.log10_e ? number(*step.log10_e) : "-",
                    step.log10_threshold ? number(*step.log10_threshold) : "-");
  }
  if (out.empty()) return out;
  return "\n| refuted on the way | log10 e | had to reach |\n|---|---|---|\n" +
         out;
}

std::string block(const RunResult& result, const Group& group) {
  const Finding& finding = *group.front();
  std::string out = fmt::format("\n**{} {}** {} {}\n\n> {}\n\n",
                                mark_of(finding.verdict).glyph,
                                name_of(finding.verdict), code(finding.subject),
                                code(finding.id), plain(finding.sentence));
  const std::string evidence = evidence_line(finding);
  if (!evidence.empty()) out += plain(evidence) + "\n";
  const std::string consequence = consequence_line(result, finding);
  if (!consequence.empty()) out += plain(consequence) + "\n";
  const Others others = others_of(group);
  if (!others.configurations.empty()) {
    out += configurations_line(others) + " alike\n";
  }
  if (!others.checks.empty()) out += plain(checks_line(others)) + "\n";
  out += fenced(replay_line(finding));
  const std::string smallest = smallest_line(finding);
  if (smallest.empty()) return out;
  return out + "\n" + plain(smallest) + "\n" + way(*finding.shrinking) +
         fenced(smallest_replay_line(finding));
}

std::string remarks(const RunResult& result) {
  std::string out;
  for (const std::string& problem : result.deviation_problems) {
    out += "- **Problem:** " + plain(problem) + "\n";
  }
  for (const std::string& warning : result.warnings) {
    out += "- Warning: " + plain(warning) + "\n";
  }
  return out.empty() ? out : "\n" + out;
}

std::string facts(const RunResult& result) {
  return fmt::format("\nProfile {}, seed {}, alpha {}, dropcheck {}.\n",
                     code(result.profile), code(std::to_string(result.seed)),
                     code(chance(result.alpha)), code(result.version));
}

}  // namespace

std::string markdown_summary(const RunResult& result) {
  const Verdict verdict = overall_verdict(result);
  std::string out =
      fmt::format("## {} dropcheck: {}\n\n{} {}\n", mark_of(verdict).glyph,
                  capitalised(overall_word(result)), overall_sentence(result),
                  joint_statement(result));
  if (result.alarm) out += "\n" + plain(alarm_statement(result)) + "\n";
  out += remarks(result);
  if (result.findings.empty()) return out + facts(result);
  out +=
      "\n| subject | layer | verdict | certified | not certified |\n"
      "|---|---|---|---|---|\n";
  const auto checks = checks_of(result);
  for (const Target& target : targets_of(result)) {
    out += target_row(target, checks);
  }
  std::vector<Verdict> told = all_verdicts();
  std::erase_if(told, is_pass);
  const auto groups = groups_of(result, told);
  const std::size_t shown = std::min(groups.size(), kToldGroups);
  for (std::size_t i = 0; i < shown; ++i) out += block(result, groups[i]);
  if (shown < groups.size()) {
    out += fmt::format("\n{} more are in the JSON and HTML reports.\n",
                       counted(groups.size() - shown, "group"));
  }
  return out + facts(result);
}

}  // namespace dropcheck::reports
