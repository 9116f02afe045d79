#include "pattern_causes.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "structure_evidence.hpp"

namespace dropcheck::properties {
namespace {

/// "2", "2 rows": a distance in units.
std::string distance_words(std::int64_t distance, std::int64_t row) {
  if (row > 1 && distance % row == 0) {
    const std::int64_t rows = distance / row;
    return fmt::format("{} row{}", rows, rows == 1 ? "" : "s");
  }
  return fmt::format("{} unit{}", distance, distance == 1 ? "" : "s");
}

/// Whether so many agreements would be no accident among independent units.
bool telling(const MaskSample& sample, double agreements) {
  const double p = sample.rate();
  return agreements * -std::log1p(-2 * p * (1 - p)) > 40;
}

/// The greatest W such that neighbours differ at multiples of W only, counted
/// from the start of a call, or of each row; 1 if there is none.
std::int64_t group_width(const MaskSample& sample, std::int64_t length) {
  std::int64_t width = 0;
  for (std::int64_t i = 1; i < sample.units; ++i) {
    if (i % length == 0 || (width > 0 && i % length % width == 0)) continue;
    bool differs = false;
    for (std::int64_t t = 0; t < sample.calls && !differs; ++t) {
      differs = sample.drop(t, i) != sample.drop(t, i - 1);
    }
    if (differs) width = std::gcd(width, i % length);
    if (width == 1) return 1;
  }
  return width;
}

std::optional<std::string> shared_groups(const MaskSample& sample) {
  for (const std::int64_t length : {sample.units, sample.row()}) {
    if (length < 2) continue;
    const std::int64_t width = group_width(sample, length);
    if (width == 1) continue;
    if (!telling(sample,
                 static_cast<double>(sample.calls * sample.units) / 2)) {
      continue;
    }
    if (width == 0) {
      return length == sample.units
                 ? std::string("all units of a call share one decision")
                 : fmt::format("all {} units of a row share one decision",
                               length);
    }
    return fmt::format(
        "groups of {} neighbours share one decision, as if one random number "
        "served {} lanes",
        width, width);
  }
  return std::nullopt;
}

bool repeats_at(const MaskSample& sample, std::int64_t period) {
  for (std::int64_t i = period; i < sample.units; ++i) {
    for (std::int64_t t = 0; t < sample.calls; ++t) {
      if (sample.drop(t, i) != sample.drop(t, i - period)) return false;
    }
  }
  return true;
}

std::optional<std::string> tile(const MaskSample& sample) {
  for (std::int64_t period = 2; period <= sample.units / 2; ++period) {
    if (!repeats_at(sample, period)) continue;
    const auto agreements =
        static_cast<double>(sample.calls * (sample.units - period));
    if (!telling(sample, agreements)) return std::nullopt;
    const std::int64_t row = sample.row();
    if (row > 1 && row < sample.units && period % row == 0) {
      return period == row ? std::string("every row has the same mask")
                           : fmt::format(
                                 "every row repeats the one {} rows before: a "
                                 "tile of {} rows is used over and over",
                                 period / row, period / row);
    }
    return fmt::format(
        "the mask repeats with period {}: one tile of {} decisions is used "
        "over and over",
        period, period);
  }
  return std::nullopt;
}

/// Agreements and common drops of units `lag` apart, by the later one's place.
struct Class {
  double pairs = 0;
  double agree = 0;
  double both = 0;
  double neither = 0;

  void add(bool earlier, bool later) {
    ++pairs;
    agree += earlier == later ? 1 : 0;
    both += earlier && later ? 1 : 0;
    neither += !earlier && !later ? 1 : 0;
  }
  Class& operator+=(const Class& other) {
    pairs += other.pairs;
    agree += other.agree;
    both += other.both;
    neither += other.neither;
    return *this;
  }
  /// Never dropped together, or never kept together where most are dropped.
  bool excludes(double p) const {
    const double due = pairs * std::min(p * p, (1 - p) * (1 - p));
    return due > 30 && (p <= 0.5 ? both == 0 : neither == 0);
  }
};

std::vector<Class> classes_of(const MaskSample& sample, std::int64_t lag,
                              std::int64_t modulus) {
  std::vector<Class> classes(static_cast<std::size_t>(modulus));
  for (std::int64_t t = 0; t < sample.calls; ++t) {
    for (std::int64_t i = lag; i < sample.units; ++i) {
      classes[static_cast<std::size_t>(i % modulus)].add(
          sample.drop(t, i - lag), sample.drop(t, i));
    }
  }
  return classes;
}

/// Units i and i + lag with i mod 2 lag < lag: alike, or never together.
std::optional<std::string> pairs_of(const MaskSample& sample,
                                    std::int64_t lag) {
  const auto classes = classes_of(sample, lag, 2 * lag);
  Class inside;
  Class across;
  for (std::size_t k = 0; k < classes.size(); ++k) {
    (static_cast<std::int64_t>(k) >= lag ? inside : across) += classes[k];
  }
  const double p = sample.rate();
  const std::string apart =
      lag == 1 ? std::string("neighbours") : fmt::format("units {} apart", lag);
  if (inside.pairs > 0 && inside.agree == inside.pairs &&
      across.agree < across.pairs && telling(sample, inside.pairs)) {
    return fmt::format("{} share one decision in pairs", apart);
  }
  const bool opposite = inside.excludes(p);
  if (opposite && across.pairs > 0 && !across.excludes(p)) {
    return fmt::format(
        "{} are never {} together in pairs, as if one had u and the other 1 - "
        "u",
        apart, p <= 0.5 ? "dropped" : "kept");
  }
  if (opposite && 2 * lag + 8 >= sample.units) {
    return fmt::format(
        "the second half of a call mirrors the first, as if one had u and the "
        "other 1 - u");
  }
  if (opposite && across.excludes(p)) {
    return fmt::format("{} are never {} together: drops are spread out", apart,
                       p <= 0.5 ? "dropped" : "kept");
  }
  return std::nullopt;
}

/// Rows that are an earlier row, moved; the last units of it are new.
std::optional<std::string> moved_rows(const MaskSample& sample,
                                      std::int64_t lag) {
  const std::int64_t row = sample.row();
  if (row < 8 || lag < row / 2 || sample.units < 4 * row) return std::nullopt;
  const std::int64_t rows = (lag + row / 2) / row;
  const std::int64_t shift = rows * row - lag;
  if (shift == 0 || rows == 0) return std::nullopt;
  const auto classes = classes_of(sample, lag, row);
  const auto alike = std::count_if(
      classes.begin(), classes.end(),
      [](const Class& c) { return c.pairs > 0 && c.agree == c.pairs; });
  if (alike * 10 < row * 8 || alike == row) return std::nullopt;
  return fmt::format(
      "every row is the one {} before, moved by {}: rows begin too near to "
      "each other in one stream",
      distance_words(rows * row, row), distance_words(std::abs(shift), 0));
}

/// The correlation of units `lag` apart.
double correlation(const MaskSample& sample, std::int64_t lag) {
  if (lag >= sample.units) return 0;
  Class all;
  for (const Class& c : classes_of(sample, lag, 1)) all += c;
  const double p = sample.rate();
  return (all.both / all.pairs - p * p) / (p * (1 - p));
}

std::string repetition_words(double share, std::int64_t lag) {
  return fmt::format(
      "as if a unit repeated the decision {} before it with probability "
      "{:.2g}",
      lag == 1 ? std::string("just") : fmt::format("{} units", lag), share);
}

/// Widths that groups of units have: powers of two, rows and planes.
std::vector<std::int64_t> usual_widths(const MaskSample& sample) {
  std::vector<std::int64_t> widths;
  for (std::int64_t width = 2; width < sample.units; width *= 2) {
    widths.push_back(width);
  }
  for (const std::int64_t width : {3, 6, 12, 24, 48, 96, 10, 100, 1000}) {
    if (width < sample.units) widths.push_back(width);
  }
  std::int64_t stride = 1;
  for (auto extent = sample.grid.rbegin(); extent != sample.grid.rend();
       ++extent) {
    stride *= *extent;
    if (stride > 1 && stride < sample.units) widths.push_back(stride);
  }
  widths.push_back(sample.units);
  std::sort(widths.begin(), widths.end());
  widths.erase(std::unique(widths.begin(), widths.end()), widths.end());
  return widths;
}

/// Variance of the drops in groups of `width` units over the binomial one; the
/// mean is that of all, or of each call where only groups within it count.
double dispersion_of(const MaskSample& sample, std::int64_t width) {
  const double p = sample.rate();
  double square = 0;
  double groups = 0;
  for (std::int64_t t = 0; t < sample.calls; ++t) {
    for (std::int64_t first = 0; first + width <= sample.units;
         first += width) {
      double drops = 0;
      for (std::int64_t i = first; i < first + width; ++i) {
        drops += sample.drop(t, i) ? 1 : 0;
      }
      const double off = drops - p * static_cast<double>(width);
      square += off * off;
      groups += 1;
    }
  }
  return square / groups / (p * (1 - p) * static_cast<double>(width));
}

std::string group_words(const MaskSample& sample, std::int64_t width) {
  if (width == sample.units) return "call";
  if (width == sample.row()) return fmt::format("row of {} units", width);
  return fmt::format("group of {} units", width);
}

/// Covariance of the drops in two runs of units, of so many each, over the
/// binomial variance of one: `first(k)` and `second(k)` are where the k-th pair
/// begins, which must end within a call.
template <class First, class Second>
double covariance_of(const MaskSample& sample, std::int64_t length,
                     const First& first, const Second& second) {
  const double p = sample.rate();
  const double mean = p * static_cast<double>(length);
  double product = 0;
  double pairs = 0;
  for (std::int64_t t = 0; t < sample.calls; ++t) {
    for (std::int64_t k = 0;; ++k) {
      const std::int64_t a = first(k);
      const std::int64_t b = second(k);
      if (b + length > sample.units) break;
      double in_a = 0;
      double in_b = 0;
      for (std::int64_t i = 0; i < length; ++i) {
        in_a += sample.drop(t, a + i) ? 1 : 0;
        in_b += sample.drop(t, b + i) ? 1 : 0;
      }
      product += (in_a - mean) * (in_b - mean);
      pairs += 1;
    }
  }
  return pairs == 0
             ? 0
             : product / pairs / (p * (1 - p) * static_cast<double>(length));
}

/// Between a group and the next one.
double between_groups(const MaskSample& sample, std::int64_t width) {
  return covariance_of(
      sample, width, [&](std::int64_t k) { return k * width; },
      [&](std::int64_t k) { return (k + 1) * width; });
}

/// Between the halves of a group.
double within_groups(const MaskSample& sample, std::int64_t width) {
  const std::int64_t half = width / 2;
  return covariance_of(
      sample, half, [&](std::int64_t k) { return k * width; },
      [&](std::int64_t k) { return k * width + half; });
}

std::optional<std::string> fixed_number(const MaskSample& sample,
                                        const std::vector<std::int64_t>& widths,
                                        const std::vector<double>& ratios) {
  std::size_t least = 0;
  for (std::size_t k = 1; k < ratios.size(); ++k) {
    if (ratios[k] < ratios[least] * 0.7) least = k;
  }
  if (ratios[least] > 0.3) return std::nullopt;
  return fmt::format(
      "every {} drops a fixed number of units, by sampling without replacement "
      "instead of independent decisions",
      group_words(sample, widths[least]));
}

/// Drops in groups vary too much, and groups do not depend on each other: the
/// narrowest such, if its halves depend on each other as they should.
std::optional<std::string> own_rates(const MaskSample& sample,
                                     const std::vector<std::int64_t>& widths,
                                     const std::vector<double>& ratios) {
  const double decisions = static_cast<double>(sample.drops.size());
  for (std::size_t k = 0; k < ratios.size(); ++k) {
    const double excess = ratios[k] - 1;
    const double noise =
        std::sqrt(static_cast<double>(widths[k]) * 2 / decisions);
    if (excess < 6 * noise) continue;
    // There must be a next group in a call, or none at all.
    if (2 * widths[k] > sample.units && widths[k] < sample.units) continue;
    if (between_groups(sample, widths[k]) > 0.15 * excess) continue;
    if (within_groups(sample, widths[k]) < 0.35 * excess) {
      return "drops come in clusters: neighbours depend on each other";
    }
    return fmt::format("every {} has a drop rate of its own",
                       group_words(sample, widths[k]));
  }
  return std::nullopt;
}

// Calls.

bool same_call(const MaskSample& sample, std::int64_t a, std::int64_t b) {
  const auto begin = sample.drops.begin();
  return std::equal(begin + a * sample.units, begin + (a + 1) * sample.units,
                    begin + b * sample.units);
}

std::optional<std::string> cycle_of_masks(const MaskSample& sample) {
  for (std::int64_t period = 1; period <= sample.calls / 2; ++period) {
    bool returns = true;
    for (std::int64_t t = period; returns && t < sample.calls; ++t) {
      returns = same_call(sample, t, t - period);
    }
    if (!returns) continue;
    return period == 1
               ? std::string(
                     "every call has the same mask: the stream starts anew in "
                     "each, or the mask is kept")
               : fmt::format("the same {} masks take turns for ever", period);
  }
  return std::nullopt;
}

std::optional<std::string> runs_of_masks(const MaskSample& sample) {
  std::int64_t length = 0;
  bool any = false;
  for (std::int64_t t = 1; t < sample.calls; ++t) {
    const bool same = same_call(sample, t, t - 1);
    any = any || same;
    if (!same) length = std::gcd(length, t);
  }
  if (!any || length < 2) return std::nullopt;
  return fmt::format("each mask serves {} calls in a row", length);
}

std::optional<std::string> pool_of_masks(const MaskSample& sample) {
  double same = 0;
  double pairs = 0;
  for (std::int64_t t = 1; t < std::min<std::int64_t>(sample.calls, 512); ++t) {
    for (std::int64_t k = 0; k < t; ++k) {
      same += same_call(sample, t, k) ? 1 : 0;
      pairs += 1;
    }
  }
  if (same < 4) return std::nullopt;
  return fmt::format("calls choose at random among about {:.0f} masks",
                     pairs / same);
}

std::optional<std::string> mirrored_calls(const MaskSample& sample) {
  const double p = sample.rate();
  Class inside;
  Class across;
  for (std::int64_t t = 1; t < sample.calls; ++t) {
    Class& pair = t % 2 == 1 ? inside : across;
    for (std::int64_t i = 0; i < sample.units; ++i) {
      pair.add(sample.drop(t - 1, i), sample.drop(t, i));
    }
  }
  if (!inside.excludes(p) || across.excludes(p)) return std::nullopt;
  return "calls 2t and 2t + 1 mirror each other, as if one had u and the other "
         "1 - u";
}

/// Units whose decision never changes from call to call.
std::optional<std::string> stale_units(const MaskSample& sample) {
  std::int64_t stale = 0;
  std::int64_t first = -1;
  std::int64_t last = -1;
  for (std::int64_t i = 0; i < sample.units; ++i) {
    bool same = true;
    for (std::int64_t t = 1; same && t < sample.calls; ++t) {
      same = sample.drop(t, i) == sample.drop(0, i);
    }
    if (!same) continue;
    ++stale;
    if (first < 0) first = i;
    last = i;
  }
  const double p = sample.rate();
  const double chance =
      std::pow(std::max(p, 1 - p), static_cast<double>(sample.calls - 1));
  if (stale < 2 || static_cast<double>(stale) <
                       2 + 20 * chance * static_cast<double>(sample.units)) {
    return std::nullopt;
  }
  return fmt::format(
      "{} of {} units keep one decision in all calls{}: part of the mask is "
      "never drawn anew",
      stale, sample.units,
      last - first + 1 == stale ? fmt::format(" (units {} to {})", first, last)
                                : "");
}

/// Correlation of a unit's decisions in calls `lag` apart, and its standard
/// error by how it varies from call to call: units of one call may depend on
/// each other.
struct CallCorrelation {
  double mean = 0;
  double error = 0;
};

CallCorrelation call_correlation(const MaskSample& sample, std::int64_t lag) {
  const double p = sample.rate();
  double sum = 0;
  double squares = 0;
  for (std::int64_t t = lag; t < sample.calls; ++t) {
    Class all;
    for (std::int64_t i = 0; i < sample.units; ++i) {
      all.add(sample.drop(t - lag, i), sample.drop(t, i));
    }
    const double here = (all.both / all.pairs - p * p) / (p * (1 - p));
    sum += here;
    squares += here * here;
  }
  const auto calls = static_cast<double>(sample.calls - lag);
  const double mean = sum / calls;
  const double variance = std::max(squares / calls - mean * mean, 0.0);
  return {mean, std::sqrt(variance / calls)};
}

std::optional<std::string> partly_repeated(const MaskSample& sample) {
  for (const std::int64_t lag : {1, 2, 3, 4}) {
    if (lag >= sample.calls) break;
    const auto [share, error] = call_correlation(sample, lag);
    if (share < std::max(6 * error, 0.005)) continue;
    return fmt::format(
        "as if a unit repeated its decision of {} before with probability "
        "{:.2g}",
        lag == 1 ? "the call" : fmt::format("{} calls", lag), share);
  }
  return std::nullopt;
}

bool constant(const MaskSample& sample) {
  const double p = sample.rate();
  return !(p > 0 && p < 1);
}

}  // namespace

std::optional<std::string> cause_of_pattern(const MaskSample& sample,
                                            std::int64_t lag,
                                            const PairCounts& pairs) {
  if (constant(sample) || lag >= sample.units) return std::nullopt;
  if (auto words = shared_groups(sample)) return words;
  if (auto words = tile(sample)) return words;
  if (auto words = pairs_of(sample, lag)) return words;
  if (auto words = moved_rows(sample, lag)) return words;
  const double p = rate_of({pairs.later, pairs.pairs});
  const double share = (rate_of(pairs.after_drop()) - p) / (1 - p);
  // The nearest lag may be the cause of this one.
  const double next = correlation(sample, 1);
  if (lag > 1 && next > 0.3 && std::pow(next, lag) > share / 2) {
    return repetition_words(next, 1);
  }
  if (share > 0) return repetition_words(share, lag);
  return "a drop makes the other one less likely: drops are spread out";
}

std::optional<std::string> cause_of_counts(const MaskSample& sample) {
  if (constant(sample)) return std::nullopt;
  if (auto words = shared_groups(sample)) return words;
  if (auto words = tile(sample)) return words;
  const std::vector<std::int64_t> widths = usual_widths(sample);
  std::vector<double> ratios;
  for (const std::int64_t width : widths) {
    ratios.push_back(dispersion_of(sample, width));
  }
  if (auto words = own_rates(sample, widths, ratios)) return words;
  return fixed_number(sample, widths, ratios);
}

std::optional<std::string> cause_of_calls(const MaskSample& sample) {
  if (constant(sample) || sample.calls < 4 ||
      !telling(sample, static_cast<double>(sample.units))) {
    return std::nullopt;
  }
  for (const auto cause : {cycle_of_masks, runs_of_masks, pool_of_masks,
                           mirrored_calls, stale_units, partly_repeated}) {
    if (auto words = cause(sample)) return words;
  }
  return std::nullopt;
}

}  // namespace dropcheck::properties
