#include "value_words.hpp"

#include <fmt/format.h>

#include <cmath>

#include "rate_sets.hpp"

namespace dropcheck::properties {
namespace {

/// How wrong kept values look, for the support sentence.
std::string slope_words(const Context& context, const MaskReader& reader) {
  const impl::Affine map = impl::affine(context.law(), context.config());
  const Line& line = reader.line();
  const double p = context.config().drop_probability;
  const double q = 1 - p;
  const auto is = [&](double value, double target) {
    return std::abs(value - target) <= 1e-3 * std::abs(target) + 1e-9;
  };
  const std::string keep = fmt::format("{:.6g}", q);
  if (map.c == 0) {
    if (is(line.slope, 1) && map.a != 1) {
      return fmt::format("kept values are not scaled: x instead of x/{}", keep);
    }
    if (is(line.slope, 1 / (q * q))) {
      return fmt::format(
          "kept values are scaled twice: x/{0}^2 instead of "
          "x/{0}",
          keep);
    }
    if (is(line.slope, 1 / p) && !is(p, q)) {
      return fmt::format(
          "kept values are divided by the drop probability: "
          "x/{:.6g} instead of x/{}",
          p, keep);
    }
    if (is(line.slope, q) && map.a != q) {
      return fmt::format(
          "kept values are multiplied by the keep probability: "
          "x*{0} instead of x/{0}",
          keep);
    }
    for (const impl::DType dtype :
         {impl::DType::kBFloat16, impl::DType::kFloat16}) {
      if (std::abs(line.slope - impl::rounded(map.a, dtype)) < 1e-7 &&
          impl::rounded(map.a, dtype) != map.a) {
        return fmt::format(
            "kept values are x * {:.7g}: the scale 1/{} = {:.7g} was rounded "
            "to {}",
            line.slope, keep, map.a, impl::name_of(dtype));
      }
    }
    if (std::abs(line.offset) > 1e-5) {
      return fmt::format(
          "a constant is added: kept values are {:.6g} * x {:+.6g} where "
          "{:.6g} * x is due",
          line.slope, line.offset, map.a);
    }
    return fmt::format("kept values are x * {:.6g} where x * {:.6g} is due",
                       line.slope, map.a);
  }
  if (is(line.slope, 1) && std::abs(line.offset) < 1e-6) {
    return "kept values are x itself: the affine map that keeps mean and "
           "variance is missing";
  }
  if (is(line.slope, 1 / q) && std::abs(line.offset) < 1e-6) {
    return fmt::format(
        "kept values are x/{}, as plain dropout returns them; "
        "{:.6g} * x {:+.6g} is due",
        keep, map.a, map.b);
  }
  return fmt::format(
      "kept values are {:.6g} * x {:+.6g} where {:.6g} * x "
      "{:+.6g} is due",
      line.slope, line.offset, map.a, map.b);
}

std::string dropped_words(const Context& context, const MaskReader& reader) {
  const impl::Affine map = impl::affine(context.law(), context.config());
  const double due = map.dropped_value();
  const double seen = reader.dropped_value();
  if (!reader.any_dropped() ||
      std::abs(seen - due) <= 8 * rounding(context.config().dtype) *
                                  (std::abs(map.a * map.c) + std::abs(map.b))) {
    return {};
  }
  return fmt::format("dropped units become {:.6g}, not {:.6g}", seen, due);
}

}  // namespace

std::string support_sentence(const Context& context) {
  const MaskReader& reader = *context.reader;
  std::string dropped = dropped_words(context, reader);
  const impl::Affine map = impl::affine(context.law(), context.config());
  const Line& line = reader.line();
  const double tiny = 8 * rounding(context.config().dtype);
  const bool straight = reader.straight();
  const bool line_is_right =
      straight && std::abs(line.slope - map.a) <= tiny * map.a &&
      std::abs(line.offset - map.b) <= tiny * (std::abs(map.b) + map.a);
  if (straight && !line_is_right) {
    const std::string kept = slope_words(context, reader);
    return dropped.empty() ? kept : kept + "; " + dropped;
  }
  if (!dropped.empty()) return dropped;
  if (reader.misfit()) {
    const KeptPair& pair = *reader.misfit();
    return fmt::format(
        "x = {:.7g} becomes {:.7g}, which is neither the kept "
        "value {:.7g} nor the dropped value {:.7g}",
        pair.x, pair.y, map.a * pair.x + map.b, map.dropped_value());
  }
  return fmt::format("kept values are up to {:.0f} units of the last place off",
                     reader.largest_error_ulp());
}

}  // namespace dropcheck::properties
