#include "special_values.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "dropcheck/impl/random_stream.hpp"
#include "dtype_limits.hpp"
#include "option_words.hpp"
#include "value_model.hpp"

namespace dropcheck::properties {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
/// Rounding of scale, product and sum, each once to the dtype, and the scale
/// once more where it was computed in several ways.
constexpr double kUnits = 4;

constexpr std::array<std::string_view, kSpecials> kNames{
    "an ordinary number",
    "+0",
    "-0",
    "NaN",
    "infinity",
    "-infinity",
    "a subnormal number",
    "a negative subnormal number",
    "a large number",
    "a large negative number"};

constexpr std::uint64_t kPatterns = 12;

void put(const impl::TensorView& view, std::int64_t element,
         std::uint64_t pattern, double slope) {
  const impl::DType dtype = view.dtype;
  const double subnormal = 0.75 * smallest_normal(dtype);
  const double finite = 0.75 * largest(dtype) / std::max(slope, 1.0);
  const std::array<double, kPatterns - 1> values{
      0.0,        -0.0,           std::numeric_limits<double>::quiet_NaN(),
      kInfinity,  -kInfinity,     subnormal,
      -subnormal, largest(dtype), -largest(dtype),
      finite,     -finite};
  if (pattern < values.size()) {
    view.set(element, values[pattern]);
  } else {  // A NaN whose payload carries into the exponent when it is rounded.
    std::memset(view.at(element), 0xFF, impl::size_of(dtype));
  }
}

bool near(double y, double due, double tolerance) {
  return std::abs(y - due) <= tolerance;
}

double unit_at(double value, impl::DType dtype) {
  return std::max(std::isfinite(value) ? ulp_at(value, dtype) : 0,
                  smallest_subnormal(dtype));
}

bool same_sign(double a, double b) {
  return std::signbit(a) == std::signbit(b);
}

/// A kept number that is neither NaN nor infinite nor 0.
Wrong judge_number(const Answering& answering, double x, double y) {
  const impl::DType dtype = answering.dtype;
  const auto wide =
      static_cast<long double>(x) * static_cast<long double>(answering.slope) +
      static_cast<long double>(answering.offset);
  const auto limit = static_cast<long double>(largest(dtype));
  const auto due = static_cast<double>(std::clamp(wide, -limit, limit));
  const double tolerance =
      kUnits * unit_at(due, dtype) + answering.slack * std::abs(due);
  const auto beyond = std::abs(wide) - limit;
  if (std::isinf(y)) {
    const bool may = beyond >= -static_cast<long double>(tolerance);
    return may && same_sign(y, due) ? Wrong::kNothing : Wrong::kOverflowed;
  }
  if (beyond > static_cast<long double>(tolerance)) return Wrong::kSaturated;
  if (near(y, due, tolerance)) return Wrong::kNothing;
  const bool subnormal = std::abs(due) < smallest_normal(dtype);
  return subnormal && y == 0 ? Wrong::kFlushed : Wrong::kKeptWrong;
}

std::string rest_of(const WrongValue& wrong) {
  return wrong.count == 1
             ? fmt::format(" ({})", wrong.place)
             : fmt::format(" ({} and {} more)", wrong.place, wrong.count - 1);
}

std::string clause_of(Wrong kind, const WrongValue& wrong) {
  const std::string x = text_of(wrong.x);
  const std::string y = text_of(wrong.y);
  const std::string fill = text_of(wrong.fill);
  switch (kind) {
    case Wrong::kNothing:
      break;
    case Wrong::kNaNLost:
      return fmt::format("a kept NaN is lost: it becomes {}", y);
    case Wrong::kInfinityLost:
      return fmt::format("a kept infinity is lost: {} becomes {}", x, y);
    case Wrong::kZeroLost:
      return fmt::format("a kept {} becomes {}", x, y);
    case Wrong::kZeroSignLost:
      return fmt::format("a kept zero loses its sign: {} becomes {}", x, y);
    case Wrong::kFlushed:
      return fmt::format("subnormal numbers are flushed: {} is kept as {}", x,
                         y);
    case Wrong::kSaturated:
      return fmt::format(
          "a kept value beyond the largest finite number is "
          "clipped: {} becomes {}, not infinity",
          x, y);
    case Wrong::kOverflowed:
      return fmt::format("a kept value that is finite overflows: {} becomes {}",
                         x, y);
    case Wrong::kKeptWrong:
      return fmt::format("a kept {} becomes {}", x, y);
    case Wrong::kDroppedNaN:
      return fmt::format(
          "a dropped {} becomes NaN: it is multiplied by 0, "
          "where {} is due",
          x, fill);
    case Wrong::kDroppedNotNaN:
      return fmt::format(
          "a dropped {} becomes {}, where the subject declares "
          "NaN",
          x, y);
    case Wrong::kDroppedSign:
      return fmt::format("a dropped {} becomes -0: it is multiplied by 0", x);
    case Wrong::kDroppedSignMissing:
      return fmt::format(
          "a dropped {} becomes {}, where the subject declares "
          "a zero of its sign",
          x, y);
    case Wrong::kDroppedWrong:
      return fmt::format("a dropped {} becomes {}, not {}", x, y, fill);
  }
  return {};
}

/// The option that makes it right, or nothing.
std::string_view option_for(Wrong kind) {
  switch (kind) {
    case Wrong::kDroppedNaN:
      return "dropped_nonfinite = nan";
    case Wrong::kDroppedNotNaN:
      return "dropped_nonfinite = fill";
    case Wrong::kDroppedSign:
      return "dropped_zero = signed";
    case Wrong::kDroppedSignMissing:
      return "dropped_zero = positive";
    default:
      return {};
  }
}

}  // namespace

std::string_view name_of(Special kind) {
  return kNames[static_cast<std::size_t>(kind)];
}

Special kind_of(double value, impl::DType dtype) {
  const bool negative = std::signbit(value);
  const auto of = [negative](Special positive) {
    const auto index = static_cast<std::uint8_t>(positive);
    return static_cast<Special>(negative ? index + 1 : index);
  };
  if (std::isnan(value)) return Special::kNaN;
  if (std::isinf(value)) return of(Special::kInfinity);
  if (value == 0) return of(Special::kZero);
  if (std::abs(value) < smallest_normal(dtype)) return of(Special::kSubnormal);
  if (std::abs(value) >= largest(dtype) / 4) return of(Special::kLarge);
  return Special::kOrdinary;
}

std::string text_of(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value < 0 ? "-infinity" : "infinity";
  return fmt::format("{:.7g}", value);
}

void put_specials(impl::Tensor& input, bool scores, double slope,
                  std::uint64_t key, std::uint64_t round) {
  const impl::TensorView view = input.view();
  const std::int64_t row = scores && !view.shape.empty()
                               ? std::max<std::int64_t>(view.shape.back(), 1)
                               : 1;
  for (std::int64_t i = 0; i < view.size(); i += row) {
    const std::uint64_t word =
        impl::keyed_word(key, static_cast<std::uint64_t>(i));
    const std::uint64_t pattern = (word + round) % (2 * kPatterns);
    if (pattern >= kPatterns) continue;
    const auto place = static_cast<std::int64_t>(
        (word >> 32U) % static_cast<std::uint64_t>(row));
    put(view, i + place, pattern, slope);
  }
}

Wrong judge_kept(const Answering& answering, double x, double y) {
  if (std::isnan(x)) return std::isnan(y) ? Wrong::kNothing : Wrong::kNaNLost;
  // A factor of 0 is one that was too small to be seen.
  if (answering.slope == 0) {
    return std::isnan(y) ? Wrong::kKeptWrong : Wrong::kNothing;
  }
  const double due = answering.slope * x + answering.offset;
  if (std::isinf(x)) {
    return y == due ? Wrong::kNothing : Wrong::kInfinityLost;
  }
  if (x == 0 && answering.offset == 0) {
    if (y != 0) return Wrong::kZeroLost;
    // Not of the sum: -0 + 0 is +0.
    return same_sign(y, answering.slope * x) ? Wrong::kNothing
                                             : Wrong::kZeroSignLost;
  }
  return judge_number(answering, x, y);
}

Wrong judge_dropped(const Answering& answering, const impl::LawOptions& options,
                    double x, double y) {
  if (!std::isfinite(x) && std::isnan(y)) {
    return options.dropped_nonfinite == impl::DroppedNonFinite::kFill
               ? Wrong::kDroppedNaN
               : Wrong::kNothing;
  }
  const double fill = answering.fill;
  if (!near(y, fill, kUnits * (fill == 0 ? 0 : ulp_at(fill, answering.dtype))))
    return Wrong::kDroppedWrong;
  if (!std::isfinite(x)) {
    return options.dropped_nonfinite == impl::DroppedNonFinite::kNaN
               ? Wrong::kDroppedNotNaN
               : Wrong::kNothing;
  }
  // A sum that cancels has its own sign.
  if (fill != 0 || answering.offset != 0) return Wrong::kNothing;
  switch (options.dropped_zero) {
    case impl::DroppedZero::kPositive:
      return std::signbit(y) ? Wrong::kDroppedSign : Wrong::kNothing;
    case impl::DroppedZero::kSigned:
      return same_sign(x, y) ? Wrong::kNothing : Wrong::kDroppedSignMissing;
    case impl::DroppedZero::kEither:
      break;
  }
  return Wrong::kNothing;
}

std::optional<std::string> sentence_of(const WrongValues& wrong) {
  std::string clauses;
  std::string_view nonfinite;
  std::string_view zero;
  bool by_options = true;
  for (std::size_t k = 1; k < kWrongs; ++k) {
    if (wrong[k].count == 0) continue;
    const auto kind = static_cast<Wrong>(k);
    clauses += (clauses.empty() ? "" : "; ") + clause_of(kind, wrong[k]) +
               rest_of(wrong[k]);
    const std::string_view option = option_for(kind);
    by_options = by_options && !option.empty();
    (option.starts_with("dropped_zero") ? zero : nonfinite) = option;
  }
  if (clauses.empty()) return std::nullopt;
  return clauses + (by_options ? needs_option({nonfinite, zero}) : "");
}

}  // namespace dropcheck::properties
