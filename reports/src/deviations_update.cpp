#include <fmt/format.h>
#include <toml++/toml.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <sstream>
#include <stdexcept>

#include "dropcheck/reports/deviations.hpp"
#include "text.hpp"
#include "wording.hpp"

namespace dropcheck::reports {
namespace {

using State = EntryFate::State;

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

std::string trimmed(const std::string& line) {
  const auto first = line.find_first_not_of(" \t\r");
  if (first == std::string::npos) return "";
  return line.substr(first, line.find_last_not_of(" \t\r") - first + 1);
}

bool is_comment(const std::string& line) {
  return trimmed(line).starts_with("#");
}

bool begins_an_entry(const std::string& line) {
  const std::string text = trimmed(line);
  return text.starts_with("[[") && text.find("deviation") != std::string::npos;
}

// Rounded up to two digits: what is recorded must hold what was seen.
std::string effect_text(double effect) {
  const double unit = std::pow(10.0, std::floor(std::log10(effect)) - 1);
  return fmt::format("{:.6g}", std::ceil(effect / unit * (1 - 1e-12)) * unit);
}

// As a TOML string, escaped where it must be.
std::string quoted(const std::string& text) {
  std::ostringstream stream;
  stream << toml::value<std::string>(valid_utf8(text));
  return stream.str();
}

std::string name_of_entry(const Deviation& deviation) {
  return fmt::format("\"{}\" of \"{}\"", deviation.id, deviation.subject);
}

// The lines of a file, in which entries are removed and changed.
class File {
 public:
  File(const std::string& text, std::span<const Deviation> deviations)
      : lines_(lines_of(text)), deviations_(deviations) {
    kept_.assign(lines_.size(), true);
  }

  void remove(std::size_t entry) {
    const std::size_t begin = first_line(entry);
    std::size_t first = begin;
    while (first > 0 && is_comment(lines_[first - 1])) --first;
    // A comment at the head is about the whole file.
    if (first == 0) first = begin;
    for (std::size_t line = first; line < end_of(entry); ++line) {
      kept_[line] = false;
    }
  }

  void set_effect(std::size_t entry, const std::string& effect) {
    for (std::size_t line = first_line(entry); line < end_of(entry); ++line) {
      if (!trimmed(lines_[line]).starts_with("largest_effect")) continue;
      const auto comment = lines_[line].find('#');
      const std::string tail = comment == std::string::npos
                                   ? ""
                                   : "  " + lines_[line].substr(comment);
      lines_[line] = "largest_effect = " + effect + tail;
    }
  }

  void append(const std::string& entry) { added_ += "\n" + entry; }

  std::string text() const {
    std::string text;
    for (std::size_t line = 0; line < lines_.size(); ++line) {
      if (kept_[line]) text += lines_[line] + "\n";
    }
    return text + added_;
  }

 private:
  std::size_t first_line(std::size_t entry) const {
    const Deviation& deviation = deviations_[entry];
    const std::size_t line = deviation.line - 1;
    if (deviation.line > 0 && line < lines_.size() &&
        begins_an_entry(lines_[line])) {
      return line;
    }
    throw std::invalid_argument(
        fmt::format("line {}: the entry {} must be written [[deviation]] on a "
                    "line of its own to be updated",
                    deviation.line, name_of_entry(deviation)));
  }

  // Behind its last field; the comment above the next entry is the next one's.
  std::size_t end_of(std::size_t entry) const {
    if (entry + 1 == deviations_.size()) return lines_.size();
    std::size_t end = first_line(entry + 1);
    while (end > first_line(entry) + 1 && is_comment(lines_[end - 1])) --end;
    return end;
  }

  std::vector<std::string> lines_;
  std::span<const Deviation> deviations_;
  std::vector<bool> kept_;
  std::string added_;
};

// Refuted findings that nothing declares, by subject and check.
using Group = std::vector<const Finding*>;
std::map<std::pair<std::string, std::string>, Group> open_groups(
    const RunResult& result) {
  std::map<std::pair<std::string, std::string>, Group> groups;
  for (const Finding& finding : result.findings) {
    if (finding.verdict != Verdict::kRefuted || finding.generated) continue;
    groups[{finding.subject, finding.layer + "." + finding.check}].push_back(
        &finding);
  }
  return groups;
}

bool all_are_refuted(const Group& group, const RunResult& result) {
  return std::none_of(result.findings.begin(), result.findings.end(),
                      [&](const Finding& finding) {
                        return finding.subject == group.front()->subject &&
                               finding.layer == group.front()->layer &&
                               finding.check == group.front()->check &&
                               !finding.generated &&
                               finding.verdict != Verdict::kRefuted;
                      });
}

std::optional<double> effect_of(const Group& group) {
  double largest = 0;
  for (const Finding* finding : group) {
    const auto effect = open_effect(*finding);
    if (!effect) return std::nullopt;
    largest = std::max(largest, *effect);
  }
  return largest > 0 ? std::optional(largest) : std::nullopt;
}

std::string entry_text(const std::string& id, const Group& group,
                       const Declaration& declaration) {
  const Finding& first = *group.front();
  std::string text = fmt::format(
      "[[deviation]]\nid = {}\nsubject = {}\nreason = {}\nurl = {}\n",
      quoted(id), quoted(first.subject),
      quoted(declaration.reason.empty() ? one_line(first.sentence)
                                        : declaration.reason),
      quoted(declaration.url));
  if (const auto effect = effect_of(group)) {
    text += fmt::format("largest_effect = {}\n", effect_text(*effect));
  }
  if (declaration.expires) {
    text += fmt::format("expires = {:04}-{:02}-{:02}\n",
                        static_cast<int>(declaration.expires->year()),
                        static_cast<unsigned>(declaration.expires->month()),
                        static_cast<unsigned>(declaration.expires->day()));
  }
  return text;
}

void refuse_no_address(const Declaration& declaration, std::size_t groups) {
  if (groups == 0 || is_web_address(declaration.url)) return;
  throw std::invalid_argument(fmt::format(
      "{} that nothing declares {} an address: {}",
      counted(groups, "refuted check"), groups == 1 ? "needs" : "need",
      declaration.url.empty()
          ? "the url is missing"
          : "the url is '" + declaration.url +
                "', but must start with http:// or https://"));
}

void add_entries(const RunResult& result, const Declaration& declaration,
                 File& file, DeviationsUpdate& update) {
  const auto groups = open_groups(result);
  refuse_no_address(declaration, groups.size());
  const auto add = [&](const std::string& id, const Group& group) {
    file.append(entry_text(id, group, declaration));
    update.added.push_back(fmt::format("\"{}\" of \"{}\": {}", id,
                                       group.front()->subject,
                                       one_line(group.front()->sentence)));
  };
  for (const auto& [key, group] : groups) {
    if (all_are_refuted(group, result)) {
      add(key.second + "[*]", group);
      continue;
    }
    for (const Finding* finding : group) add(finding->id, {finding});
  }
}

bool is_as_it_was(const Deviation& entry, const Deviation& before) {
  return entry.id == before.id && entry.subject == before.subject &&
         entry.reason == before.reason && entry.url == before.url &&
         entry.expires == before.expires;
}

// Lines are edited, and TOML can hide a field in the lines of a string.
void refuse_a_bad_edit(const DeviationsUpdate& update,
                       const std::vector<Deviation>& kept) {
  try {
    const auto now = parse_deviations(update.text, "the new file");
    if (now.size() == kept.size() + update.added.size() &&
        std::equal(kept.begin(), kept.end(), now.begin(), is_as_it_was)) {
      return;
    }
  } catch (const std::runtime_error&) {  // said below
  }
  throw std::invalid_argument(
      "the entries cannot be edited line by line: write their strings on one "
      "line each");
}

}  // namespace

DeviationsUpdate update_deviations(const std::string& text,
                                   std::span<const Deviation> deviations,
                                   std::span<const EntryFate> fates,
                                   const RunResult& result,
                                   const Declaration& declaration) {
  File file(text, deviations);
  std::vector<Deviation> kept;
  DeviationsUpdate update;
  RunResult open = result;
  for (std::size_t i = 0; i < deviations.size(); ++i) {
    const State state = fates[i].state;
    if (state == State::kGone || state == State::kUnmatched) {
      file.remove(i);
      update.removed.push_back(name_of_entry(deviations[i]));
    } else if (state == State::kGrown && fates[i].effect) {
      Deviation raised = deviations[i];
      const std::string effect = effect_text(*fates[i].effect);
      file.set_effect(i, effect);
      update.raised.push_back(fmt::format("{}: {} instead of {}",
                                          name_of_entry(raised), effect,
                                          number(raised.largest_effect)));
      raised.largest_effect.reset();
      apply_deviations(open, {&raised, 1}, {});
      kept.push_back(deviations[i]);
    } else {
      kept.push_back(deviations[i]);
    }
  }
  add_entries(open, declaration, file, update);
  update.text = file.text();
  refuse_a_bad_edit(update, kept);
  return update;
}

}  // namespace dropcheck::reports
