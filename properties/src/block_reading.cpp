#include "block_reading.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>
#include <numeric>

#include "block_patterns.hpp"
#include "drop_runs.hpp"
#include "dropcheck/impl/block_law.hpp"

namespace dropcheck::properties {
namespace {

using Bytes = std::vector<std::uint8_t>;

/// Axes on which blocks of nine are still told from whole lines; even where
/// groups of neighbours in memory must line up.
const std::array<impl::Shape, 6> kMapShapes{impl::Shape{},  {64},
                                            {12, 32},       {3, 12, 24},
                                            {3, 9, 18, 16}, {3, 4, 9, 10, 8}};
constexpr std::int64_t kFirstCalls = 128;
constexpr std::int64_t kMostCalls = 1024;
/// Large inputs get fewer calls, but never fewer than tell a size.
constexpr std::int64_t kFewestCalls = 64;
constexpr std::int64_t kMostElements = std::int64_t{1} << 23;
/// Calls whose maps are searched for drops outside all blocks.
constexpr std::size_t kSearchedCalls = 64;

Bytes bytes_of(const std::vector<std::uint64_t>& mask, std::int64_t size) {
  Bytes dropped(static_cast<std::size_t>(size));
  for (std::size_t i = 0; i < dropped.size(); ++i) {
    dropped[i] = static_cast<std::uint8_t>((mask[i / 64] >> (i % 64)) & 1U);
  }
  return dropped;
}

/// Where the elements stand that the given axes move among.
std::vector<std::size_t> offsets_along(const impl::Shape& shape,
                                       const std::vector<int>& axes) {
  const impl::Shape strides = impl::compact_strides(shape);
  std::vector<std::size_t> offsets{0};
  for (const int axis : axes) {
    const auto at = static_cast<std::size_t>(axis);
    std::vector<std::size_t> longer;
    for (const std::size_t offset : offsets) {
      for (std::int64_t i = 0; i < shape[at]; ++i) {
        longer.push_back(offset + static_cast<std::size_t>(i * strides[at]));
      }
    }
    offsets = std::move(longer);
  }
  return offsets;
}

/// One reading on its way.
class Reader {
 public:
  Reader(BlackBox& box, impl::Tensor input, double log_inverse_eps)
      : box_(box), input_(std::move(input)), level_(log_inverse_eps) {}

  std::optional<BlockEvidence> read() {
    BoxedLayer layer(box_, input_);
    if (!begin(layer)) return std::nullopt;
    if (!find_axes()) {
      // Too rare to tell yet, or no blocks: a single drop tells.
      if (!hopeful_) return std::nullopt;
    }
    const std::int64_t most = most_calls();
    while (std::ssize(calls_) < most) {
      Responses more;
      layer.append(more, kFewestCalls);
      keep(more);
    }
    if (!find_axes()) return std::nullopt;
    find_maps();
    find_centres();
    count();
    note_repeats();
    evidence_.blocks.shape = shape();
    evidence_.blocks.measured_scale = scale_is_measured();
    return std::move(evidence_);
  }

 private:
  const impl::Shape& shape() const { return evidence_.probe.responses.shape; }
  double dropped_value() const { return *evidence_.probe.values.dropped; }

  std::int64_t most_calls() const {
    const auto size = std::max<std::int64_t>(1, input_.size());
    return std::clamp(kMostElements / size, kFewestCalls, kMostCalls);
  }

  /// The first calls; false where no mask can be read.
  bool begin(BoxedLayer& layer) {
    Probe& probe = evidence_.probe;
    const auto evaluated = evaluate_once(box_, input_);
    layer.append(probe.responses, std::min(kFirstCalls, most_calls()));
    if (evaluated && evaluated->shape == probe.responses.shape) {
      probe.evaluation = evaluated->values;
    }
    probe.values =
        read_values(probe.responses, box_.config().dtype, probe.evaluation);
    if (!probe.has_mask() || std::isnan(dropped_value())) return false;
    keep(probe.responses);
    return true;
  }

  void keep(const Responses& responses) {
    for (auto& mask : drop_bits(responses, dropped_value())) {
      calls_.push_back(bytes_of(mask, responses.size()));
      masks_.push_back(std::move(mask));
    }
  }

  bool enough(const DropRuns& runs) const {
    return static_cast<double>(runs.calls()) * std::numbers::ln2 >= level_;
  }

  /// Sorts axes into those of blocks, shared ones and others. False where no
  /// axis has blocks, or one cannot be told; `hopeful_` says which.
  bool find_axes() {
    BlockReading& blocks = evidence_.blocks;
    blocks.axes.clear();
    blocks.sizes.clear();
    blocks.shared.clear();
    bool told = true;
    for (std::size_t axis = 0; axis < shape().size(); ++axis) {
      if (shape()[axis] < 2) continue;
      DropRuns runs(shape(), axis);
      for (const Bytes& call : calls_) {
        runs.read(call);
        if (runs.shortest() == 1) break;
      }
      if (runs.shared()) {
        blocks.shared.push_back(static_cast<int>(axis));
      } else if (shape()[axis] > 2 && runs.shortest() != 1) {
        told = told && enough(runs) && runs.begin_anywhere();
        blocks.axes.push_back(static_cast<int>(axis));
        blocks.sizes.push_back(runs.shortest());
      }
    }
    hopeful_ = !blocks.axes.empty() && !told;
    return !blocks.axes.empty() && told;
  }

  /// The first element of every map, and where its other elements stand.
  void find_maps() {
    const BlockReading& blocks = evidence_.blocks;
    positions_ = offsets_along(shape(), blocks.axes);
    std::vector<int> others;
    for (int axis = 0; axis < static_cast<int>(shape().size()); ++axis) {
      const auto holds = [axis](const std::vector<int>& axes) {
        return std::find(axes.begin(), axes.end(), axis) != axes.end();
      };
      if (!holds(blocks.axes) && !holds(blocks.shared)) others.push_back(axis);
    }
    maps_ = offsets_along(shape(), others);
  }

  impl::BlockLaw law(bool whole_map) const {
    impl::BlockLaw law;
    for (std::size_t i = 0; i < evidence_.blocks.axes.size(); ++i) {
      const auto axis = static_cast<std::size_t>(evidence_.blocks.axes[i]);
      law.axes.push_back(impl::block_axis(
          shape()[axis], evidence_.blocks.sizes[i], whole_map));
    }
    return law;
  }

  Bytes map_of(const Bytes& call, std::size_t first) const {
    Bytes map;
    for (const std::size_t position : positions_) {
      map.push_back(call[first + position]);
    }
    return map;
  }

  /// Maps with a drop that is part of no block.
  std::uint64_t torn_maps(const impl::BlockLaw& law) const {
    std::uint64_t torn = 0;
    for (std::size_t t = 0; t < std::min(calls_.size(), kSearchedCalls); ++t) {
      for (const std::size_t first : maps_) {
        const Bytes map = map_of(calls_[t], first);
        if (std::none_of(map.begin(), map.end(), [](auto d) { return d; })) {
          continue;
        }
        if (outside_all_blocks(law.axes, map)) ++torn;
      }
    }
    return torn;
  }

  void find_centres() {
    const bool whole_map = torn_maps(law(false)) > 0;
    evidence_.blocks.whole_map = whole_map;
    law_ = law(whole_map);
    if (!whole_map) return;
    const std::uint64_t torn = torn_maps(law_);
    if (torn == 0) return;
    remark(fmt::format("{} maps hold drops that are part of no whole block",
                       torn));
  }

  /// Drops at every position of a map, and from them gamma and the rates.
  void count() {
    std::vector<std::uint64_t> drops(positions_.size(), 0);
    for (const Bytes& call : calls_) {
      for (const std::size_t first : maps_) {
        for (std::size_t i = 0; i < positions_.size(); ++i) {
          drops[i] += call[first + positions_[i]];
        }
      }
    }
    const std::uint64_t maps = calls_.size() * maps_.size();
    measure(drops, maps);
    judge_positions(drops, maps);
  }

  std::vector<std::size_t> readable() const {
    std::vector<std::size_t> places{0};
    for (const impl::BlockAxis& axis : law_.axes) {
      std::vector<std::size_t> longer;
      for (const std::size_t place : places) {
        for (const std::int64_t i : axis.readable()) {
          longer.push_back(place * static_cast<std::size_t>(axis.extent) +
                           static_cast<std::size_t>(i));
        }
      }
      places = std::move(longer);
    }
    return places;
  }

  double gamma_of(double rate) const {
    return -std::expm1(std::log1p(-std::min(rate, 1 - 1e-12)) /
                       static_cast<double>(law_.covering_readable()));
  }

  double mean_rate(double gamma) const {
    impl::BlockLaw law = law_;
    law.gamma = gamma;
    const std::vector<double> map = law.drop_map();
    return std::accumulate(map.begin(), map.end(), 0.0) /
           static_cast<double>(map.size());
  }

  void measure(const std::vector<std::uint64_t>& drops, std::uint64_t maps) {
    UnitReading& units = evidence_.probe.units;
    const std::vector<std::size_t> places = readable();
    for (const std::size_t place : places) {
      units.counts += {drops[place], maps};
    }
    units.units = std::ssize(places) * std::ssize(maps_);
    units.proved = true;
    const stats::Interval rate = rate_interval_of(units.counts, level_);
    BlockReading& blocks = evidence_.blocks;
    blocks.gamma = gamma_of(static_cast<double>(units.counts.drops) /
                            static_cast<double>(units.counts.n));
    blocks.gamma_interval = {gamma_of(rate.lower), gamma_of(rate.upper)};
    evidence_.rate = mean_rate(blocks.gamma);
    evidence_.interval = {mean_rate(blocks.gamma_interval.lower),
                          mean_rate(blocks.gamma_interval.upper)};
  }

  double rate_at(std::size_t place, double gamma) const {
    impl::BlockLaw law = law_;
    law.gamma = gamma;
    std::int64_t covering = 1;
    auto rest = static_cast<std::int64_t>(place);
    for (std::size_t i = law.axes.size(); i-- > 0;) {
      covering *= law.axes[i].covering(rest % law.axes[i].extent);
      rest /= law.axes[i].extent;
    }
    return law.drop_probability(covering);
  }

  impl::Shape coordinates(std::size_t place) const {
    impl::Shape at(law_.axes.size());
    auto rest = static_cast<std::int64_t>(place);
    for (std::size_t i = at.size(); i-- > 0;) {
      at[i] = rest % law_.axes[i].extent;
      rest /= law_.axes[i].extent;
    }
    return at;
  }

  /// Centres that are drawn everywhere alike leave each position its rate.
  void judge_positions(const std::vector<std::uint64_t>& drops,
                       std::uint64_t maps) {
    const double level =
        level_ + std::log(static_cast<double>(positions_.size()));
    const stats::Interval& gamma = evidence_.blocks.gamma_interval;
    std::vector<std::size_t> off;
    for (std::size_t i = 0; i < drops.size(); ++i) {
      const stats::Interval seen = rate_interval_of({drops[i], maps}, level);
      if (seen.lower > rate_at(i, gamma.upper) ||
          seen.upper < rate_at(i, gamma.lower)) {
        off.push_back(i);
      }
    }
    if (off.empty()) return;
    const auto error = [&](std::size_t i) {
      const double seen =
          static_cast<double>(drops[i]) / static_cast<double>(maps);
      return std::abs(seen - rate_at(i, evidence_.blocks.gamma));
    };
    const std::size_t worst = *std::max_element(
        off.begin(), off.end(),
        [&](std::size_t a, std::size_t b) { return error(a) < error(b); });
    remark(fmt::format(
        "{} of {} positions have another rate than centres drawn everywhere "
        "alike give; ({}) has {:.3g}, where {:.3g} is due",
        off.size(), drops.size(), fmt::join(coordinates(worst), ", "),
        static_cast<double>(drops[worst]) / static_cast<double>(maps),
        rate_at(worst, evidence_.blocks.gamma)));
  }

  void note_repeats() {
    const Repetition seen = count_repetition(masks_);
    // Masks of so many places repeat by chance only where most are empty.
    const auto empty =
        std::count_if(calls_.begin(), calls_.end(), [](const Bytes& call) {
          return std::none_of(call.begin(), call.end(),
                              [](auto drop) { return drop; });
        });
    const auto none = static_cast<double>(empty);
    if (seen.pairs - none * (none - 1) / 2 <= 10) return;
    remark(fmt::format("only {} distinct masks in {} calls", seen.distinct,
                       calls_.size()));
  }

  /// Slope and kept entries of each of the first calls belong together.
  bool scale_is_measured() const {
    const Probe& probe = evidence_.probe;
    if (probe.values.kind != ValueKind::kScalePerCall) return false;
    // A scale of f32 for f64 values is still the one that was counted.
    const double tolerance = std::max(
        1e-6, std::ldexp(16.0, -impl::significand_bits(box_.config().dtype)));
    const Responses& responses = probe.responses;
    for (std::int64_t t = 0; t < responses.calls; ++t) {
      const Bytes& call = calls_[static_cast<std::size_t>(t)];
      const auto values = responses.call(t);
      double products = 0;
      double squares = 0;
      double kept = 0;
      for (std::size_t i = 0; i < call.size(); ++i) {
        if (call[i] != 0) continue;
        const double x = probe.values.base[i];
        products += values[i] * x;
        squares += x * x;
        kept += 1;
      }
      if (kept == 0) continue;
      const double scale = products / squares;
      const double due = static_cast<double>(call.size()) / kept;
      if (!(std::abs(scale / due - 1) <= tolerance)) return false;
    }
    return true;
  }

  void remark(std::string what) {
    evidence_.remarks.push_back(std::move(what));
  }

  BlackBox& box_;
  const impl::Tensor input_;
  double level_;
  bool hopeful_ = false;
  BlockEvidence evidence_;
  std::vector<Bytes> calls_;
  std::vector<std::vector<std::uint64_t>> masks_;
  std::vector<std::size_t> maps_;
  std::vector<std::size_t> positions_;
  impl::BlockLaw law_;
};

}  // namespace

std::optional<BlockEvidence> read_blocks(
    BlackBox& box, std::size_t rank, const std::optional<impl::Shape>& shape,
    double log_inverse_eps) {
  if (!shape && (rank == 0 || rank >= kMapShapes.size())) return std::nullopt;
  impl::Tensor input = box.input(shape ? *shape : kMapShapes[rank]);
  return Reader(box, std::move(input), log_inverse_eps).read();
}

}  // namespace dropcheck::properties
