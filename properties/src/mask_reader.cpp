#include "mask_reader.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <unordered_map>

#include "dropcheck/impl/block_law.hpp"
#include "dtype_limits.hpp"
#include "law_reading.hpp"

namespace dropcheck::properties {
namespace {

std::uint64_t bits_of(double value, impl::DType dtype) {
  std::uint64_t bits = 0;
  impl::store(value, &bits, dtype);
  return bits;
}

bool near(double value, double expected, double tolerance) {
  return std::abs(value - expected) <= tolerance;
}

}  // namespace

MaskReader::MaskReader(const impl::Law& law, const impl::LayerConfig& config,
                       const impl::Tensor& base,
                       std::span<const impl::Tensor> outputs)
    : base_(values_of(base.view())),
      count_(static_cast<std::size_t>(base.size())),
      dtype_(config.dtype) {
  map_ = impl::affine(law, config);
  precision_ = may_narrow_scale(law, dtype_) ? impl::DType::kFloat32 : dtype_;
  tolerance_ = value_tolerance(law, config, precision_);
  near_dropped_ =
      tolerance_.near *
      ulp_at(std::abs(map_.a * map_.c) + std::abs(map_.b), precision_);
  reading_.dtype = dtype_;
  if (law.factor == impl::Factor::kNormal) {
    read_factors(base, outputs);
    return;
  }
  if (impl::measures_scale(law, config)) {
    read_zeros(outputs);
    return;
  }
  classify(outputs);
  line_ = fit_line(pairs_);
  if (!misfit_) {
    model_ = find_value_model(law, config, pairs_);
  }
  if (!follows_law()) learn(outputs);
  if (model_) tabulate();
  reading_.dropped = bits_of(dropped_, dtype_);
  reading_.ignore_sign = dropped_ == 0;
  pairs_ = {};
}

std::size_t MaskReader::read_part(const void* values, std::size_t first,
                                  std::size_t count,
                                  std::uint64_t* words) const {
  const std::size_t offset = first * impl::size_of(dtype_);
  if (noise_) {
    return first + read_smaller_bits(dtype_, kept_.bytes() + offset, values,
                                     count, words + first / 64);
  }
  MaskReading reading = reading_;
  if (reading.kept != nullptr) {
    reading.kept = static_cast<const std::byte*>(reading.kept) + offset;
  }
  return first + read_drop_bits(reading, values, count, words + first / 64);
}

void MaskReader::read_factors(const impl::Tensor& base,
                              std::span<const impl::Tensor> outputs) {
  noise_ = true;
  kept_ = base;
  note_numbers(outputs);
}

void MaskReader::read_zeros(std::span<const impl::Tensor> outputs) {
  reading_.ignore_sign = true;
  note_numbers(outputs);
}

void MaskReader::note_numbers(std::span<const impl::Tensor> outputs) {
  readable_ = false;
  for (const impl::Tensor& output : outputs) {
    for (const double y : values_of(output.view())) {
      any_dropped_ = any_dropped_ || y == 0;
      readable_ = readable_ || !std::isnan(y);
    }
  }
}

bool MaskReader::near_dropped(double value) const {
  return near(value, map_.dropped_value(), near_dropped_);
}

double MaskReader::kept_error_ulp(std::size_t element, double value) const {
  const double x = base_[element];
  const double scale = std::abs(map_.a * x) + std::abs(map_.b);
  const double error = std::abs(value - map_.a * x - map_.b);
  // Subnormal results, as of softmax over long rows in f16, have fewer bits.
  const double unit =
      std::max(ulp_at(scale, precision_), smallest_subnormal(dtype_));
  if (std::isnan(error)) return std::numeric_limits<double>::infinity();
  return unit > 0 ? error / unit : error;
}

bool MaskReader::follows_law(std::size_t element, double value) const {
  return near_dropped(value) ||
         kept_error_ulp(element, value) <= tolerance_.near;
}

bool MaskReader::follows_law() const {
  return !misfit_ && (model_ || largest_error_ulp_ <= tolerance_.tolerant);
}

void MaskReader::classify(std::span<const impl::Tensor> outputs) {
  dropped_ = impl::rounded(map_.dropped_value(), dtype_);
  std::unordered_map<std::uint64_t, std::size_t> fills;
  pairs_.reserve(outputs.size() * count_);  // else it would grow past that
  for (const impl::Tensor& output : outputs) {
    const std::vector<double> values = values_of(output.view());
    for (std::size_t i = 0; i < count_; ++i) {
      const double y = values[i];
      const double x = base_[i];
      if (near_dropped(y)) {
        // Where large terms cancel, the dropped value may round to 0.
        ++fills[bits_of(y == 0 ? 0.0 : y, dtype_)];
        any_dropped_ = true;
        continue;
      }
      const double error = kept_error_ulp(i, y);
      if (error > tolerance_.near) {
        if (!misfit_) misfit_ = KeptPair{x, y};
        continue;
      }
      largest_error_ulp_ = std::max(largest_error_ulp_, error);
      pairs_.push_back({x, y});
    }
  }
  const auto most = std::max_element(
      fills.begin(), fills.end(),
      [](const auto& a, const auto& b) { return a.second < b.second; });
  if (most != fills.end()) dropped_ = impl::load(&most->first, dtype_);
}

bool MaskReader::straight() const {
  const double unit = std::ldexp(1.0, -impl::significand_bits(dtype_));
  return line_.largest_residual <=
         512 * unit * (16 * std::abs(line_.slope) + std::abs(line_.offset) + 1);
}

/// The dropped value is the one that comes back for different inputs.
void MaskReader::learn(std::span<const impl::Tensor> outputs) {
  std::unordered_map<std::uint64_t, std::size_t> seen;
  std::size_t total = 0;
  for (const impl::Tensor& output : outputs) {
    const std::vector<double> values = values_of(output.view());
    for (std::size_t i = 0; i < count_; ++i) {
      const double y = values[i];
      if (std::isnan(y)) continue;
      ++seen[bits_of(y == 0 ? 0.0 : y, dtype_)];
      ++total;
    }
  }
  const auto most = std::max_element(
      seen.begin(), seen.end(),
      [](const auto& a, const auto& b) { return a.second < b.second; });
  any_dropped_ =
      most != seen.end() && most->second > 3 && most->second * 200 > total;
  if (any_dropped_) dropped_ = impl::load(&most->first, dtype_);
  readable_ = most != seen.end();
  pairs_.clear();
  for (const impl::Tensor& output : outputs) {
    const std::vector<double> values = values_of(output.view());
    for (std::size_t i = 0; i < count_; ++i) {
      const double y = values[i];
      if (!std::isfinite(y) || (any_dropped_ && y == dropped_)) continue;
      pairs_.push_back({base_[i], y});
    }
  }
  line_ = fit_line(pairs_);
}

void MaskReader::tabulate() {
  kept_ = impl::Tensor(dtype_, {static_cast<std::int64_t>(count_)});
  std::byte* element = kept_.bytes();
  for (const double base : base_) {
    impl::store(model_->kept(base, dtype_), element, dtype_);
    element += impl::size_of(dtype_);
  }
  reading_.kept = kept_.bytes();
}

}  // namespace dropcheck::properties
