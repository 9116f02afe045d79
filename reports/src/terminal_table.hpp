#pragma once

#include <string>
#include <string_view>

#include "dropcheck/reports/terminal.hpp"
#include "wording.hpp"

namespace dropcheck::reports {

std::size_t usable_columns(const TerminalStyle& style);

/// Puts colour and glyphs as the style allows.
class Pen {
 public:
  explicit Pen(const TerminalStyle& style) : style_(style) {}
  std::string glyph(Verdict verdict) const;
  std::string mark(Verdict verdict, const std::string& text) const;
  std::string bold(const std::string& text) const;

 private:
  TerminalStyle style_;
};

/// Tables with a row per check and a column per subject and layer, as many
/// side by side as fit, then the legend of the glyphs that occur.
std::string verdict_tables(const RunResult& result, const TerminalStyle& style);

}  // namespace dropcheck::reports
