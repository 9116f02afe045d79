#include "law_reading.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "dropcheck/impl/block_law.hpp"
#include "dropcheck/impl/load_all.hpp"
#include "dtype_limits.hpp"
#include "value_model.hpp"

namespace dropcheck::properties {
namespace {

/// Scale, quotient and result are each rounded where the scale is measured.
constexpr double kMeasuredUlp = 8;

bool near(double value, double due, double tolerance) {
  return value == due || std::abs(value - due) <= tolerance;
}

}  // namespace

std::vector<double> values_of(const impl::TensorView& view) {
  std::vector<double> values(static_cast<std::size_t>(view.size()));
  const void* elements = view.data;
  impl::Tensor compact;
  if (!view.compact()) {
    compact = impl::Tensor(view.dtype, view.shape);
    impl::copy(view, compact.view());
    elements = compact.bytes();
  }
  impl::load_all(elements, view.dtype, values.size(), values.data());
  return values;
}

LawReading::LawReading(const impl::Law& law, const impl::LayerConfig& config,
                       impl::Tensor base)
    : map_(impl::affine(law, config)),
      base_(std::move(base)),
      precision_(may_narrow_scale(law, base_.dtype()) ? impl::DType::kFloat32
                                                      : base_.dtype()),
      values_(values_of(base_.view())) {
  const double units = value_tolerance(law, config, precision_).near;
  if (law.factor == impl::Factor::kNormal) {
    kind_ = Kind::kNoise;
    return;
  }
  if (impl::measures_scale(law, config)) {
    kind_ = Kind::kMeasured;
  } else {
    for (const double x : values_) {
      const double size = std::abs(map_.a * x) + std::abs(map_.b);
      due_.push_back({map_.a * x + map_.b, units * step_at(size, precision_)});
    }
  }
  const double fill = std::abs(map_.a * map_.c) + std::abs(map_.b);
  dropped_due_ = {map_.dropped_value(),
                  fill == 0 ? 0 : units * step_at(fill, precision_)};
  const bool whole_units =
      law.unit != impl::Unit::kElement && law.unit != impl::Unit::kBlock;
  if (whole_units) units_ = impl::unit_of_element(law, config, base_.shape());
  was_kept_.assign(values_.size(), false);
  never_kept_ = values_.size();
}

bool LawReading::is_dropped(double value) const {
  return near(value, dropped_due_.value, dropped_due_.tolerance);
}

bool LawReading::is_kept(std::int64_t element, double value) const {
  const auto place = static_cast<std::size_t>(element);
  if (kind_ == Kind::kMask && std::isfinite(value)) {
    return near(value, due_[place].value, due_[place].tolerance);
  }
  const impl::DType dtype = base_.dtype();
  const double slope = kind_ == Kind::kMeasured ? scale_ : map_.a;
  const double due = slope * values_[place] + map_.b;
  if (std::isinf(value)) return impl::rounded(due, dtype) == value;
  return near(value, due, kMeasuredUlp * step_at(due, precision_));
}

std::optional<Breach> LawReading::judge(const impl::TensorView& result) {
  const std::vector<double> values = values_of(result);
  scale_ = 0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (auto breach = judge_value(static_cast<std::int64_t>(i), values[i])) {
      return breach;
    }
  }
  return split_unit(values);
}

std::optional<Breach> LawReading::judge_value(std::int64_t element,
                                              double value) {
  const double x = values_[static_cast<std::size_t>(element)];
  const auto breach = [&](const char* why) {
    return Breach{element,
                  fmt::format("of x = {:.7g} is {:.7g}, {}", x, value, why)};
  };
  if (kind_ == Kind::kNoise) {
    if (x == 0 && value != 0) return breach("where 0 stays 0");
    if (!std::isfinite(value)) return breach("which is no number");
    ++(value != 0 ? kept_ : dropped_);
    return std::nullopt;
  }
  if (kind_ == Kind::kMeasured && value != 0) {
    if (scale_ == 0 && x != 0) scale_ = value / x;
    if (!(scale_ >= 1 - 1e-2) || !is_kept(element, value)) {
      return breach("which is not scaled like the others");
    }
    count_kept(element);
    return std::nullopt;
  }
  const bool kept = kind_ == Kind::kMask && is_kept(element, value);
  if (kept) {
    count_kept(element);
  } else if (is_dropped(value)) {
    ++dropped_;
  } else {
    return breach("neither the kept nor the dropped value");
  }
  return std::nullopt;
}

void LawReading::count_kept(std::int64_t element) {
  ++kept_;
  const auto place = static_cast<std::size_t>(element);
  if (was_kept_[place]) return;
  was_kept_[place] = true;
  --never_kept_;
}

std::optional<Breach> LawReading::split_unit(
    const std::vector<double>& values) const {
  enum : std::uint8_t { kNone, kKept, kDropped };
  std::vector<std::uint8_t> seen(units_.size(), kNone);
  for (std::size_t i = 0; i < units_.size(); ++i) {
    const bool kept = is_kept(static_cast<std::int64_t>(i), values[i]);
    if (kept == is_dropped(values[i])) continue;
    std::uint8_t& unit = seen[units_[i]];
    const std::uint8_t here = kept ? kKept : kDropped;
    if (unit != kNone && unit != here) {
      return Breach{static_cast<std::int64_t>(i),
                    fmt::format("is {} where others of its unit are not",
                                kept ? "kept" : "dropped")};
    }
    unit = here;
  }
  return std::nullopt;
}

}  // namespace dropcheck::properties
