#include "dropcheck/cli/values.hpp"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <limits>
#include <optional>
#include <vector>

#include "dropcheck/cli/names.hpp"
#include "dropcheck/cli/usage_error.hpp"

namespace dropcheck::cli {
namespace {

[[noreturn]] void refuse(Argument argument, std::string_view rule) {
  throw UsageError(fmt::format("{} is '{}', but must be {}", argument.option,
                               argument.text, rule));
}

// The whole text as one number; base is for integers only.
template <class Number, class... Base>
std::optional<Number> number(std::string_view text, Base... base) {
  Number value{};
  const char* const end = text.data() + text.size();
  const auto result = std::from_chars(text.data(), end, value, base...);
  if (result.ec != std::errc{} || result.ptr != end) return std::nullopt;
  return value;
}

double seconds_per(std::string_view unit) {
  if (unit.empty() || unit == "s") return 1;
  if (unit == "ms") return 1e-3;
  if (unit == "m" || unit == "min") return 60;
  if (unit == "h") return 3600;
  return std::numeric_limits<double>::quiet_NaN();
}

/// Nothing unless it is a time above 0 and at most a year.
std::optional<double> seconds_of(std::string_view text) {
  constexpr double kYear = 366 * 86400.0;
  std::size_t end = text.find_last_of("0123456789.");
  end = end == std::string_view::npos ? 0 : end + 1;
  const auto value = number<double>(text.substr(0, end));
  const double seconds = value.value_or(-1) * seconds_per(text.substr(end));
  if (seconds > 0 && seconds <= kYear) return seconds;
  return std::nullopt;
}

constexpr std::string_view kShapeRule =
    "extents of at least 1 such as 64x256x2x2, at most 8 of them and at most "
    "2^28 elements";
constexpr std::int64_t kMaximumElements = std::int64_t{1} << 28;
constexpr std::size_t kMaximumRank = 8;

std::vector<std::string_view> split_extents(std::string_view text) {
  std::vector<std::string_view> parts;
  const char separator = text.find(',') == std::string_view::npos ? 'x' : ',';
  for (std::size_t begin = 0;;) {
    const std::size_t end = text.find(separator, begin);
    parts.push_back(text.substr(begin, end - begin));
    if (end == std::string_view::npos) return parts;
    begin = end + 1;
  }
}

}  // namespace

double parse_probability(Argument argument) {
  const auto value = number<double>(argument.text);
  if (value && *value >= 0 && *value <= 1) return *value;
  refuse(argument, "a drop probability in [0, 1]");
}

double parse_small(Argument argument) {
  const auto value = number<double>(argument.text);
  if (value && *value > 0 && *value < 0.5) return *value;
  refuse(argument, "a number above 0 and below 0.5");
}

unsigned parse_threads(Argument argument) {
  const auto value = number<unsigned>(argument.text);
  if (value && *value >= 1 && *value <= 4096) return *value;
  refuse(argument,
         "a whole number from 1 to 4096 (leave it out for all cores)");
}

std::uint64_t parse_runs(Argument argument) {
  const auto value = number<std::uint64_t>(argument.text);
  if (value && *value >= 1 && *value <= 1'000'000'000) return *value;
  refuse(argument, "a whole number from 1 to 1000000000");
}

std::uint64_t parse_seed(Argument argument) {
  const bool hex = argument.text.starts_with("0x");
  const auto value =
      number<std::uint64_t>(argument.text.substr(hex ? 2 : 0), hex ? 16 : 10);
  if (value) return *value;
  refuse(argument, "'random' or a whole number from 0 to 2^64 - 1");
}

std::size_t parse_count(Argument argument) {
  constexpr std::size_t kMost = 1000000;
  const auto value = number<std::size_t>(argument.text);
  if (value && *value <= kMost) return *value;
  refuse(argument, "a whole number from 0 to 1000000");
}

double parse_limit(Argument argument) {
  if (argument.text == "0") return 0;
  if (const auto seconds = seconds_of(argument.text)) return *seconds;
  refuse(argument, "0 (off) or a time such as 90, 90s, 4m or 1.5h");
}

double parse_seconds(Argument argument) {
  if (const auto seconds = seconds_of(argument.text)) return *seconds;
  refuse(argument, "a time above 0 such as 90, 90s, 4m or 1.5h");
}

impl::Shape parse_shape(Argument argument) {
  impl::Shape shape;
  std::int64_t elements = 1;
  for (const std::string_view part : split_extents(argument.text)) {
    const auto extent = number<std::int64_t>(part);
    const bool fits = extent && *extent >= 1 &&
                      *extent <= kMaximumElements / elements &&
                      shape.size() < kMaximumRank;
    if (!fits) refuse(argument, kShapeRule);
    shape.push_back(*extent);
    elements *= *extent;
  }
  return shape;
}

std::chrono::year_month_day parse_date(Argument argument) {
  const std::string_view text = argument.text;
  if (text.size() == 10 && text[4] == '-' && text[7] == '-') {
    const auto year = number<int>(text.substr(0, 4));
    const auto month = number<unsigned>(text.substr(5, 2));
    const auto day = number<unsigned>(text.substr(8, 2));
    if (year && month && day) {
      const std::chrono::year_month_day date = std::chrono::year(*year) /
                                               std::chrono::month(*month) /
                                               std::chrono::day(*day);
      if (date.ok()) return date;
    }
  }
  refuse(argument, "a day of the calendar like 2026-12-31");
}

impl::DType parse_dtype(Argument argument) {
  if (const auto dtype = impl::dtype_from_name(argument.text)) return *dtype;
  const std::vector<std::string> names = {"f32", "f64", "f16", "bf16"};
  refuse(argument,
         "one of " + join(names) + did_you_mean(argument.text, names));
}

}  // namespace dropcheck::cli
