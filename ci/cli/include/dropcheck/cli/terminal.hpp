#pragma once

namespace dropcheck::cli {

/// What an output stream can show.
struct Terminal {
  bool is_terminal = false;
  bool colour = false;   ///< terminal, not TERM=dumb, NO_COLOR not set
  bool rewrite = false;  ///< a line can be rewritten
  bool unicode = false;  ///< the locale's character set is UTF-8
  int width = 80;
};

/// Looks at file descriptor 1 or 2 and at the environment.
Terminal terminal(int descriptor, bool no_color);

}  // namespace dropcheck::cli
