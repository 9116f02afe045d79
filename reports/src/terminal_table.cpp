#include "terminal_table.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <span>

#include "grid.hpp"
#include "text.hpp"

namespace dropcheck::reports {
namespace {

constexpr std::size_t kGap = 2;

std::string_view colour_of(Verdict verdict) {
  switch (verdict) {
    case Verdict::kCertified:
      return "32";
    case Verdict::kRefuted:
    case Verdict::kCrash:
    case Verdict::kTimeout:
    case Verdict::kError:
      return "1;31";
    case Verdict::kInconclusive:
    case Verdict::kNotRun:
    case Verdict::kUnexpectedPass:
      return "33";
    case Verdict::kDeviation:
      return "34";
    case Verdict::kNotSupported:
      return "2";
  }
  return "0";
}

// "✓ 12", or "✗ 3/12" where not all have the worst verdict.
std::string cell_text(const Cell& cell, const Pen& pen) {
  std::string glyph = pen.glyph(cell.verdict);
  if (cell.total == 1) return glyph;
  if (cell.worst == cell.total) return fmt::format("{} {}", glyph, cell.total);
  return fmt::format("{} {}/{}", glyph, cell.worst, cell.total);
}

// One column of a table: its head and its cells by check.
struct Column {
  std::string head;
  const Target* target = nullptr;
};

class Table {
 public:
  Table(const std::vector<std::string>& checks, const TerminalStyle& style)
      : checks_(checks), pen_(style), columns_(usable_columns(style)) {
    for (const std::string& check : checks) {
      name_width_ = std::max(name_width_, columns_of(one_line(check)));
    }
    name_width_ = std::min(name_width_, columns_ / 2);
  }

  std::size_t width_of(const Column& column) const {
    std::size_t width = columns_of(column.head);
    for (const auto& [check, cell] : column.target->cells) {
      width = std::max(width, columns_of(cell_text(cell, pen_)));
    }
    return width;
  }

  bool fits(std::span<const Column> columns) const {
    std::size_t width = name_width_;
    for (const Column& column : columns) width += kGap + width_of(column);
    return width <= columns_;
  }

  // As many columns as fit stand side by side, the others below.
  std::string render(std::span<const Column> columns) const {
    std::string out;
    while (!columns.empty()) {
      std::size_t count = columns.size();
      while (count > 1 && !fits(columns.first(count))) --count;
      out += part(columns.first(count));
      columns = columns.subspan(count);
      if (!columns.empty()) out += "\n";
    }
    return out;
  }

 private:
  std::string part(std::span<const Column> columns) const {
    std::string out = std::string(name_width_, ' ');
    for (const Column& column : columns) {
      out += std::string(kGap, ' ') + padded(column.head, width_of(column));
    }
    trim(out);
    out += '\n';
    for (const std::string& check : checks_) out += row(check, columns);
    return out;
  }

  std::string row(const std::string& check,
                  std::span<const Column> columns) const {
    std::string name = one_line(check);
    if (columns_of(name) > name_width_) {
      name = wrapped(name, name_width_).front();
    }
    std::string out = padded(name, name_width_);
    bool any = false;
    std::size_t pending = 0;
    for (const Column& column : columns) {
      const std::size_t width = width_of(column);
      const auto found = column.target->cells.find(check);
      if (found == column.target->cells.end()) {
        pending += kGap + width;
        continue;
      }
      const std::string text = cell_text(found->second, pen_);
      out += std::string(pending + kGap, ' ');
      out += pen_.mark(found->second.verdict, text);
      pending = width - columns_of(text);
      any = true;
    }
    return any ? out + "\n" : std::string();
  }

  static void trim(std::string& line) {
    line.erase(line.find_last_not_of(' ') + 1);
  }

  const std::vector<std::string>& checks_;
  Pen pen_;
  std::size_t columns_;
  std::size_t name_width_ = 0;
};

std::string truncated(const std::string& text, std::size_t columns) {
  std::string line = one_line(text);
  if (columns_of(line) <= columns) return line;
  return wrapped(line, columns).front();
}

// One subject: its layers by name if they fit, otherwise by number.
std::string subject_table(std::span<const Target> targets, const Table& table,
                          const TerminalStyle& style) {
  const Pen pen(style);
  const std::size_t columns = usable_columns(style);
  std::vector<Column> named;
  for (const Target& target : targets) {
    named.push_back({truncated(target.layer, columns / 2), &target});
  }
  const bool one_subject =
      std::all_of(targets.begin(), targets.end(), [&](const Target& target) {
        return target.subject == targets.front().subject;
      });
  if (one_subject && table.fits(named)) {
    return pen.bold(truncated(targets.front().subject, columns)) + "\n" +
           table.render(named);
  }
  std::vector<Column> numbered;
  std::vector<std::string> names;
  std::size_t widest = 0;
  for (const Target& target : targets) {
    numbered.push_back({std::to_string(numbered.size() + 1), &target});
    const std::string name =
        one_subject ? target.layer : target.subject + " " + target.layer;
    names.push_back(truncated(name, columns - 24));
    widest = std::max(widest, columns_of(names.back()));
  }
  std::string key;
  for (std::size_t i = 0; i < targets.size(); ++i) {
    const Verdict verdict = targets[i].all.verdict;
    key += fmt::format(
        "{:>3}  {}  {}\n", i + 1, padded(names[i], widest),
        pen.mark(verdict,
                 fmt::format("{} {}", pen.glyph(verdict), name_of(verdict))));
  }
  if (one_subject) {
    key = pen.bold(truncated(targets.front().subject, columns)) + "\n" + key;
  }
  return key + "\n" + table.render(numbered);
}

// Subjects with one layer each share a table; others have their own.
bool share_a_table(const std::vector<Target>& targets) {
  std::set<std::string> subjects;
  for (const Target& target : targets) subjects.insert(target.subject);
  return subjects.size() > 1 && subjects.size() == targets.size();
}

std::string legend(const RunResult& result, const TerminalStyle& style) {
  const Pen pen(style);
  std::vector<std::string> parts;
  for (const auto& [verdict, count] : properties::count_verdicts(result)) {
    if (count == 0) continue;
    parts.push_back(fmt::format("{} {}", pen.glyph(verdict), name_of(verdict)));
  }
  std::string out;
  for (const std::string& line : flowed(parts, "   ", usable_columns(style))) {
    out += line + "\n";
  }
  return out;
}

}  // namespace

std::size_t usable_columns(const TerminalStyle& style) {
  return static_cast<std::size_t>(std::max(style.width, 40));
}

std::string Pen::glyph(Verdict verdict) const {
  const VerdictMark& mark = mark_of(verdict);
  return style_.unicode ? std::string(mark.glyph) : std::string(1, mark.ascii);
}

std::string Pen::mark(Verdict verdict, const std::string& text) const {
  if (!style_.colour) return text;
  return fmt::format("\x1b[{}m{}\x1b[0m", colour_of(verdict), text);
}

std::string Pen::bold(const std::string& text) const {
  return style_.colour ? "\x1b[1m" + text + "\x1b[0m" : text;
}

std::string verdict_tables(const RunResult& result,
                           const TerminalStyle& style) {
  std::vector<Target> targets = targets_of(result);
  if (targets.empty()) return {};
  const std::vector<std::string> checks = checks_of(result);
  const Table table(checks, style);
  std::string out;
  if (share_a_table(targets)) {
    out = subject_table(targets, table, style) + "\n";
  } else {
    std::stable_sort(
        targets.begin(), targets.end(),
        [](const Target& a, const Target& b) { return a.subject < b.subject; });
    for (auto first = targets.begin(); first != targets.end();) {
      const auto last = std::find_if(
          first, targets.end(),
          [&](const Target& t) { return t.subject != first->subject; });
      out += subject_table({first, last}, table, style) + "\n";
      first = last;
    }
  }
  return out + legend(result, style);
}

}  // namespace dropcheck::reports
