#include "value_causes.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>
#include <vector>

#include "dropcheck/impl/selu.hpp"

namespace dropcheck::properties {
namespace {

/// A number that a mistake would give, and the mistake.
struct Mistake {
  double value;
  std::string words;
};

bool near(double seen, double value, double tolerance) {
  return std::abs(seen - value) <= tolerance * std::max(std::abs(value), 1.0);
}

/// The mistakes with that number, at most two of them; empty if there is none.
std::string those_with(double seen, const std::vector<Mistake>& mistakes,
                       double tolerance) {
  std::vector<std::string> fitting;
  for (const Mistake& mistake : mistakes) {
    if (!std::isfinite(mistake.value)) continue;
    if (!near(seen, mistake.value, tolerance)) continue;
    if (fitting.size() < 2) fitting.push_back(mistake.words);
  }
  return fmt::format("{}", fmt::join(fitting, ", or "));
}

/// Factors that are made of the keep probability.
std::vector<Mistake> factors_of(double p, bool scaled) {
  const double q = 1 - p;
  const std::string due = scaled ? fmt::format("x/{:.6g}", q) : "x";
  const auto instead = [&](const std::string& what, const std::string& seen) {
    return fmt::format("{}: {} instead of {}", what, seen, due);
  };
  std::vector<Mistake> all;
  if (scaled) all.push_back({1, instead("not scaled", "x")});
  if (!scaled) {
    all.push_back({1 / q, instead("scaled though no scale is due",
                                  fmt::format("x/{:.6g}", q))});
  }
  const auto add = [&](double value, const char* what,
                       const std::string& shown) {
    all.push_back({value, instead(what, shown)});
  };
  add(1 / (q * q), "scaled twice", fmt::format("x/{:.6g}^2", q));
  add(1 / p, "divided by the drop probability", fmt::format("x/{:.6g}", p));
  add(q, "multiplied by the keep probability", fmt::format("x*{:.6g}", q));
  add(p, "multiplied by the drop probability", fmt::format("x*{:.6g}", p));
  add(1 / std::sqrt(q),
      "divided by the root of the keep probability, which preserves the "
      "second moment and not the mean",
      fmt::format("x/sqrt({:.6g})", q));
  add(std::sqrt(q), "multiplied by the root of the keep probability",
      fmt::format("x*sqrt({:.6g})", q));
  add(-1 / q, "scaled with the wrong sign", fmt::format("-x/{:.6g}", q));
  add(-1, "neither scaled nor of the right sign", "-x");
  add(1 + p, "scaled by the first two terms of the series of 1/(1 - p) only",
      fmt::format("x*(1 + {:.6g})", p));
  add(1 + p + p * p,
      "scaled by the first three terms of the series of 1/(1 - p) only",
      fmt::format("x*(1 + {0:.6g} + {0:.6g}^2)", p));
  add(std::exp(p), "scaled by exp(p)", fmt::format("x*exp({:.6g})", p));
  add(1 / (1 + p), "divided by 1 + p", fmt::format("x/(1 + {:.6g})", p));
  add(p / q, "scaled by drop/keep", fmt::format("x*{:.6g}/{:.6g}", p, q));
  add(q / p, "scaled by keep/drop", fmt::format("x*{:.6g}/{:.6g}", q, p));
  add(1 / (q * q * q), "scaled three times", fmt::format("x/{:.6g}^3", q));
  add(1 / (1 - p / 2), "scaled for half of the drop probability",
      fmt::format("x/{:.6g}", 1 - p / 2));
  add(1 / (1 - p * p), "scaled for the square of the drop probability",
      fmt::format("x/{:.6g}", 1 - p * p));
  return all;
}

/// "rounded to bf16", "rounded to 2 decimals": of the right factor.
std::string rounding_of(double seen, double right, double tolerance) {
  if (near(seen, right, tolerance)) return {};
  for (const impl::DType dtype :
       {impl::DType::kFloat16, impl::DType::kBFloat16}) {
    if (near(seen, impl::rounded(right, dtype), tolerance)) {
      return fmt::format("was rounded to {}", impl::name_of(dtype));
    }
  }
  double step = 1;
  for (int decimals = 0; decimals <= 4; ++decimals, step *= 10) {
    for (const double value :
         {std::round(right * step) / step, std::floor(right * step) / step}) {
      if (tolerance * step > 0.02 || !near(seen, value, tolerance)) continue;
      return decimals == 0 ? "was rounded to a whole number"
                           : fmt::format("was rounded to {} decimal{}",
                                         decimals, decimals == 1 ? "" : "s");
    }
  }
  for (const int bits : {4, 6, 8, 10, 12}) {
    const double grid = std::ldexp(1.0, bits);
    if (tolerance * grid > 0.02) continue;
    const double steps = std::round(seen * grid);
    if (std::abs(steps / grid - right) * grid > 1) continue;
    if (near(seen, steps / grid, tolerance)) {
      return fmt::format("was rounded to a fixed point of {} bits", bits);
    }
  }
  return {};
}

/// A factor that another keep probability would give.
std::string other_keep(double seen, double p, double tolerance) {
  if (!(seen > 1)) return {};
  const double other = 1 - 1 / seen;
  if (near(seen, 1 / (1 - p), tolerance)) return {};
  for (const int bits : {4, 8}) {
    const double grid = std::ldexp(1.0, bits);
    if (tolerance * grid > 0.02 || std::abs(other - p) * grid > 1) continue;
    const double steps = std::round(grid / seen);
    if (!near(seen, grid / steps, tolerance)) continue;
    return fmt::format("scaled for a keep probability of {}/{}", steps, grid);
  }
  for (const double usual : {0.5, 0.2, 0.25, 0.3, 0.1, 0.4, 0.05, 0.15}) {
    if (usual == p || !near(seen, 1 / (1 - usual), tolerance)) continue;
    return fmt::format(
        "scaled for a drop probability of {:g}, a usual default, instead of "
        "{:.6g}",
        usual, p);
  }
  return {};
}

std::string plain_cause(double slope, bool scaled, double p, double tolerance) {
  const double right = scaled ? 1 / (1 - p) : 1;
  if (near(slope, right, std::min(tolerance, 1e-6))) return {};
  const std::string words = those_with(slope, factors_of(p, scaled), tolerance);
  const std::string rounded =
      scaled ? rounding_of(slope, right, tolerance) : std::string();
  const bool unscaled = near(slope, 1, tolerance);
  if (!rounded.empty() && !unscaled) {
    return fmt::format(
        "kept values are x * {:.7g}: {}{}the scale 1/{:.6g} = {:.7g} {}", slope,
        words, words.empty() ? "" : ", or ", 1 - p, right, rounded);
  }
  if (!words.empty()) return "kept values are " + words;
  const std::string other = other_keep(slope, p, tolerance);
  return other.empty() ? other : "kept values are " + other;
}

// SELU's affine map: y = a * (m * x + (1 - m) * c) + b.

double scale_of(double p, double c) {
  return 1 / std::sqrt((1 - p) * (1 + p * c * c));
}

/// Values that could have been taken for the saturation value.
std::vector<Mistake> saturations() {
  using impl::kSeluAlpha;
  using impl::kSeluLambda;
  return {{0, "0"},
          {-1, "-1 (as ELU's)"},
          {-kSeluAlpha, "-alpha (without lambda)"},
          {-kSeluLambda, "-lambda (without alpha)"},
          {-impl::kSeluSaturation, "+lambda * alpha (the wrong sign)"},
          {kSeluAlpha, "+alpha (the wrong sign, and without lambda)"},
          {kSeluLambda, "+lambda (the wrong sign, and without alpha)"},
          {-kSeluAlpha / kSeluLambda, "-alpha / lambda"},
          {-kSeluAlpha * kSeluAlpha, "-alpha^2"},
          {-kSeluLambda * kSeluLambda * kSeluAlpha, "-lambda^2 * alpha"},
          {-kSeluLambda * kSeluAlpha * kSeluAlpha, "-lambda * alpha^2"}};
}

std::string saturation_words(double c, double tolerance) {
  const std::string known = those_with(c, saturations(), tolerance);
  return known.empty() ? fmt::format("{:.6g}", c) : known;
}

std::vector<Mistake> selu_scales(double p) {
  const double q = 1 - p;
  const double c = impl::kSeluSaturation;
  const double base = q * (1 + p * c * c);
  const double a = 1 / std::sqrt(base);
  return {
      {1, "missing"},
      {1 / q, "that of plain dropout, 1/keep"},
      {1 / base, "computed without the root"},
      {1 / (base * base), "taken to the power -2 instead of -1/2"},
      {std::sqrt(base), "taken to the power 1/2 instead of -1/2"},
      {base, "neither inverted nor a root"},
      {1 / std::sqrt(q), "computed without the factor 1 + p alpha'^2"},
      {1 / std::sqrt(1 + p * c * c), "computed without the factor keep"},
      {1 / std::sqrt(q * (1 + p * std::abs(c))),
       "computed with alpha' instead of alpha'^2"},
      {1 / std::sqrt(q * (1 + c * c)), "computed without p in 1 + p alpha'^2"},
      {1 / std::sqrt(q * (1 + q * c * c)),
       "computed with keep instead of p in 1 + p alpha'^2"},
      {1 / std::sqrt(p * (1 + p * c * c)),
       "computed with p instead of keep as its factor"},
      {1 / std::sqrt(q + p * c * c),
       "as if it were (keep + p "
       "alpha'^2)^(-1/2)"},
      {1 / std::sqrt(q * (1 - p * c * c)),
       "with the wrong sign in 1 + p "
       "alpha'^2"},
      {1 / std::sqrt(p * (1 + q * c * c)),
       "computed with keep and drop confused"},
      {-a, "of the wrong sign"}};
}

/// What is wrong with b, given the factor that is there.
std::vector<Mistake> selu_shifts(double p, double a, double seen_a, double c) {
  const double b = -a * p * c;
  return {{0, "b is missing: the values are scaled and not shifted"},
          {-b, "b has the wrong sign"},
          {2 * b, "b is added twice"},
          {-p * c, "b lacks the factor a"},
          {-a * (1 - p) * c, "b is computed with keep instead of drop"},
          {-a * c, "b lacks the factor p"},
          {b / 2, "b is half of what is due"},
          {a * p, "b lacks alpha'"},
          {-a * a * p * c, "b has the factor a twice"},
          {-seen_a * p * c, ""}};
}

/// The parts of the map that are wrong, given that the fill is `c`.
std::string selu_parts(const impl::Affine& due, double p,
                       const SeenValues& seen) {
  const double t = seen.tolerance;
  const Values& v = seen.values;
  std::vector<std::string> wrong;
  const bool right_scale = near(v.slope, due.a, t);
  if (!right_scale) {
    const std::string scale = those_with(v.slope, selu_scales(p), t);
    wrong.push_back(scale.empty()
                        ? fmt::format("a is {:.6g}, not {:.6g}", v.slope, due.a)
                        : fmt::format("a is {}: {:.6g}, not {:.6g}", scale,
                                      v.slope, due.a));
  }
  // b follows from the right a, or from the one that is there.
  const bool right_shift =
      near(v.offset, due.b, t) || near(v.offset, -v.slope * p * due.c, t);
  if (!right_shift) {
    const std::string shift =
        those_with(v.offset, selu_shifts(p, due.a, v.slope, due.c), t);
    wrong.push_back(
        shift.empty() ? fmt::format("b is {:.6g}, not {:.6g}", v.offset, due.b)
                      : shift);
  }
  if (seen.any_dropped) {
    const double c = v.slope == 0 ? 0 : (v.dropped - v.offset) / v.slope;
    if (near(v.dropped, 0, t) && !near(c, due.c, t)) {
      wrong.emplace_back(
          "dropped units become 0 after the affine map: the saturation value "
          "alpha' is missing");
    } else if (near(v.dropped, due.c, t) && !near(c, due.c, t)) {
      wrong.emplace_back("alpha' is put in after the affine map, not before");
    } else if (near(c, 0, t)) {
      wrong.emplace_back(
          "the saturation value alpha' is missing: units are dropped to 0 "
          "before the affine map");
    } else if (!near(c, due.c, t)) {
      wrong.push_back(fmt::format(
          "units are dropped to {} instead of alpha' = -lambda * alpha",
          saturation_words(c, t)));
    }
  }
  return fmt::format("{}", fmt::join(wrong, "; "));
}

std::string selu_cause(const impl::Affine& due, double p,
                       const SeenValues& seen) {
  const double t = seen.tolerance;
  const Values& v = seen.values;
  const double q = 1 - p;
  const bool plain = near(v.offset, 0, t) && near(v.dropped, 0, t);
  if (plain && near(v.slope, 1 / q, t)) {
    return "kept values are x/keep and dropped ones 0, as plain dropout "
           "returns them: the saturation value and the affine map are missing";
  }
  if (plain && near(v.slope, 1, t)) {
    return "kept values are x itself and dropped ones 0: the saturation value "
           "and the affine map are missing";
  }
  if (near(v.slope, 1, t) && near(v.offset, 0, t) &&
      near(v.dropped, due.c, t)) {
    return "kept values are x itself: the affine map that restores mean and "
           "variance is missing";
  }
  const double c = v.slope == 0 ? 0 : (v.dropped - v.offset) / v.slope;
  const bool consistent = seen.any_dropped && c != 0 &&
                          near(v.slope, scale_of(p, c), t) &&
                          near(v.offset, -v.slope * p * c, t);
  if (consistent && !near(c, due.c, t)) {
    return fmt::format(
        "the affine map is that of a saturation value of {} instead of "
        "alpha' = -lambda * alpha = {:.6g}",
        saturation_words(c, t), due.c);
  }
  // A map that is right for another drop probability.
  const double other = v.slope == 0 ? p : -v.offset / (v.slope * due.c);
  if (other > 0 && other < 1 && !near(other, p, t) &&
      near(v.slope, scale_of(other, due.c), t)) {
    return near(other, q, t)
               ? std::string(
                     "a and b are computed with keep in the place of drop")
               : fmt::format("a and b are those of the drop probability {:.6g}",
                             other);
  }
  return selu_parts(due, p, seen);
}

}  // namespace

std::optional<std::string> cause_of_values(const impl::Affine& due,
                                           double drop_probability,
                                           const SeenValues& seen) {
  const std::string words =
      due.c == 0 ? (std::abs(seen.values.offset) > seen.tolerance
                        ? std::string()
                        : plain_cause(seen.values.slope, due.a != 1,
                                      drop_probability, seen.tolerance))
                 : selu_cause(due, drop_probability, seen);
  if (words.empty()) return std::nullopt;
  return words;
}

std::optional<std::string> cause_of_values(const Context& context) {
  const MaskReader& reader = *context.reader;
  if (!reader.model() && !reader.straight()) return std::nullopt;
  const double tolerance =
      std::max(1e-5, 1.5 * rounding(context.config().dtype));
  return cause_of_values(
      impl::affine(context.law(), context.config()),
      context.config().drop_probability,
      {observed_values(reader), reader.any_dropped(), tolerance});
}

std::optional<std::string> cause_of_factor(const impl::Affine& due,
                                           double drop_probability,
                                           double factor, double tolerance) {
  const double p = drop_probability;
  const double q = 1 - p;
  const std::string scale = due.c != 0   ? "a"
                            : due.a == 1 ? "no scale"
                                         : "1/keep";
  const double a = due.a;
  std::vector<Mistake> mistakes;
  if (a != 1) mistakes.push_back({1, scale + " is missing"});
  if (a == 1) mistakes.push_back({1 / q, "1/keep is applied, none is due"});
  mistakes.push_back({a * a, scale + " is applied twice"});
  mistakes.push_back({p, "the drop probability in the place of " + scale});
  mistakes.push_back({q, "the keep probability in the place of " + scale});
  mistakes.push_back({1 / p, "1/drop in the place of " + scale});
  mistakes.push_back({-a, "the sign is wrong"});
  mistakes.push_back({a * a * a, scale + " is applied three times"});
  if (due.c != 0) {
    mistakes.push_back({1 / q, "1/keep of plain dropout in the place of a"});
  }
  for (const impl::DType dtype :
       {impl::DType::kFloat16, impl::DType::kBFloat16}) {
    const double rounded = impl::rounded(a, dtype);
    if (rounded == a) continue;
    mistakes.push_back({rounded, fmt::format("{} was rounded to {}", scale,
                                             impl::name_of(dtype))});
  }
  const std::string words = those_with(factor, mistakes, tolerance);
  if (words.empty()) return std::nullopt;
  return words;
}

}  // namespace dropcheck::properties
