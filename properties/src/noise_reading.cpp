#include "noise_reading.hpp"

#include <algorithm>
#include <cmath>

#include "dropcheck/stats/normal_law.hpp"
#include "factor_cells.hpp"

namespace dropcheck::properties {
namespace {

constexpr std::int64_t kFactors = std::int64_t{1} << 20;
constexpr std::int64_t kCallsAtOnce = 4096;
/// A sum or a sum of squares with a prior for the planned n.
constexpr double kPriorShare = 45;
/// A Dirichlet prior for 63 degrees of freedom: STATISTICS 2.b F2.
constexpr double kCellShare = 1.8;
/// What cells at an estimated variance may gain by the estimate, in nats.
constexpr double kEstimate = 3;

std::vector<double> factors_of(const Probe& probe,
                               std::span<const double> values) {
  std::vector<double> factors(values.begin(), values.end());
  for (std::size_t i = 0; i < factors.size(); ++i) {
    factors[i] /= probe.values.base[i];
  }
  return factors;
}

/// Axes along which neighbours have one factor in every call, up to rounding.
std::vector<bool> shared_axes_of(const Probe& probe, impl::DType dtype) {
  const Responses& responses = probe.responses;
  const impl::Shape strides = impl::compact_strides(responses.shape);
  const double unit = std::ldexp(8.0, -impl::significand_bits(dtype));
  std::vector<bool> shared(responses.shape.size(), true);
  const auto size = static_cast<std::size_t>(responses.size());
  for (std::int64_t t = 0; t < std::min<std::int64_t>(responses.calls, 64);
       ++t) {
    const auto factors = factors_of(probe, responses.call(t));
    for (std::size_t axis = 0; axis < shared.size(); ++axis) {
      const auto step = static_cast<std::size_t>(strides[axis]);
      const auto extent = static_cast<std::size_t>(responses.shape[axis]);
      for (std::size_t i = 0; i < size && shared[axis]; ++i) {
        if ((i / step) % extent + 1 == extent) continue;
        const double a = factors[i];
        const double b = factors[i + step];
        shared[axis] = std::abs(a - b) <= unit * (std::abs(a) + std::abs(b));
      }
    }
  }
  return shared;
}

/// One element of each unit.
std::vector<std::size_t> unit_places(const impl::Shape& shape,
                                     const std::vector<bool>& shared) {
  const impl::Shape strides = impl::compact_strides(shape);
  std::vector<std::size_t> places;
  for (std::int64_t i = 0; i < impl::element_count(shape); ++i) {
    bool first = true;
    for (std::size_t axis = 0; axis < shape.size(); ++axis) {
      first =
          first && (!shared[axis] || (i / strides[axis]) % shape[axis] == 0);
    }
    if (first) places.push_back(static_cast<std::size_t>(i));
  }
  return places;
}

std::vector<double> draw(BlackBox& box, const Probe& probe,
                         const std::vector<std::size_t>& places) {
  std::vector<double> all;
  BoxedLayer layer(box, probe.responses.input);
  const auto units = static_cast<std::int64_t>(places.size());
  const std::int64_t most = std::int64_t{1} << 16;
  std::int64_t left = std::min(most, kFactors / units + 1);
  while (left > 0) {
    Responses responses;
    layer.append(responses, std::min(left, kCallsAtOnce));
    for (std::int64_t t = 0; t < responses.calls; ++t) {
      const auto factors = factors_of(probe, responses.call(t));
      for (const std::size_t place : places) all.push_back(factors[place]);
    }
    left -= responses.calls;
  }
  return all;
}

double variance_around_one(const std::vector<double>& factors) {
  double squares = 0;
  for (const double factor : factors) squares += (factor - 1) * (factor - 1);
  return squares / static_cast<double>(factors.size());
}

/// The p with drop / keep = variance.
double drop_of(double variance) { return variance / (1 + variance); }

bool fills_cells(const FactorTally& tally, const FactorCells& cells,
                 double level) {
  const std::vector<double> theta(FactorCells::kCells,
                                  1.0 / FactorCells::kCells);
  return stats::log_banded_multinomial_e_value(
             tally.cells, theta, cells.band(),
             static_cast<double>(tally.n) / kCellShare) < level + kEstimate;
}

}  // namespace

NoiseEvidence read_noise_law(BlackBox& box, const Probe& probe,
                             double log_inverse_alpha) {
  NoiseEvidence evidence;
  evidence.noise = *probe.values.noise;
  evidence.shared = shared_axes_of(probe, box.config().dtype);
  const auto places = unit_places(probe.responses.shape, evidence.shared);
  const std::vector<double> factors = draw(box, probe, places);
  const double variance = variance_around_one(factors);
  if (!(variance > 0) || !std::isfinite(variance)) return evidence;
  impl::LayerConfig config = box.config();
  config.drop_probability = drop_of(variance);
  const FactorCells cells(config);
  FactorTally tally;
  for (const double factor : factors) tally.add(cells, factor);
  const auto n = static_cast<double>(tally.n);
  const stats::Interval mean = stats::normal_mean_interval(
      tally.possible_sum(), n, n / kPriorShare, log_inverse_alpha);
  const stats::Interval spread = stats::normal_variance_interval(
      tally.possible_squares(), n, n / kPriorShare, log_inverse_alpha);
  evidence.noise.n = tally.n;
  evidence.noise.mean_is_one = mean.lower <= 0 && mean.upper >= 0;
  evidence.noise.normal =
      tally.no_number == 0 && fills_cells(tally, cells, log_inverse_alpha);
  evidence.drop_probability = config.drop_probability;
  evidence.interval = {drop_of(variance * spread.lower),
                       drop_of(variance * spread.upper)};
  return evidence;
}

}  // namespace dropcheck::properties
