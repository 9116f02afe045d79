#pragma once

#include <string>

#include "dropcheck/properties/run_result.hpp"

namespace dropcheck::reports {

struct TerminalStyle {
  bool colour = false;  ///< ANSI colours; a glyph says the same without
  int width = 80;       ///< columns; at least 40 are used
  bool unicode = true;  ///< false: ASCII glyphs
};

/// The result for a terminal: a table of verdicts, a block for each finding
/// that is not a pass (worst first, equal ones grouped), a closing line.
///
/// No line is wider than the style allows, except lines to copy: they are
/// never broken. Control characters of a subject never reach the terminal.
std::string summary_table(const properties::RunResult& result,
                          const TerminalStyle& style);

}  // namespace dropcheck::reports
