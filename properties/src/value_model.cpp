#include "value_model.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>

namespace dropcheck::properties {
namespace {

using impl::DType;

void add_unique(std::vector<double>& values, double value) {
  if (std::find(values.begin(), values.end(), value) == values.end()) {
    values.push_back(value);
  }
}

/// A constant rounded to the tensor's dtype and to the working precision; in
/// f32 and f64 also its neighbours, because 1/keep is computed in several ways.
std::vector<double> roundings(double exact, DType dtype, DType working) {
  std::vector<double> values;
  add_unique(values, impl::rounded(exact, working));
  add_unique(values, impl::rounded(exact, dtype));
  add_unique(values, impl::rounded(exact, DType::kFloat32));
  const bool wide = working == DType::kFloat64 || working == DType::kFloat32;
  if (wide && exact != 0) {
    const double step = ulp_at(exact, working);
    add_unique(values, impl::rounded(exact, working) + step);
    add_unique(values, impl::rounded(exact, working) - step);
  }
  return values;
}

bool reproduces(const ValueModel& model, DType dtype,
                std::span<const KeptPair> kept) {
  return std::all_of(kept.begin(), kept.end(), [&](const KeptPair& pair) {
    return model.kept(pair.x, dtype) == pair.y;
  });
}

std::vector<DType> working_precisions(DType dtype) {
  if (dtype == DType::kFloat64) return {DType::kFloat64};
  if (dtype == DType::kFloat32) return {DType::kFloat32, DType::kFloat64};
  return {DType::kFloat32, dtype, DType::kFloat64};
}

/// The neighbours of a constant, the nearest first.
void add_neighbours(std::vector<double>& values, double exact, DType working,
                    int steps) {
  const double step = ulp_at(exact, working);
  for (int k = 1; k <= steps; ++k) {
    add_unique(values, impl::rounded(exact, working) + k * step);
    add_unique(values, impl::rounded(exact, working) - k * step);
  }
}

/// Offsets are sums of rounded terms; in 16 bits they may be one step off.
std::vector<double> offsets(double exact, DType dtype, DType working) {
  if (exact == 0) return {0};
  std::vector<double> values = roundings(exact, dtype, working);
  const double step = ulp_at(exact, dtype);
  add_unique(values, impl::rounded(exact, dtype) + step);
  add_unique(values, impl::rounded(exact, dtype) - step);
  return values;
}

bool is_wide(DType dtype) {
  return dtype == DType::kFloat64 || dtype == DType::kFloat32;
}

/// As many roundings away from p as a right layer may be, for constants that
/// are no plain quotients; beyond 16 steps, values are compared with a bound.
int steps_of(double units) {
  return static_cast<int>(std::min(std::ceil(units), 16.0));
}

std::vector<ValueModel> candidates(const impl::Law& law,
                                   const impl::LayerConfig& config) {
  const impl::Affine map = impl::affine(law, config);
  const double keep = 1 - config.drop_probability;
  const DType dtype = config.dtype;
  std::vector<ValueModel> models;
  for (const DType working : working_precisions(dtype)) {
    std::vector<double> slopes = roundings(map.a, dtype, working);
    std::vector<double> shifts = offsets(map.b, dtype, working);
    if (map.b != 0 && is_wide(working)) {
      const ValueTolerance tolerance = value_tolerance(law, config, working);
      add_neighbours(slopes, map.a, working, steps_of(tolerance.slope));
      add_neighbours(shifts, map.b, working, steps_of(tolerance.tolerant));
    }
    for (const double slope : slopes) {
      for (const double offset : shifts) {
        models.push_back({working, false, false, slope, offset});
        if (offset != 0)
          models.push_back({working, false, true, slope, offset});
      }
    }
    if (map.b != 0 || map.a == 1) continue;
    for (const double divisor : roundings(keep, dtype, working)) {
      models.push_back({working, true, false, divisor, 0});
      models.push_back(
          {working, false, false, impl::rounded(1 / divisor, working), 0});
    }
  }
  return models;
}

}  // namespace

double ValueModel::kept(double x, DType dtype) const {
  const auto step = [this](double value) {
    return impl::rounded(value, working);
  };
  double value = 0;
  if (divides) {
    value = step(x / slope);
  } else if (offset == 0) {
    value = step(x * slope);
  } else if (fused) {
    value = step(std::fma(x, slope, offset));
  } else {
    value = step(step(x * slope) + offset);
  }
  return impl::rounded(value, dtype);
}

bool may_narrow_scale(const impl::Law& law, DType dtype) {
  return dtype == DType::kFloat64 && !law.options.scale_keeps_precision;
}

std::string ValueModel::describe() const {
  std::string text = fmt::format("x {} {:.9g}", divides ? "/" : "*", slope);
  if (offset != 0) text += fmt::format(" + {:.9g}", offset);
  return text + fmt::format(" in {}{}", impl::name_of(working),
                            fused ? ", fused" : "");
}

std::vector<ValueModel> value_models(const impl::Law& law,
                                     const impl::LayerConfig& config) {
  return candidates(law, config);
}

// With the unit roundoff u, and c four of them off (a product of two constants,
// against ours): c^2 9u, p c^2 10u, 1 + p c^2 0.76 * 10u + u, keep u, their
// product 10.6u, its root 5.3u + u, the inverse u more, and ours is rounded: a
// is 8.3u off. b = a p c: 4u for c and two products, 14.3u. The value is
// a x + b, once more rounded: 15.3u (|a x| + |b|) at most, and a unit of the
// last place is at least u of that. The dropped value a c + b has no more. A
// layer that holds p as a float has p itself u off, and keep u p / keep.
ValueTolerance value_tolerance(const impl::Law& law,
                               const impl::LayerConfig& config,
                               DType precision) {
  if (law.scaling != impl::Scaling::kSelu || !is_wide(precision)) return {};
  const double p = config.drop_probability;
  const double of_p =
      precision == DType::kFloat64 ? 0 : 0.38 + p / (2 * (1 - p));
  const double off = 15.3 + of_p + (precision == DType::kFloat64 ? 0 : 1);
  return {.near = off, .tolerant = off, .slope = 8.3 + of_p};
}

std::optional<ValueModel> find_value_model(const impl::Law& law,
                                           const impl::LayerConfig& config,
                                           std::span<const KeptPair> kept) {
  for (const ValueModel& model : value_models(law, config)) {
    if (reproduces(model, config.dtype, kept)) return model;
  }
  return std::nullopt;
}

std::optional<ValueModel> model_of_line(const Line& line, DType dtype,
                                        std::span<const KeptPair> kept) {
  const std::vector<DType> precisions = {DType::kBFloat16, DType::kFloat16,
                                         DType::kFloat32, DType::kFloat64};
  for (const DType working : working_precisions(dtype)) {
    for (const DType slope : precisions) {
      for (const DType offset : precisions) {
        const ValueModel model{working, false, false,
                               impl::rounded(line.slope, slope),
                               impl::rounded(line.offset, offset)};
        if (reproduces(model, dtype, kept)) return model;
        if (line.offset == 0) break;
      }
    }
  }
  return std::nullopt;
}

double ulp_at(double value, DType dtype) {
  if (value == 0) return 0;
  // A power of two is a number without fraction.
  constexpr std::uint64_t kExponent = 0x7ff0000000000000;
  const std::uint64_t power = std::bit_cast<std::uint64_t>(value) & kExponent;
  if (power != 0 && power != kExponent) {
    const auto steps = std::uint64_t{1} << (impl::significand_bits(dtype) - 1);
    return std::bit_cast<double>(power) / static_cast<double>(steps);
  }
  const int exponent = std::ilogb(value);
  return std::ldexp(1.0, exponent - impl::significand_bits(dtype) + 1);
}

Line fit_line(std::span<const KeptPair> kept) {
  long double n = 0;
  long double x = 0;
  long double y = 0;
  long double xx = 0;
  long double xy = 0;
  for (const KeptPair& pair : kept) {
    const auto px = static_cast<long double>(pair.x);
    const auto py = static_cast<long double>(pair.y);
    n += 1;
    x += px;
    y += py;
    xx += px * px;
    xy += px * py;
  }
  const long double spread = n * xx - x * x;
  Line line;
  if (spread <= 0) return line;
  line.slope = static_cast<double>((n * xy - x * y) / spread);
  line.offset =
      static_cast<double>((y - static_cast<long double>(line.slope) * x) / n);
  for (const KeptPair& pair : kept) {
    line.largest_residual =
        std::max(line.largest_residual,
                 std::abs(pair.y - line.slope * pair.x - line.offset));
  }
  return line;
}

}  // namespace dropcheck::properties
