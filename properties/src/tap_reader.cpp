#include "tap_reader.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <type_traits>
#include <unordered_map>

namespace dropcheck::properties {
namespace {

/// A coefficient below is none: it may still be, but no mistake known adds a
/// thousandth of a tensor.
constexpr double kNone = 1e-3;
/// Mixtures this near are one; least squares in f32 is better than that.
constexpr double kSame = 1e-5;

template <class Function>
void with_type(impl::DType dtype, const Function& function) {
  if (dtype == impl::DType::kFloat64) {
    function(static_cast<double*>(nullptr));
  } else {
    function(static_cast<float*>(nullptr));
  }
}

std::vector<double> widened(const TapValues& values, const void* data) {
  const auto count = static_cast<std::size_t>(values.units * values.unit_size);
  std::vector<double> result(count);
  if (data == nullptr) return result;
  const std::size_t size = impl::size_of(values.dtype);
  for (std::size_t i = 0; i < count; ++i) {
    result[i] = impl::load(static_cast<const std::byte*>(data) + i * size,
                           values.dtype);
  }
  return result;
}

/// Relative error within which elements are a mixture of h and branch(h).
double mixture_error(impl::DType dtype) {
  return std::ldexp(1.0, 10 - impl::significand_bits(dtype));
}

double size_of_terms(const Mixture& mixture, double h, double branch) {
  return std::abs(mixture.residual * h) + std::abs(mixture.branch * branch) +
         std::abs(mixture.offset);
}

double value_of(const Mixture& mixture, double h, double branch) {
  return mixture.residual * h + mixture.branch * branch + mixture.offset;
}

bool fits(const Mixture& mixture, double h, double branch, double output,
          double error) {
  const double scale =
      std::abs(h) + std::abs(branch) + size_of_terms(mixture, h, branch);
  return std::abs(output - value_of(mixture, h, branch)) <= error * scale;
}

/// Least squares over the elements of one unit, without an offset.
Mixture least_squares(const double* h, const double* branch,
                      const double* output, std::int64_t count) {
  double hh = 0;
  double hb = 0;
  double bb = 0;
  double hy = 0;
  double by = 0;
  for (std::int64_t i = 0; i < count; ++i) {
    hh += h[i] * h[i];
    hb += h[i] * branch[i];
    bb += branch[i] * branch[i];
    hy += h[i] * output[i];
    by += branch[i] * output[i];
  }
  const double determinant = hh * bb - hb * hb;
  if (determinant > 1e-12 * hh * bb) {
    return {(hy * bb - by * hb) / determinant,
            (by * hh - hy * hb) / determinant, 0};
  }
  return {0, bb > 0 ? by / bb : 0, 0};
}

std::string term(double factor, const char* what) {
  if (std::abs(factor - 1) < 1e-6) return what;
  return fmt::format("{:.6g} * {}", factor, what);
}

}  // namespace

std::string Mixture::formula() const {
  const bool has_h = std::abs(residual) >= kNone;
  const bool has_branch = std::abs(branch) >= kNone;
  std::string text;
  if (has_h && has_branch && std::abs(residual - branch) < kNone &&
      std::abs(residual - 1) >= kNone) {
    text = term(residual, "(h + branch(h))");
  } else {
    if (has_h) text = term(residual, "h");
    if (has_branch) {
      if (has_h) text += " + ";
      text += term(branch, "branch(h)");
    }
  }
  if (text.empty()) return fmt::format("{:.5g}", offset);
  if (offset != 0) text += fmt::format(" + {:.5g}", offset);
  return text;
}

bool Mixture::near(const Mixture& other) const {
  return std::abs(residual - other.residual) < kSame &&
         std::abs(branch - other.branch) < kSame &&
         std::abs(offset - other.offset) < kSame;
}

TapCopy::TapCopy(const TapValues& values)
    : residual(widened(values, values.residual)),
      branch(widened(values, values.branch)),
      output(widened(values, values.output)),
      unit_size(values.unit_size) {}

TapReader::TapReader(const impl::Law& layer, const impl::LayerConfig& config,
                     bool residual)
    : layer_(layer), config_(config), residual_(residual) {
  tolerance_ = value_tolerance(layer, config, config.dtype);
  const impl::Affine map = impl::affine(layer, config);
  const double h = residual ? 1 : 0;
  due_kept_ = {h, map.a, map.b};
  due_dropped_ = {h, 0, map.dropped_value()};
  kept_ = due_kept_;
  dropped_ = due_dropped_;
  dropped_value_ = impl::rounded(map.dropped_value(), config.dtype);
}

double TapReader::kept_error_ulp(double h, double branch, double output) const {
  const double unit =
      ulp_at(size_of_terms(due_kept_, h, branch), config_.dtype);
  const double error = std::abs(output - value_of(due_kept_, h, branch));
  if (std::isnan(error)) return INFINITY;
  return unit > 0 ? error / unit : error;
}

bool TapReader::near_dropped(double h, double output) const {
  if (residual_ || dropped_value_ == 0) return output == h;
  const impl::Affine map = impl::affine(layer_, config_);
  const double scale = std::abs(map.a * map.c) + std::abs(map.b);
  return std::abs(output - map.dropped_value()) <=
         tolerance_.near * ulp_at(scale, config_.dtype);
}

void TapReader::calibrate(std::span<const TapCopy> copies) {
  find_model(copies);
  if (copies.empty()) return;
  if (copies.front().unit_size > 1) {
    learn_units(copies);
  } else {
    learn_elements(copies);
  }
  for (const Learned& learned : learned_) {
    (learned.kept ? kept_ : dropped_) = learned.mixture;
  }
}

namespace {

/// Elements of one unit of a copy.
struct UnitSpan {
  const double* h;
  const double* branch;
  const double* output;
  std::int64_t count;
};

UnitSpan unit_of(const TapCopy& copy, std::int64_t unit) {
  const auto first = static_cast<std::size_t>(unit * copy.unit_size);
  return {copy.residual.data() + first, copy.branch.data() + first,
          copy.output.data() + first, copy.unit_size};
}

template <class Rule>
bool all_elements(const UnitSpan& unit, const Rule& rule) {
  for (std::int64_t i = 0; i < unit.count; ++i) {
    if (!rule(unit.h[i], unit.branch[i], unit.output[i])) return false;
  }
  return true;
}

}  // namespace

void TapReader::find_model(std::span<const TapCopy> copies) {
  struct KeptElement {
    double h;
    double branch;
    double output;
  };
  std::vector<KeptElement> elements;
  std::unordered_map<double, std::size_t> fills;
  double largest_error = 0;
  for (const TapCopy& copy : copies) {
    for (std::int64_t u = 0; u < copy.units(); ++u) {
      const UnitSpan unit = unit_of(copy, u);
      const bool dropped = all_elements(
          unit, [&](double h, double, double y) { return near_dropped(h, y); });
      if (dropped) {
        if (!residual_) ++fills[unit.output[0]];
        continue;
      }
      const bool kept = all_elements(unit, [&](double h, double b, double y) {
        return kept_error_ulp(h, b, y) <= tolerance_.near;
      });
      if (!kept) continue;
      for (std::int64_t i = 0; i < unit.count; ++i) {
        elements.push_back({unit.h[i], unit.branch[i], unit.output[i]});
        largest_error =
            std::max(largest_error,
                     kept_error_ulp(unit.h[i], unit.branch[i], unit.output[i]));
      }
    }
  }
  const auto most = std::max_element(
      fills.begin(), fills.end(),
      [](const auto& a, const auto& b) { return a.second < b.second; });
  if (most != fills.end()) dropped_value_ = most->first;
  for (const ValueModel& model : value_models(layer_, config_)) {
    const bool reproduces = std::all_of(
        elements.begin(), elements.end(), [&](const KeptElement& element) {
          const double kept = model.kept(element.branch, config_.dtype);
          return impl::rounded(element.h + kept, config_.dtype) ==
                 element.output;
        });
    if (!reproduces) continue;
    model_ = model;
    return;
  }
  // Close to the law everywhere, by a rounding that is none of ours.
  if (largest_error > tolerance_.tolerant) add_learned(due_kept_);
}

void TapReader::add_learned(const Mixture& mixture) {
  const auto known = std::find_if(
      learned_.begin(), learned_.end(),
      [&](const Learned& learned) { return learned.mixture.near(mixture); });
  if (known != learned_.end() || learned_.size() >= 4) return;
  const bool both = residual_ ? std::abs(mixture.residual) >= kNone &&
                                    std::abs(mixture.branch) >= kNone
                              : std::abs(mixture.branch) >= kNone;
  learned_.push_back({mixture, both});
}

void TapReader::learn_units(std::span<const TapCopy> copies) {
  const double error = mixture_error(config_.dtype);
  for (const TapCopy& copy : copies) {
    for (std::int64_t u = 0; u < copy.units(); ++u) {
      const UnitSpan unit = unit_of(copy, u);
      const bool lawful =
          all_elements(unit, [&](double h, double,
                                 double y) { return near_dropped(h, y); }) ||
          all_elements(unit, [&](double h, double b, double y) {
            return kept_error_ulp(h, b, y) <= tolerance_.near;
          });
      if (lawful) continue;
      const Mixture mixture =
          least_squares(unit.h, unit.branch, unit.output, unit.count);
      const bool fit = all_elements(unit, [&](double h, double b, double y) {
        return fits(mixture, h, b, y, error);
      });
      if (fit) add_learned(mixture);
    }
  }
}

/// A drop layer for single elements: the value that returns for different
/// inputs is the dropped one, the others lie on a line.
void TapReader::learn_elements(std::span<const TapCopy> copies) {
  std::unordered_map<double, std::size_t> seen;
  std::size_t total = 0;
  bool lawful = true;
  for (const TapCopy& copy : copies) {
    for (std::size_t i = 0; i < copy.output.size(); ++i) {
      const double y = copy.output[i];
      if (std::isnan(y)) continue;
      ++seen[y == 0 ? 0.0 : y];
      ++total;
      lawful = lawful && (near_dropped(copy.residual[i], y) ||
                          kept_error_ulp(copy.residual[i], copy.branch[i], y) <=
                              tolerance_.near);
    }
  }
  if (lawful || seen.empty()) return;
  const auto most = std::max_element(
      seen.begin(), seen.end(),
      [](const auto& a, const auto& b) { return a.second < b.second; });
  const bool any = most->second > 3 && most->second * 200 > total;
  std::vector<KeptPair> kept;
  for (const TapCopy& copy : copies) {
    for (std::size_t i = 0; i < copy.output.size(); ++i) {
      const double y = copy.output[i];
      if (!std::isfinite(y) || (any && y == most->first)) continue;
      kept.push_back({copy.branch[i], y});
    }
  }
  const Line line = fit_line(kept);
  if (any) learned_.push_back({{0, 0, most->first}, false});
  const double error = mixture_error(config_.dtype);
  const Mixture mixture{0, line.slope,
                        std::abs(line.offset) < 1e-6 ? 0 : line.offset};
  const bool straight =
      std::all_of(kept.begin(), kept.end(), [&](const KeptPair& pair) {
        return fits(mixture, 0, pair.x, pair.y, error);
      });
  if (straight && !kept.empty()) learned_.push_back({mixture, true});
}

template <class T>
bool TapReader::is_kept(T h, T branch, T output) const {
  if (!model_) {
    return kept_error_ulp(static_cast<double>(h), static_cast<double>(branch),
                          static_cast<double>(output)) <= tolerance_.tolerant;
  }
  if (model_->working == config_.dtype && !model_->divides && !model_->fused) {
    // One rounding a step, as the model has it.
    T value = branch * static_cast<T>(model_->slope);
    if (model_->offset != 0) value += static_cast<T>(model_->offset);
    return (residual_ ? h + value : value) == output;
  }
  const double kept = model_->kept(static_cast<double>(branch), config_.dtype);
  return impl::rounded(static_cast<double>(h) + kept, config_.dtype) ==
         static_cast<double>(output);
}

template <class T>
bool TapReader::is_dropped(T h, T output) const {
  return residual_ ? output == h : output == static_cast<T>(dropped_value_);
}

namespace {

template <class T>
struct TypedUnit {
  const T* h;
  const T* branch;
  const T* output;
  std::int64_t count;

  TypedUnit(const TapValues& values, std::int64_t unit)
      : h(at(values.residual, values, unit)),
        branch(at(values.branch, values, unit)),
        output(at(values.output, values, unit)),
        count(values.unit_size) {}

  static const T* at(const void* data, const TapValues& values,
                     std::int64_t unit) {
    if (data == nullptr) return nullptr;
    return static_cast<const T*>(data) + unit * values.unit_size;
  }
  T residual(std::int64_t i) const { return h == nullptr ? T{0} : h[i]; }
};

}  // namespace

template <class T>
std::optional<Fate> TapReader::lawful_fate(const TapValues& values,
                                           std::int64_t unit) const {
  const TypedUnit<T> elements(values, unit);
  bool kept = true;
  bool dropped = true;
  for (std::int64_t i = 0; i < elements.count && (kept || dropped); ++i) {
    const T h = elements.residual(i);
    const T y = elements.output[i];
    dropped = dropped && is_dropped(h, y);
    kept = kept && is_kept(h, elements.branch[i], y);
  }
  if (kept && dropped) return Fate::kEither;
  if (kept) return Fate::kKept;
  if (dropped) return Fate::kDropped;
  return std::nullopt;
}

template <class T>
Fate TapReader::learned_fate(const TapValues& values, std::int64_t unit) const {
  const TypedUnit<T> elements(values, unit);
  const double error = mixture_error(config_.dtype);
  const auto element_fits = [&](const Mixture& mixture, std::int64_t i) {
    return fits(mixture, static_cast<double>(elements.residual(i)),
                static_cast<double>(elements.branch[i]),
                static_cast<double>(elements.output[i]), error);
  };
  for (const Learned& learned : learned_) {
    bool all = true;
    for (std::int64_t i = 0; i < elements.count && all; ++i) {
      all = element_fits(learned.mixture, i);
    }
    if (all) return learned.kept ? Fate::kKept : Fate::kDropped;
  }
  for (std::int64_t i = 0; i < elements.count; ++i) {
    if (!element_fits(due_kept_, i) && !element_fits(due_dropped_, i)) {
      return Fate::kOther;
    }
  }
  return elements.count > 1 ? Fate::kTorn : Fate::kOther;
}

template <class T>
void TapReader::read_as(const TapValues& values, TapReading& reading) const {
  reading.fates.resize(static_cast<std::size_t>(values.units));
  reading.wrong = 0;
  reading.first_wrong = -1;
  for (std::int64_t unit = 0; unit < values.units; ++unit) {
    Fate& fate = reading.fates[static_cast<std::size_t>(unit)];
    if (const auto lawful = lawful_fate<T>(values, unit)) {
      fate = *lawful;
      continue;
    }
    fate = learned_fate<T>(values, unit);
    if (reading.wrong++ == 0) reading.first_wrong = unit;
  }
}

void TapReader::read(const TapValues& values, TapReading& reading) const {
  with_type(values.dtype, [&](auto* type) {
    read_as<std::remove_pointer_t<decltype(type)>>(values, reading);
  });
}

Mixture TapReader::fitted(const TapValues& values, std::int64_t unit) const {
  const TapCopy copy(values);
  const UnitSpan elements = unit_of(copy, unit);
  return least_squares(elements.h, elements.branch, elements.output,
                       elements.count);
}

}  // namespace dropcheck::properties
