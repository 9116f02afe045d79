#include "value_fit.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace dropcheck::properties {
namespace {

/// A value seen against the range that it has over an interval of p.
bool fits(double seen, double a, double b, double tolerance) {
  return seen >= std::min(a, b) - tolerance &&
         seen <= std::max(a, b) + tolerance;
}

double unit_of(impl::DType dtype) {
  return std::ldexp(8.0, -impl::significand_bits(dtype));
}

}  // namespace

bool kept_fits(const impl::Affine& low, const impl::Affine& high,
               const Identification& found) {
  if (!found.slope) return true;
  const double unit = unit_of(found.config.dtype);
  return fits(*found.slope, low.a, high.a, unit * std::abs(low.a)) &&
         fits(*found.offset, low.b, high.b,
              unit * (std::abs(low.a) + std::abs(low.b)));
}

bool dropped_fits(const impl::Affine& low, const impl::Affine& high,
                  const Identification& found) {
  if (!found.dropped_value) return true;
  const double unit = unit_of(found.config.dtype);
  return fits(*found.dropped_value, low.dropped_value(), high.dropped_value(),
              unit * (std::abs(low.a * low.c) + std::abs(low.b)));
}

double relative_distance(double a, double b) {
  const double size = std::abs(a) + std::abs(b);
  return size > 0 ? std::abs(a - b) / size : 0;
}

std::string line_text(double slope, double offset) {
  if (slope == 1 && offset == 0) return "x";
  std::string text = fmt::format("{:.7g} * x", slope);
  if (std::abs(offset) > 1e-9) text += fmt::format(" {:+.7g}", offset);
  return text;
}

}  // namespace dropcheck::properties
