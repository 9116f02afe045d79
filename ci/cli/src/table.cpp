#include "dropcheck/cli/table.hpp"

#include <algorithm>
#include <sstream>
#include <utility>

namespace dropcheck::cli {
namespace {

constexpr std::size_t kGap = 2;
constexpr std::size_t kMinimumLastColumn = 24;
/// Of a last column that stands below the others.
constexpr std::size_t kIndent = 4;

std::string without_trailing_blanks(std::string line) {
  line.erase(line.find_last_not_of(' ') + 1);
  return line;
}

std::string padded(const std::string& text, std::size_t width) {
  const std::size_t used = columns(text);
  return text + std::string(width - std::min(width, used) + kGap, ' ');
}

}  // namespace

std::size_t columns(const std::string& text) {
  return static_cast<std::size_t>(std::count_if(
      text.begin(), text.end(),
      [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

std::vector<std::string> wrapped(const std::string& text, std::size_t width) {
  std::vector<std::string> lines = {""};
  std::istringstream words(text);
  for (std::string word; words >> word;) {
    std::string& line = lines.back();
    if (line.empty()) {
      line = word;
    } else if (columns(line) + 1 + columns(word) <= width) {
      line += ' ' + word;
    } else {
      lines.push_back(word);
    }
  }
  return lines;
}

Table::Table(std::vector<std::string> header) { add(std::move(header)); }

void Table::add(std::vector<std::string> row) {
  if (!rows_.empty()) row.resize(rows_.front().size());
  rows_.push_back(std::move(row));
}

std::string Table::stacked(const std::vector<std::size_t>& widths,
                           std::size_t width) const {
  const std::size_t room = width > 2 * kIndent ? width - kIndent : kIndent;
  std::string out;
  for (const auto& row : rows_) {
    std::string line;
    for (std::size_t column = 0; column < widths.size(); ++column) {
      line += padded(row[column], widths[column]);
    }
    out += without_trailing_blanks(line) + '\n';
    if (row.back().empty()) continue;
    for (const std::string& part : wrapped(row.back(), room)) {
      out += without_trailing_blanks(std::string(kIndent, ' ') + part) + '\n';
    }
  }
  return out;
}

std::string Table::text(std::size_t width) const {
  const std::size_t last = rows_.front().size() - 1;
  std::vector<std::size_t> widths(last, 0);
  std::size_t before = 0;
  for (std::size_t column = 0; column < last; ++column) {
    for (const auto& row : rows_) {
      widths[column] = std::max(widths[column], columns(row[column]));
    }
    before += widths[column] + kGap;
  }
  const std::size_t room = width > before ? width - before : 0;
  std::size_t longest = 0;
  for (const auto& row : rows_) {
    longest = std::max(longest, columns(row[last]));
  }
  if (room < std::min(longest, kMinimumLastColumn)) {
    return stacked(widths, width);
  }
  std::string out;
  for (const auto& row : rows_) {
    std::string line;
    for (std::size_t column = 0; column < last; ++column) {
      line += padded(row[column], widths[column]);
    }
    for (const std::string& part : wrapped(row[last], room)) {
      out += without_trailing_blanks(line + part) + '\n';
      line.assign(before, ' ');
    }
  }
  return out;
}

}  // namespace dropcheck::cli
