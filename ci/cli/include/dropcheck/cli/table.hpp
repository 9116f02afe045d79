#pragma once

#include <string>
#include <vector>

namespace dropcheck::cli {

/// Text in aligned columns, two blanks apart; the last column is wrapped at
/// `width`, its further lines indented below its first. Where too little room
/// is left for it, it stands below the others.
class Table {
 public:
  explicit Table(std::vector<std::string> header);
  void add(std::vector<std::string> row);
  std::string text(std::size_t width = 80) const;

 private:
  std::string stacked(const std::vector<std::size_t>& widths,
                      std::size_t width) const;

  std::vector<std::vector<std::string>> rows_;
};

/// `text` broken at blanks into lines of at most `width` columns.
std::vector<std::string> wrapped(const std::string& text, std::size_t width);

/// Columns of a text: UTF-8 continuation bytes take none.
std::size_t columns(const std::string& text);

}  // namespace dropcheck::cli
