#include "value_reading.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <set>

#include "dropcheck/stats/moments.hpp"

namespace dropcheck::properties {
namespace {

/// With fewer values, two of which agree say nothing.
constexpr std::size_t kFewestPlaces = 8;
/// Values kept apart at one place; more than two are noise anyway.
constexpr std::size_t kMostLevels = 8;
/// Noise that was rounded to few bits returns to a value less often than that.
constexpr double kDroppedShare = 0.05;

/// One pattern for both zeros, and one for all NaNs.
std::uint64_t key_of(double value) {
  if (value == 0) return 0;
  if (std::isnan(value)) value = std::numeric_limits<double>::quiet_NaN();
  return std::bit_cast<std::uint64_t>(value);
}

double value_of(std::uint64_t key) { return std::bit_cast<double>(key); }

/// The distinct values at each place, the first few of them.
using Levels = std::vector<std::vector<std::uint64_t>>;

Levels levels_of(const Responses& responses) {
  Levels levels(static_cast<std::size_t>(responses.size()));
  for (std::int64_t t = 0; t < responses.calls; ++t) {
    const auto values = responses.call(t);
    for (std::size_t i = 0; i < levels.size(); ++i) {
      auto& here = levels[i];
      const std::uint64_t key = key_of(values[i]);
      if (here.size() < kMostLevels &&
          std::find(here.begin(), here.end(), key) == here.end()) {
        here.push_back(key);
      }
    }
  }
  return levels;
}

/// A value, and for how many different bases it was returned.
struct Common {
  std::uint64_t key = 0;
  std::size_t bases = 0;
};

Common commonest(const Levels& levels, const std::vector<double>& base) {
  std::vector<std::pair<std::uint64_t, std::uint64_t>> seen;
  for (std::size_t i = 0; i < levels.size(); ++i) {
    for (const std::uint64_t key : levels[i]) {
      seen.emplace_back(key, key_of(base[i]));
    }
  }
  std::sort(seen.begin(), seen.end());
  seen.erase(std::unique(seen.begin(), seen.end()), seen.end());
  Common most;
  Common here;
  for (const auto& [key, of] : seen) {
    if (here.bases == 0 || key != here.key) here = {key, 0};
    ++here.bases;
    if (here.bases > most.bases) most = here;
  }
  return most;
}

/// The line through the pairs; through the origin where that fits and the free
/// one does not: its offset hides small values.
Line line_through(const std::vector<KeptPair>& pairs, impl::DType dtype) {
  const Line line = fit_line(pairs);
  if (lies_on_line(line, pairs, dtype)) return line;
  double products = 0;
  double squares = 0;
  for (const KeptPair& pair : pairs) {
    products += pair.x * pair.y;
    squares += pair.x * pair.x;
  }
  const Line direct{.slope = products / squares};
  return lies_on_line(direct, pairs, dtype) ? direct : line;
}

std::vector<double> numbers(const impl::Tensor& tensor) {
  std::vector<double> values;
  values.reserve(static_cast<std::size_t>(tensor.size()));
  for (std::int64_t i = 0; i < tensor.size(); ++i) {
    values.push_back(tensor.view().value(i));
  }
  return values;
}

/// Reads one set of responses.
class Reader {
 public:
  Reader(const Responses& responses, impl::DType dtype,
         const std::optional<std::vector<double>>& evaluation)
      : responses_(responses),
        dtype_(dtype),
        evaluation_(evaluation),
        levels_(levels_of(responses)) {
    choose_base();
    for (const auto& here : levels_) {
      reading_.varies = reading_.varies || here.size() > 1;
    }
  }

  ValueReading read() {
    if (levels_.size() < kFewestPlaces) {
      reading_.why =
          fmt::format("the result has {} value{}, too few to read a mask from",
                      levels_.size(), levels_.size() == 1 ? "" : "s");
    } else {
      classify();
    }
    return std::move(reading_);
  }

 private:
  /// The input where the result has its shape, else the evaluation.
  void choose_base() {
    if (responses_.input.shape() == responses_.shape) {
      reading_.base = numbers(responses_.input);
    } else if (evaluation_) {
      reading_.base = *evaluation_;
      reading_.on_evaluation = true;
    } else {
      for (std::size_t i = 0; i < levels_.size(); ++i) {
        reading_.base.push_back(static_cast<double>(i));
      }
    }
  }

  bool known_base() const {
    return reading_.on_evaluation ||
           responses_.input.shape() == responses_.shape;
  }

  void classify() {
    const Common common = commonest(levels_, reading_.base);
    std::set<std::uint64_t> bases;
    for (const double value : reading_.base) bases.insert(key_of(value));
    const bool everywhere =
        std::all_of(levels_.begin(), levels_.end(), [&](const auto& here) {
          return here.size() == 1 && here.front() == common.key;
        });
    if (everywhere) {
      reading_.kind = ValueKind::kAllDropped;
      reading_.dropped = value_of(common.key);
      return;
    }
    const bool returns = common.bases >= 4 && 20 * common.bases >= bases.size();
    if (!reading_.varies) return read_constant(common, returns);
    if (returns) return read_mask(common);
    read_noise();
  }

  /// Fits the kept values on the input, else on the evaluation.
  void fit() {
    if (!known_base()) return;
    reading_.line = line_through(reading_.kept, dtype_);
    reading_.straight = lies_on_line(reading_.line, reading_.kept, dtype_);
    if (reading_.straight || reading_.on_evaluation || !evaluation_) return;
    std::vector<KeptPair> other;
    for (std::size_t k = 0; k < places_.size(); ++k) {
      other.push_back({(*evaluation_)[places_[k]], reading_.kept[k].y});
    }
    const Line line = line_through(other, dtype_);
    if (!lies_on_line(line, other, dtype_)) return;
    reading_.kept = std::move(other);
    reading_.line = line;
    reading_.straight = true;
    reading_.on_evaluation = true;
    reading_.base = *evaluation_;
  }

  void keep(std::size_t place, std::uint64_t key) {
    places_.push_back(place);
    reading_.kept.push_back({reading_.base[place], value_of(key)});
  }

  /// Every place has one value, and not all the same one.
  void read_constant(const Common& common, bool returns) {
    for (std::size_t i = 0; i < levels_.size(); ++i) {
      keep(i, levels_[i].front());
    }
    fit();
    if (reading_.straight) {
      reading_.kind = ValueKind::kNothingDropped;
      return;
    }
    places_.clear();
    reading_.kept.clear();
    if (returns) return read_mask(common);
    reading_.why =
        "the results never vary, and are no linear function of the input";
  }

  /// `common` is the dropped value, if each place has at most one other.
  void read_mask(const Common& common) {
    bool many = false;
    for (std::size_t i = 0; i < levels_.size(); ++i) {
      std::size_t others = 0;
      for (const std::uint64_t key : levels_[i]) {
        if (key == common.key) continue;
        if (++others == 1) keep(i, key);
      }
      many = many || others > 1;
    }
    reading_.dropped = value_of(common.key);
    if (many) return read_call_scales();
    fit();
    reading_.kind = ValueKind::kMask;
  }

  /// Whether the kept values of every call lie on a line of its own.
  void read_call_scales() {
    bool any = false;
    for (std::int64_t t = 0; t < responses_.calls; ++t) {
      const auto values = responses_.call(t);
      std::vector<KeptPair> kept;
      for (std::size_t i = 0; i < levels_.size(); ++i) {
        if (key_of(values[i]) == key_of(*reading_.dropped)) continue;
        kept.push_back({reading_.base[i], values[i]});
      }
      if (kept.size() < kFewestPlaces) continue;
      const Line line = line_through(kept, dtype_);
      if (!known_base() || !lies_on_line(line, kept, dtype_)) {
        return read_many_values();
      }
      auto& [low, high] = reading_.call_scales;
      low = any ? std::min(low, line.slope) : line.slope;
      high = any ? std::max(high, line.slope) : line.slope;
      any = true;
    }
    reading_.kind = any ? ValueKind::kScalePerCall : ValueKind::kUnknown;
  }

  bool mostly_many_values() const {
    const auto many =
        std::count_if(levels_.begin(), levels_.end(),
                      [](const auto& here) { return here.size() > 2; });
    return 2 * static_cast<std::size_t>(many) >= levels_.size();
  }

  /// Share of the dropped value among all that was returned.
  double dropped_share() const {
    const std::uint64_t fill = key_of(*reading_.dropped);
    const auto drops =
        std::count_if(responses_.values.begin(), responses_.values.end(),
                      [fill](double value) { return key_of(value) == fill; });
    return static_cast<double>(drops) /
           static_cast<double>(responses_.values.size());
  }

  /// Values that vary beside one that returns: noise of few bits meets one
  /// value for many inputs, random layers before a mask leave the dropped one.
  void read_many_values() {
    reading_.call_scales = {};
    if (dropped_share() < kDroppedShare && means_follow_input()) {
      reading_.dropped.reset();
      reading_.kept.clear();
      return read_noise();
    }
    if (mostly_many_values()) {
      reading_.kept.clear();
      reading_.kind = ValueKind::kInner;
      return;
    }
    reading_.why = fmt::format(
        "some places take more values than a kept one and the dropped "
        "value {:.6g}",
        *reading_.dropped);
  }

  /// Whether the mean of each place is one multiple of the input: what noise
  /// varies around. Branches of a network vary around something else.
  bool means_follow_input() const {
    if (responses_.input.shape() != responses_.shape) return false;
    std::vector<stats::Moments> places(levels_.size());
    for (std::int64_t t = 0; t < responses_.calls; ++t) {
      const auto values = responses_.call(t);
      for (std::size_t i = 0; i < places.size(); ++i) places[i].add(values[i]);
    }
    std::vector<double> slopes;
    for (std::size_t i = 0; i < places.size(); ++i) {
      slopes.push_back(places[i].mean / reading_.base[i]);
    }
    std::nth_element(slopes.begin(), slopes.begin() + std::ssize(slopes) / 2,
                     slopes.end());
    const double slope = slopes[slopes.size() / 2];
    // Eight deviations of a mean, and as many of the slope.
    for (std::size_t i = 0; i < places.size(); ++i) {
      const double deviation = std::sqrt(places[i].m2) / places[i].n;
      const double x = reading_.base[i];
      const double off = std::abs(places[i].mean - slope * x);
      if (!(off <= 16 * deviation + std::ldexp(std::abs(x), -6))) return false;
    }
    return true;
  }

  void read_noise() {
    reading_.settled = mostly_many_values();
    if (!reading_.settled || !means_follow_input()) {
      reading_.why =
          "results vary, but no value returns for different inputs, as a "
          "dropped value would";
      return;
    }
    // Noise that multiplies has one deviation as a ratio, noise that is added
    // as a difference, whether the input is small or large.
    const auto change = [&](bool ratio) {
      const auto [small, large] = halves(ratio);
      return std::abs(std::log(small.m2 / small.n * large.n / large.m2));
    };
    NoiseReading noise;
    noise.multiplies = change(true) < change(false);
    auto [all, large] = halves(noise.multiplies);
    all.merge(large);
    const double variance = all.m2 / all.n;
    noise.n = static_cast<std::uint64_t>(all.n);
    noise.mean = all.mean;
    noise.deviation = std::sqrt(all.m2 / (all.n - 1));
    noise.skewness = all.m3 / all.n / std::pow(variance, 1.5);
    noise.kurtosis = all.m4 / all.n / (variance * variance);
    if (!std::isfinite(noise.kurtosis)) {
      reading_.why = "the results vary, but are not finite";
      return;
    }
    reading_.noise = noise;
    reading_.kind = ValueKind::kNoise;
  }

  /// y / x or y - x, of inputs below and above the median magnitude.
  std::pair<stats::Moments, stats::Moments> halves(bool ratio) const {
    std::vector<double> sizes;
    for (const double x : reading_.base) sizes.push_back(std::abs(x));
    std::nth_element(sizes.begin(), sizes.begin() + std::ssize(sizes) / 2,
                     sizes.end());
    const double median = sizes[sizes.size() / 2];
    std::pair<stats::Moments, stats::Moments> result;
    for (std::int64_t t = 0; t < responses_.calls; ++t) {
      const auto values = responses_.call(t);
      for (std::size_t i = 0; i < values.size(); ++i) {
        const double x = reading_.base[i];
        auto& half = std::abs(x) < median ? result.first : result.second;
        half.add(ratio ? values[i] / x : values[i] - x);
      }
    }
    return result;
  }

  const Responses& responses_;
  impl::DType dtype_;
  const std::optional<std::vector<double>>& evaluation_;
  Levels levels_;
  std::vector<std::size_t> places_;  ///< of `kept`
  ValueReading reading_;
};

}  // namespace

ValueReading read_values(const Responses& responses, impl::DType dtype,
                         const std::optional<std::vector<double>>& evaluation) {
  return Reader(responses, dtype, evaluation).read();
}

bool lies_on_line(const Line& line, std::span<const KeptPair> pairs,
                  impl::DType dtype) {
  // Four units of the last place: 16-bit layers round several times.
  const double unit = std::ldexp(8.0, -impl::significand_bits(dtype));
  return pairs.size() >= 3 &&
         std::all_of(pairs.begin(), pairs.end(), [&](const KeptPair& pair) {
           const double size =
               std::abs(line.slope * pair.x) + std::abs(line.offset);
           return std::abs(pair.y - line.slope * pair.x - line.offset) <=
                  unit * size;
         });
}

std::vector<std::vector<std::uint64_t>> drop_bits(const Responses& responses,
                                                  double dropped) {
  const std::uint64_t fill = key_of(dropped);
  const auto words = static_cast<std::size_t>(responses.size() / 64 + 1);
  std::vector<std::vector<std::uint64_t>> masks;
  for (std::int64_t t = 0; t < responses.calls; ++t) {
    const auto values = responses.call(t);
    auto& mask = masks.emplace_back(words);
    for (std::size_t i = 0; i < values.size(); ++i) {
      mask[i / 64] |= std::uint64_t{key_of(values[i]) == fill} << (i % 64);
    }
  }
  return masks;
}

}  // namespace dropcheck::properties
