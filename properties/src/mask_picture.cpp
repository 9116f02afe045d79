#include "mask_picture.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "calibration_rows.hpp"
#include "dropcheck/impl/random_stream.hpp"

namespace dropcheck::properties {
namespace {

constexpr std::int64_t kColumns = 96;
constexpr std::int64_t kLines = 32;

bool bit_at(const Row& row, std::int64_t index) {
  return ((row.words[static_cast<std::size_t>(index / 64)] >> (index % 64)) &
          1U) != 0;
}

std::string line_of(const Row& row, std::int64_t begin, std::int64_t count) {
  std::string line;
  for (std::int64_t i = begin; i < begin + count; ++i) {
    line += bit_at(row, i) ? '0' : '1';
  }
  return line;
}

/// Independent units: what the line could have looked like.
std::string independent_line(std::uint64_t number, std::size_t count,
                             double p0) {
  std::string line;
  for (std::size_t i = 0; i < count; ++i) {
    const double uniform = std::ldexp(
        static_cast<double>(impl::keyed_word(1, number, i) >> 11U), -53);
    line += uniform < p0 ? '0' : '1';
  }
  return line;
}

}  // namespace

MaskPicture structure_picture(const StatisticalInput& input, bool by_call) {
  const std::vector<Row> rows = calibration_rows(input);
  MaskPicture picture;
  const std::int64_t bits = rows.empty() ? 0 : rows.front().bits;
  const std::int64_t columns = std::min(bits, kColumns);
  if (by_call) {
    picture.caption = fmt::format(
        "the first {} units of successive calls, one line each", columns);
    for (const Row& row : rows) {
      if (std::ssize(picture.observed) == kLines) break;
      picture.observed.push_back(line_of(row, 0, columns));
    }
  } else {
    picture.caption =
        fmt::format("the units of one call in order, {} a line", columns);
    for (std::int64_t i = 0; i + columns <= bits && columns > 0; i += columns) {
      if (std::ssize(picture.observed) == kLines) break;
      picture.observed.push_back(line_of(rows.front(), i, columns));
    }
  }
  for (std::size_t k = 0; k < picture.observed.size(); ++k) {
    picture.expected.push_back(
        independent_line(k, picture.observed[k].size(), input.context.p0()));
  }
  return picture;
}

}  // namespace dropcheck::properties
