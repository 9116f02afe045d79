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

/// How often each value came, no NaN among them.
class ValueCounts {
 public:
  struct Often {
    double value;
    std::size_t times;
  };

  void add(double value) {
    // Most often it is the one that came before.
    if (latest_ == nullptr || latest_->first != value) {
      latest_ = &*times_.try_emplace(value, 0).first;
    }
    ++latest_->second;
  }

  /// The value that came most often.
  std::optional<Often> most() const {
    const auto most = std::max_element(
        times_.begin(), times_.end(),
        [](const auto& a, const auto& b) { return a.second < b.second; });
    if (most == times_.end()) return std::nullopt;
    return Often{most->first, most->second};
  }

 private:
  std::unordered_map<double, std::size_t> times_;
  std::pair<const double, std::size_t>* latest_ = nullptr;
};

bool near(double value, double expected, double tolerance) {
  return std::abs(value - expected) <= tolerance;
}

}  // namespace

MaskReader::MaskReader(const impl::Law& law, const impl::LayerConfig& config,
                       const impl::Tensor& base,
                       std::span<const impl::Tensor> outputs)
    : base_(base),
      count_(static_cast<std::size_t>(base.size())),
      dtype_(config.dtype) {
  map_ = impl::affine(law, config);
  smallest_step_ = smallest_subnormal(dtype_);
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
  const std::vector<double> values = values_of(base.view());
  find_model(law, config, values, outputs);
  if (!follows_law()) learn(values, outputs);
  if (model_) tabulate(values);
  reading_.dropped = bits_of(dropped_, dtype_);
  reading_.ignore_sign = dropped_ == 0;
}

double MaskReader::base(std::size_t element) const {
  return base_.view().value(static_cast<std::int64_t>(element));
}

void MaskReader::find_model(const impl::Law& law,
                            const impl::LayerConfig& config,
                            std::span<const double> base,
                            std::span<const impl::Tensor> outputs) {
  const std::vector<KeptPair> pairs = classify(base, outputs);
  line_ = fit_line(pairs);
  if (!misfit_) model_ = find_value_model(law, config, pairs);
}

std::size_t MaskReader::read_part(const void* values, std::size_t first,
                                  std::size_t count,
                                  std::uint64_t* words) const {
  const std::size_t offset = first * impl::size_of(dtype_);
  if (noise_) {
    return first + read_smaller_bits(dtype_, kept_.data() + offset, values,
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
  kept_.resize(base.byte_count());
  std::copy_n(base.bytes(), base.byte_count(), kept_.data());
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

double MaskReader::kept_error_ulp(double x, double value) const {
  const double scale = std::abs(map_.a * x) + std::abs(map_.b);
  const double error = std::abs(value - map_.a * x - map_.b);
  // Subnormal results, as of softmax over long rows in f16, have fewer bits.
  const double unit = std::max(ulp_at(scale, precision_), smallest_step_);
  if (std::isnan(error)) return std::numeric_limits<double>::infinity();
  return unit > 0 ? error / unit : error;
}

bool MaskReader::follows_law(std::size_t element, double value) const {
  return near_dropped(value) ||
         kept_error_ulp(base(element), value) <= tolerance_.near;
}

bool MaskReader::follows_law() const {
  return !misfit_ && (model_ || largest_error_ulp_ <= tolerance_.tolerant);
}

std::vector<KeptPair> MaskReader::classify(
    std::span<const double> base, std::span<const impl::Tensor> outputs) {
  dropped_ = impl::rounded(map_.dropped_value(), dtype_);
  ValueCounts fills;
  // An element gives the same result whenever it is kept: one pair is enough.
  // Those that were never kept go afterwards.
  std::vector<KeptPair> pairs(count_);
  for (std::size_t i = 0; i < count_; ++i) pairs[i] = {base[i], std::nan("")};
  for (const impl::Tensor& output : outputs) {
    const std::byte* element = output.bytes();
    const std::size_t width = impl::size_of(output.dtype());
    for (std::size_t i = 0; i < count_; ++i, element += width) {
      const double y = impl::load(element, output.dtype());
      const double x = base[i];
      if (y == pairs[i].y) continue;
      if (near_dropped(y)) {
        // Where large terms cancel, the dropped value may round to 0.
        fills.add(y == 0 ? 0.0 : y);
        any_dropped_ = true;
        continue;
      }
      const double error = kept_error_ulp(x, y);
      if (error > tolerance_.near) {
        if (!misfit_) misfit_ = KeptPair{x, y};
        continue;
      }
      largest_error_ulp_ = std::max(largest_error_ulp_, error);
      if (std::isnan(pairs[i].y)) {
        pairs[i].y = y;
      } else {
        pairs.push_back({x, y});
      }
    }
  }
  std::erase_if(pairs, [](const KeptPair& pair) { return std::isnan(pair.y); });
  if (const auto most = fills.most()) dropped_ = most->value;
  return pairs;
}

bool MaskReader::straight() const {
  const double unit = std::ldexp(1.0, -impl::significand_bits(dtype_));
  return line_.largest_residual <=
         512 * unit * (16 * std::abs(line_.slope) + std::abs(line_.offset) + 1);
}

/// The dropped value is the one that comes back for different inputs.
void MaskReader::learn(std::span<const double> base,
                       std::span<const impl::Tensor> outputs) {
  ValueCounts seen;
  std::size_t total = 0;
  for (const impl::Tensor& output : outputs) {
    const std::vector<double> values = values_of(output.view());
    for (std::size_t i = 0; i < count_; ++i) {
      const double y = values[i];
      if (std::isnan(y)) continue;
      seen.add(y == 0 ? 0.0 : y);
      ++total;
    }
  }
  const auto most = seen.most();
  any_dropped_ = most && most->times > 3 && most->times * 200 > total;
  if (any_dropped_) dropped_ = most->value;
  readable_ = most.has_value();
  std::vector<KeptPair> pairs;
  for (const impl::Tensor& output : outputs) {
    const std::vector<double> values = values_of(output.view());
    for (std::size_t i = 0; i < count_; ++i) {
      const double y = values[i];
      if (!std::isfinite(y) || (any_dropped_ && y == dropped_)) continue;
      pairs.push_back({base[i], y});
    }
  }
  line_ = fit_line(pairs);
}

void MaskReader::tabulate(std::span<const double> base) {
  kept_.resize(count_ * impl::size_of(dtype_));
  std::byte* element = kept_.data();
  for (const double x : base) {
    impl::store(model_->kept(x, dtype_), element, dtype_);
    element += impl::size_of(dtype_);
  }
  reading_.kept = kept_.data();
}

}  // namespace dropcheck::properties
