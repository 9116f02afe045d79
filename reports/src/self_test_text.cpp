#include <fmt/format.h>

#include <algorithm>

#include "dropcheck/reports/self_test.hpp"
#include "self_test_words.hpp"
#include "terminal_table.hpp"
#include "text.hpp"

namespace dropcheck::reports {
namespace {

using self_test::Kill;
using self_test::Power;
using self_test::SelfTestResult;

constexpr std::string_view kLetters =
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

class Text {
 public:
  Text(const SelfTestResult& result, const TerminalStyle& style)
      : result_(result),
        style_(style),
        pen_(style),
        width_(usable_columns(style)) {}

  std::string all() {
    heading();
    if (!result_.kills.empty()) kills();
    if (result_.false_alarms.runs > 0) false_alarms();
    if (!result_.powers.empty()) powers();
    if (!result_.exactness.empty()) statistics();
    conclusion();
    return text_;
  }

 private:
  void line(const std::string& text) { text_ += text + '\n'; }
  void paragraph(const std::string& text) {
    for (const std::string& part : wrapped(one_line(text), width_)) line(part);
  }
  void title(const std::string& text) { line('\n' + pen_.bold(text)); }

  void heading() {
    paragraph(fmt::format("dropcheck {} self-test, {}, seed {}, {}, {:.0f} s",
                          result_.version, result_.profile, result_.seed,
                          counted(result_.threads, "thread"), result_.seconds));
  }

  std::string mark(Hit hit) const {
    switch (hit) {
      case Hit::kNamed:
        return style_.unicode ? "●" : "#";
      case Hit::kRefuted:
        return style_.unicode ? "○" : "o";
      case Hit::kPassed:
        return style_.unicode ? "·" : ".";
      case Hit::kMissed:
        return "!";
      case Hit::kNotLooked:
        break;
    }
    return " ";
  }

  /// Only checks that a row speaks of have a column.
  std::vector<std::string> columns() const {
    std::vector<std::string> used;
    for (const std::string& check : result_.checks) {
      const bool any = std::any_of(
          result_.kills.begin(), result_.kills.end(), [&](const Kill& kill) {
            return hit_of(kill, check) != Hit::kNotLooked;
          });
      if (any && used.size() < kLetters.size()) used.push_back(check);
    }
    return used;
  }

  void kill_row(const Kill& kill, const std::vector<std::string>& checks,
                std::size_t name_columns) {
    std::string row = padded(short_name(kill), name_columns) + ' ';
    for (const std::string& check : checks) row += mark(hit_of(kill, check));
    if (columns_of(row) + 20 <= width_) {
      row += fmt::format(" {:>9}", kill.n == 0 ? "" : grouped(kill.n));
      row += fmt::format(" {:>7.3f} s", kill.seconds);
    }
    row.erase(row.find_last_not_of(' ') + 1);
    line(kill.killed ? row : pen_.mark(properties::Verdict::kRefuted, row));
  }

  void kills() {
    title("Wrong layers");
    const std::vector<std::string> checks = columns();
    std::size_t longest = 0;
    for (const Kill& kill : result_.kills) {
      longest = std::max(longest, columns_of(short_name(kill)));
    }
    line(padded("", longest) + ' ' +
         std::string(kLetters.substr(0, checks.size())));
    for (const Kill& kill : result_.kills) kill_row(kill, checks, longest);
    paragraph(fmt::format(
        "{} refuted by the check that must, {} refuted by another, {} not "
        "refuted, ! missed; n and time are of the check that must.",
        mark(Hit::kNamed), mark(Hit::kRefuted), mark(Hit::kPassed)));
    std::vector<std::string> legend;
    for (std::size_t i = 0; i < checks.size(); ++i) {
      legend.push_back(fmt::format("{} {}", kLetters[i], checks[i]));
    }
    for (const std::string& part : flowed(legend, "  ", width_)) line(part);
    paragraph(kill_summary(result_));
  }

  void false_alarms() {
    title("Right layers");
    paragraph(false_alarm_summary(result_.false_alarms));
    paragraph(kFalseAlarmRemark);
  }

  void powers() {
    title("Planted defects");
    for (const Power& power : result_.powers) {
      paragraph(fmt::format(
          "{} {} {:.2g} at p = {:g}: {} of {} found by {}{}", power.family,
          power.measures, power.size, power.drop_probability, power.found,
          power.runs, power.check,
          power.judged ? ""
                       : fmt::format(" (stated {:.2g})", power.stated_size)));
    }
    paragraph(power_summary(result_));
  }

  void statistics() {
    title("Statistics");
    for (const auto& row : result_.exactness) {
      if (row.right) continue;
      paragraph(fmt::format("! {}: {}; {:.12g} to {:.12g}", row.name, row.what,
                            row.lowest, row.highest));
    }
    paragraph(statistics_summary(result_));
  }

  void conclusion() {
    line("");
    for (const std::string& failure : result_.failures) {
      paragraph(pen_.glyph(properties::Verdict::kRefuted) + ' ' + failure);
    }
    const bool good = result_.failures.empty();
    const auto verdict =
        good ? properties::Verdict::kCertified : properties::Verdict::kRefuted;
    line(pen_.mark(verdict,
                   pen_.glyph(verdict) + ' ' + self_test_conclusion(result_)));
  }

  const SelfTestResult& result_;
  TerminalStyle style_;
  Pen pen_;
  std::size_t width_;
  std::string text_;
};

}  // namespace

std::string self_test_text(const SelfTestResult& result,
                           const TerminalStyle& style) {
  return Text(result, style).all();
}

}  // namespace dropcheck::reports
