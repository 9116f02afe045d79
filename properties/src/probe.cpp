#include "probe.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "mask_kernels.hpp"
#include "unit_reader.hpp"

namespace dropcheck::properties {
namespace {

constexpr std::array<std::int64_t, 3> kProbeCalls{256, 2048, 16384};
constexpr std::int64_t kMostProbeValues = std::int64_t{1} << 24;
constexpr std::int64_t kMostSeeds = 2048;

constexpr std::uint64_t kEnoughDecisions = std::uint64_t{1} << 22;
/// A whole network stands behind each of these.
constexpr std::uint64_t kEnoughInnerDecisions = std::uint64_t{1} << 20;
constexpr std::int64_t kMostInnerElements = std::int64_t{1} << 21;
constexpr std::int64_t kMostRateElements = std::int64_t{1} << 25;
constexpr std::int64_t kMostRateCalls = std::int64_t{1} << 16;
constexpr double kUnitsPerCall = 4096;

/// Draws more calls into a probe, and reads them.
class Prober {
 public:
  Prober(BlackBox& box, const impl::Tensor& input, double log_inverse_eps)
      : dtype_(box.config().dtype),
        nothing_due_(box.config().drop_probability == 0),
        reseeds_(box.reseeds()),
        log_inverse_eps_(log_inverse_eps),
        evaluation_(evaluate_once(box, input)),
        layer_(box, input) {
    if (evaluation_ && evaluation_->shape == layer_.shape()) {
      probe_.evaluation = evaluation_->values;
    }
  }

  Probe take() {
    for (const std::int64_t calls : kProbeCalls) {
      const std::int64_t size =
          std::max<std::int64_t>(1, impl::element_count(layer_.shape()));
      draw(std::min(calls, kMostProbeValues / size));
      if (finished()) break;
    }
    return std::move(probe_);
  }

 private:
  void draw(std::int64_t calls) {
    if (probe_.by_seeds) calls = std::min(calls, kMostSeeds);
    Responses& responses = probe_.responses;
    layer_.append(responses, calls - responses.calls, true, probe_.by_seeds);
    probe_.values = read_values(responses, dtype_, probe_.evaluation);
    if (!probe_.has_mask()) return;
    probe_.units = read_units(drop_bits(responses, *probe_.values.dropped),
                              responses.shape, log_inverse_eps_);
    read_across_zeros(probe_.units, unreadable_places(), responses.shape);
    const bool stuck = probe_.units.repeats || !probe_.values.varies;
    if (!stuck || !reseeds_ || probe_.by_seeds) return;
    probe_.by_seeds = true;
    probe_.repetition =
        probe_.values.varies
            ? fmt::format("only {} distinct masks in {} calls",
                          probe_.units.distinct, responses.calls)
            : "every call returns the same mask until the next reseed";
    responses = {};
    draw(calls);
  }

  /// Places where a kept value is the dropped one, as a ReLU's zeros are.
  std::vector<std::int64_t> unreadable_places() const {
    std::vector<std::int64_t> places;
    const ValueReading& values = probe_.values;
    if (!values.straight) return places;
    for (std::size_t i = 0; i < values.base.size(); ++i) {
      const double kept =
          values.line.slope * values.base[i] + values.line.offset;
      if (std::abs(kept - *values.dropped) < 1e-6) {
        places.push_back(static_cast<std::int64_t>(i));
      }
    }
    return places;
  }

  /// A function that is not the input's own and never varies: a network whose
  /// calls are dear.
  bool is_fixed_network() const {
    const bool input = probe_.values.straight && !probe_.values.on_evaluation;
    return !probe_.values.varies && !input &&
           probe_.responses.calls >= kProbeCalls[1];
  }

  bool finished() const {
    if (probe_.has_mask()) return probe_.units.proved;
    return probe_.values.settled || nothing_due_ || is_fixed_network();
  }

  impl::DType dtype_;
  bool nothing_due_;
  bool reseeds_;
  double log_inverse_eps_;
  std::optional<Responses> evaluation_;
  BoxedLayer layer_;
  Probe probe_;
};

/// Many units, few elements in each. The probe's shape where the result is not
/// the input with at most one axis before it.
impl::Shape rate_shape(const Probe& probe, const std::vector<bool>& shared) {
  const impl::Shape& input = probe.responses.input.shape();
  const impl::Shape& output = probe.responses.shape;
  const std::size_t before = output.size() - input.size();
  if (output.size() < input.size() || before > 1 ||
      !std::equal(input.begin(), input.end(),
                  output.end() - std::ssize(input))) {
    return input;
  }
  const auto first = shared.begin() + static_cast<std::ptrdiff_t>(before);
  const auto free = std::count(first, shared.end(), false);
  if (free == 0) return input;
  const double units =
      kUnitsPerCall / static_cast<double>(before == 1 ? output[0] : 1);
  const auto extent = std::max<std::int64_t>(
      2, std::llround(std::pow(units, 1.0 / static_cast<double>(free))));
  impl::Shape shape;
  for (std::size_t axis = 0; axis < input.size(); ++axis) {
    const auto step = static_cast<std::int64_t>(axis);
    shape.push_back(first[std::ssize(shape)] ? 2 + step % 2 : extent + step);
  }
  return shape;
}

/// Adds up calls of equally many units.
class CallCounter {
 public:
  void add(const stats::Counts& call) {
    total_ += call;
    squares_ +=
        static_cast<double>(call.drops) * static_cast<double>(call.drops);
    fractions_.add(static_cast<double>(call.drops) /
                   static_cast<double>(call.n));
  }

  std::uint64_t decisions() const { return total_.n; }

  void conclude(RateReading& reading) {
    reading.counts = total_;
    reading.fractions = std::move(fractions_);
    if (total_.drops == 0 || total_.drops == total_.n) return;
    const auto calls = static_cast<double>(reading.fractions.n());
    const auto drops = static_cast<double>(total_.drops);
    const double p = drops / static_cast<double>(total_.n);
    const double mean = drops / calls;
    reading.dispersion = (squares_ / calls - mean * mean) / (mean * (1 - p));
    // Eight standard deviations of a chi-square over its degrees of freedom,
    // for units enough that the law of a call is near the normal.
    reading.disperse = mean >= 20 && std::abs(reading.dispersion - 1) >
                                         8 * std::sqrt(2 / calls);
  }

 private:
  stats::Counts total_;
  double squares_ = 0;
  stats::BettingMean fractions_;
};

/// Counts units where they are a matter of axes, with the fast kernels.
RateReading count_by_axes(BlackBox& box, const Probe& probe,
                          const std::vector<bool>& shared,
                          const impl::Shape& shape) {
  RateReading reading;
  reading.input = shape;
  const impl::Tensor input = box.input(shape);
  BoxedLayer layer(box, input);
  impl::Law law;
  law.unit = impl::Unit::kSharedAxes;
  impl::LayerConfig config;
  for (std::size_t axis = 0; axis < shared.size(); ++axis) {
    if (shared[axis]) config.shared_axes.push_back(static_cast<int>(axis));
  }
  const UnitReader units(law, config, layer.shape());
  MaskReading bits;
  bits.dtype = box.config().dtype;
  impl::store(*probe.values.dropped, &bits.dropped, bits.dtype);
  bits.ignore_sign = *probe.values.dropped == 0;
  const auto size = static_cast<std::size_t>(units.elements());
  std::vector<std::uint64_t> element_words(size / 64 + 2);
  std::vector<std::uint64_t> unit_words(
      static_cast<std::size_t>(units.units()) / 64 + 1);
  const bool inner = probe.values.kind == ValueKind::kInner;
  const std::uint64_t enough = inner ? kEnoughInnerDecisions : kEnoughDecisions;
  const std::int64_t calls = std::clamp<std::int64_t>(
      (inner ? kMostInnerElements : kMostRateElements) / units.elements(), 1,
      kMostRateCalls);
  const bool single = probe.by_seeds || box.changes_input();
  const std::int64_t batch =
      single ? 1
             : std::max<std::int64_t>(
                   1, (std::int64_t{1} << 18) / units.elements());
  CallCounter counter;
  for (std::int64_t done = 0; done < calls && counter.decisions() < enough;
       done += batch) {
    if (probe.by_seeds) layer.reseed(box.next_seed());
    const std::int64_t repeat = std::min(batch, calls - done);
    const impl::TensorView result = layer.stacked(repeat);
    const auto* values = static_cast<const std::byte*>(result.data);
    for (std::int64_t t = 0; t < repeat; ++t) {
      read_drop_bits(bits, values, size, element_words.data());
      units.read(element_words.data(), unit_words.data(), reading.torn);
      const auto words = static_cast<std::size_t>((units.units() + 63) / 64);
      counter.add({popcount(unit_words.data(), words),
                   static_cast<std::uint64_t>(units.units())});
      values += size * impl::size_of(bits.dtype);
    }
  }
  counter.conclude(reading);
  return reading;
}

/// Counts one place of each unit of the probe, at its shape.
RateReading count_by_places(BlackBox& box, const Probe& probe) {
  RateReading reading;
  reading.input = probe.responses.input.shape();
  BoxedLayer layer(box, probe.responses.input);
  const std::int64_t size = probe.responses.size();
  const std::int64_t most = std::min(
      kMostRateCalls, static_cast<std::int64_t>(kEnoughDecisions) / size);
  const std::int64_t calls = std::max<std::int64_t>(
      256, probe.by_seeds ? std::min(most, kMostSeeds) : most);
  Responses responses;
  layer.append(responses, calls, true, probe.by_seeds);
  const auto masks = drop_bits(responses, *probe.values.dropped);
  const auto& representative = probe.units.partition.representative;
  CallCounter counter;
  for (const auto& mask : masks) {
    stats::Counts call;
    for (std::int64_t i = 0; i < size; ++i) {
      if (representative[static_cast<std::size_t>(i)] != i) continue;
      const auto word = mask[static_cast<std::size_t>(i / 64)];
      call += {(word >> (i % 64)) & 1U, 1};
    }
    counter.add(call);
  }
  counter.conclude(reading);
  return reading;
}

}  // namespace

Probe take_probe(BlackBox& box, const impl::Shape& shape,
                 double log_inverse_eps) {
  const impl::Tensor input = box.input(shape);
  return Prober(box, input, log_inverse_eps).take();
}

RateReading measure_rate(BlackBox& box, const Probe& probe, bool keep_shape) {
  const auto shared =
      probe.units.units > 0
          ? shared_axes_of(probe.units.partition, probe.responses.shape)
          : std::nullopt;
  if (!shared || probe.units.fixed > 0 || probe.units.unreadable > 0 ||
      std::isnan(*probe.values.dropped)) {
    return count_by_places(box, probe);
  }
  const impl::Shape& own = probe.responses.input.shape();
  const impl::Shape wide = keep_shape ? own : rate_shape(probe, *shared);
  RateReading reading;
  const auto refusal =
      refusal_of([&] { reading = count_by_axes(box, probe, *shared, wide); });
  // Some layers take one size only.
  if (refusal) return count_by_axes(box, probe, *shared, own);
  if (reading.torn == 0) return reading;
  const std::uint64_t torn = reading.torn;
  reading = count_by_places(box, probe);
  reading.torn = torn;
  return reading;
}

}  // namespace dropcheck::properties
