#include "value_words.hpp"

#include <fmt/format.h>

#include <cmath>

#include "misfit_causes.hpp"
#include "rate_sets.hpp"
#include "value_causes.hpp"

namespace dropcheck::properties {
namespace {

/// How wrong kept values look, where no known mistake gives them.
std::string slope_words(const Context& context, const MaskReader& reader) {
  const impl::Affine map = impl::affine(context.law(), context.config());
  const Line& line = reader.line();
  if (map.c == 0 && std::abs(line.offset) > 1e-5) {
    return fmt::format(
        "a constant is added: kept values are {:.6g} * x {:+.6g} where "
        "{:.6g} * x is due",
        line.slope, line.offset, map.a);
  }
  if (map.c == 0) {
    return fmt::format("kept values are x * {:.6g} where x * {:.6g} is due",
                       line.slope, map.a);
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
  if (const auto misfits = cause_of_misfits(context)) return *misfits;
  const auto cause = cause_of_values(context);
  if (straight && !line_is_right) {
    const std::string kept = cause.value_or(slope_words(context, reader));
    if (dropped.empty() || (cause && map.c != 0)) return kept;
    return kept + "; " + dropped;
  }
  if (!dropped.empty()) return cause ? dropped + ": " + *cause : dropped;
  if (reader.misfit()) {
    const KeptPair& pair = *reader.misfit();
    return fmt::format(
        "x = {:.7g} becomes {:.7g}, which is neither the kept "
        "value {:.7g} nor the dropped value {:.7g}",
        pair.x, pair.y, map.a * pair.x + map.b, map.dropped_value());
  }
  if (!std::isfinite(reader.largest_error_ulp())) {
    return cause.value_or(slope_words(context, reader));
  }
  return fmt::format("kept values are up to {:.0f} units of the last place off",
                     reader.largest_error_ulp());
}

}  // namespace dropcheck::properties
