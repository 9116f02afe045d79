#include "dropcheck/cli/progress.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "dropcheck/cli/time_text.hpp"

namespace dropcheck::cli {
namespace {

constexpr std::chrono::milliseconds kLiveInterval{100};
constexpr std::chrono::seconds kPlainInterval{30};
constexpr const char* kClearLine = "\r\x1b[K";

}  // namespace

ProgressLine::ProgressLine(std::ostream& out, Style style)
    : out_(out),
      style_(std::move(style)),
      start_(style_.now()),
      last_(start_) {}

double ProgressLine::elapsed_seconds() const {
  return std::chrono::duration<double>(style_.now() - start_).count();
}

std::string ProgressLine::text(std::size_t done, std::size_t total,
                               const std::string& what) const {
  const std::size_t percent = total == 0 ? 100 : 100 * done / total;
  return fmt::format("{:3} %  {}/{}  {}  {}", percent, done, total,
                     time_text(elapsed_seconds()), what);
}

void ProgressLine::update(std::size_t done, std::size_t total,
                          const std::string& what) {
  const auto now = style_.now();
  const bool due = style_.live ? !shown_ || now - last_ >= kLiveInterval
                               : now - last_ >= kPlainInterval;
  if (!due) return;
  last_ = now;
  std::string line = text(done, total, what);
  if (style_.live) {
    // One column stays free: some terminals wrap when the last one is used.
    line.resize(
        std::min(line.size(), static_cast<std::size_t>(style_.width - 1)));
    out_ << kClearLine << line << std::flush;
    shown_ = true;
  } else {
    out_ << line << std::endl;
  }
}

void ProgressLine::finish() {
  if (shown_) out_ << kClearLine << std::flush;
  shown_ = false;
}

}  // namespace dropcheck::cli
