#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <ostream>
#include <string>

namespace dropcheck::cli {

/// Tells how far a run is: one line that is rewritten on a terminal, one plain
/// line every 30 s elsewhere.
class ProgressLine {
 public:
  using Clock = std::chrono::steady_clock;

  struct Style {
    bool live = false;  ///< a terminal that can rewrite a line
    int width = 80;
    std::function<Clock::time_point()> now = Clock::now;
  };

  ProgressLine(std::ostream& out, Style style);

  void update(std::size_t done, std::size_t total, const std::string& what);

  /// Removes the live line, so that what follows starts in column 1.
  void finish();

 private:
  std::string text(std::size_t done, std::size_t total,
                   const std::string& what) const;
  double elapsed_seconds() const;

  std::ostream& out_;
  Style style_;
  Clock::time_point start_;
  Clock::time_point last_;
  bool shown_ = false;
};

}  // namespace dropcheck::cli
