#include "place_causes.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <functional>
#include <numbers>
#include <vector>

#include "structure_evidence.hpp"

namespace dropcheck::properties {
namespace {

using stats::Counts;

/// ln of the likelihood of the counts at their own rate.
double log_likelihood(const Counts& counts) {
  const auto n = static_cast<double>(counts.n);
  const auto drops = static_cast<double>(counts.drops);
  const double kept = n - drops;
  double sum = 0;
  if (drops > 0) sum += drops * std::log(drops / n);
  if (kept > 0) sum += kept * std::log(kept / n);
  return sum;
}

Counts total_of(std::span<const Counts> places) {
  Counts all;
  for (const Counts& counts : places) all += counts;
  return all;
}

Counts without(const Counts& all, const Counts& part) {
  return {all.drops - part.drops, all.n - part.n};
}

/// "at 0.05", "never", "always".
std::string rate_words(const Counts& counts) {
  if (counts.drops == 0) return "never dropped";
  if (counts.drops == counts.n) return "always dropped";
  return fmt::format("dropped at {:.4g}", rate_of(counts));
}

/// One way to tell places apart, and how much it explains: nats gained over
/// one rate for all, less what choosing it costs.
struct Division {
  double gain = 0;
  std::string words;
};

/// Keeps the better one. Words are made for that only.
void offer(Division& best, double gain,
           const std::function<std::string()>& words) {
  if (gain > best.gain) best = {gain, words()};
}

double gain_of(const Counts& all, const Counts& part, double choices) {
  if (part.n == 0 || part.n == all.n) return 0;
  return log_likelihood(part) + log_likelihood(without(all, part)) -
         log_likelihood(all) - std::log(choices);
}

std::string two_rates(const std::string& these, const Counts& part,
                      const Counts& rest) {
  return fmt::format("{} are {}, the others are {}", these, rate_words(part),
                     rate_words(rest));
}

/// "; that is what vectors of 8 leave over", of the last units.
std::string tail_words(std::size_t size, std::size_t from) {
  for (const std::size_t width : {4U, 8U, 16U, 32U, 64U, 128U, 256U}) {
    if (size - from < width && size % width == size - from) {
      return fmt::format(", which is what vectors of {} leave over", width);
    }
  }
  return "";
}

/// What the places are called.
struct Noun {
  const char* one;
  const char* many;
};
constexpr Noun kUnit{"unit", "units"};
constexpr Noun kIndex{"index", "indices"};

std::string stretch_words(std::size_t begin, std::size_t end, std::size_t size,
                          const Noun& noun) {
  const std::size_t length = end - begin;
  if (begin == 0) {
    return length == 1 ? fmt::format("the first {}", noun.one)
                       : fmt::format("the first {} {}", length, noun.many);
  }
  if (end == size) {
    const std::string tail = tail_words(size, begin);
    if (length == 1) return fmt::format("the last {}{}", noun.one, tail);
    if (tail.empty() && 8 * length > size) {
      return fmt::format("{} from {} on", noun.many, begin);
    }
    if (tail.empty()) return fmt::format("the last {} {}", length, noun.many);
    return fmt::format("the last {} {}{},", length, noun.many, tail);
  }
  return length == 1 ? fmt::format("{} {}", noun.one, begin)
                     : fmt::format("{} {} to {}", noun.many, begin, end - 1);
}

std::string one_or_more(const std::string& these, std::size_t length,
                        const Counts& part, const Counts& rest) {
  if (length > 1) return two_rates(these, part, rest);
  return fmt::format("{} is {}, the others are {}", these, rate_words(part),
                     rate_words(rest));
}

/// All up to a place against all from there on.
void try_cuts(Division& best, std::span<const Counts> places, const Counts& all,
              const Noun& noun) {
  Counts before;
  double largest = 0;
  std::size_t cut = 0;
  for (std::size_t i = 0; i + 1 < places.size(); ++i) {
    before += places[i];
    const double gain =
        gain_of(all, before, static_cast<double>(places.size()));
    if (gain > largest) {
      largest = gain;
      cut = i + 1;
    }
  }
  if (cut == 0) return;
  const Counts first = total_of(places.first(cut));
  const Counts second = without(all, first);
  offer(best, largest, [&] {
    // The shorter side is the odd one.
    if (2 * cut <= places.size()) {
      return one_or_more(stretch_words(0, cut, places.size(), noun), cut, first,
                         second);
    }
    return one_or_more(stretch_words(cut, places.size(), places.size(), noun),
                       places.size() - cut, second, first);
  });
}

/// The stretch with the largest excess, or the largest lack, of drops.
void try_stretches(Division& best, std::span<const Counts> places,
                   const Counts& all) {
  const double rate = rate_of(all);
  const auto size = static_cast<double>(places.size());
  for (const double sign : {1.0, -1.0}) {
    double sum = 0;
    double largest = 0;
    std::size_t start = 0;
    std::size_t begin = 0;
    std::size_t end = 0;
    for (std::size_t i = 0; i < places.size(); ++i) {
      // Half of what it would be at the whole rate counts as none.
      const auto n = static_cast<double>(places[i].n);
      const double excess =
          sign * (static_cast<double>(places[i].drops) - rate * n) -
          0.25 * std::min(rate, 1 - rate) * n;
      if (sum <= 0) {
        sum = 0;
        start = i;
      }
      sum += excess;
      if (sum > largest) {
        largest = sum;
        begin = start;
        end = i + 1;
      }
    }
    if (begin == end) continue;
    const Counts part = total_of(places.subspan(begin, end - begin));
    const double gain = gain_of(all, part, size * size);
    offer(best, gain, [&] {
      return one_or_more(stretch_words(begin, end, places.size(), kUnit),
                         end - begin, part, without(all, part));
    });
  }
}

/// The first and the last so many against the rest.
void try_borders(Division& best, std::span<const Counts> places,
                 const Counts& all) {
  Counts border;
  double largest = 0;
  std::size_t width = 0;
  for (std::size_t i = 0; 2 * (i + 1) < places.size(); ++i) {
    border += places[i];
    border += places[places.size() - 1 - i];
    const double gain =
        gain_of(all, border, static_cast<double>(places.size()));
    if (gain <= largest) continue;
    largest = gain;
    width = i + 1;
  }
  if (width == 0) return;
  Counts part = total_of(places.first(width));
  part += total_of(places.last(width));
  offer(best, largest, [&] {
    return two_rates(
        width == 1 ? std::string("the first and the last unit")
                   : fmt::format("the first and the last {} units", width),
        part, without(all, part));
  });
}

/// One class of the places modulo a number against the others.
void try_lanes(Division& best, std::span<const Counts> places,
               const Counts& all) {
  std::vector<std::size_t> moduli;
  for (std::size_t modulus = 2; modulus <= 64; ++modulus) {
    moduli.push_back(modulus);
  }
  for (const std::size_t modulus : {128U, 256U, 512U, 1024U, 2048U, 4096U}) {
    moduli.push_back(modulus);
  }
  for (const std::size_t modulus : moduli) {
    if (2 * modulus > places.size()) break;
    std::vector<Counts> lanes(modulus);
    for (std::size_t i = 0; i < places.size(); ++i) {
      lanes[i % modulus] += places[i];
    }
    for (std::size_t lane = 0; lane < modulus; ++lane) {
      const double gain =
          gain_of(all, lanes[lane],
                  static_cast<double>(modulus) * static_cast<double>(modulus));
      offer(best, gain, [&] {
        const Counts& odd = lanes[lane];
        return modulus == 2
                   ? two_rates("units with an odd index", lanes[1], lanes[0])
                   : two_rates(fmt::format("units with index {} modulo {}",
                                           lane, modulus),
                               odd, without(all, odd));
      });
    }
  }
}

/// The axes of the grid: one index, or odd ones.
void try_axes(Division& best, std::span<const Counts> places, const Counts& all,
              const impl::Shape& grid) {
  std::size_t stride = places.size();
  for (std::size_t axis = 0; axis < grid.size(); ++axis) {
    const auto extent = static_cast<std::size_t>(grid[axis]);
    if (extent == 0) return;
    stride /= extent;
    if (extent < 2 || extent == places.size()) continue;
    std::vector<Counts> indices(extent);
    for (std::size_t i = 0; i < places.size(); ++i) {
      indices[i / stride % extent] += places[i];
    }
    for (std::size_t index = 0; index < extent; ++index) {
      offer(best, gain_of(all, indices[index], static_cast<double>(extent)),
            [&] {
              const std::string which = index == 0            ? ", the first,"
                                        : index + 1 == extent ? ", the last,"
                                                              : "";
              return two_rates(fmt::format("units with index {}{} of axis {}",
                                           index, which, axis),
                               indices[index], without(all, indices[index]));
            });
    }
    Counts odd;
    for (std::size_t index = 1; index < extent; index += 2) {
      odd += indices[index];
    }
    offer(best, gain_of(all, odd, 2), [&] {
      return two_rates(fmt::format("units with an odd index of axis {}", axis),
                       odd, without(all, odd));
    });
    Division along;
    try_cuts(along, indices, all, kIndex);
    if (along.gain > best.gain + 2) {
      best = {along.gain, fmt::format("along axis {}: {}", axis, along.words)};
    }
  }
}

/// ln of the likelihood of a rate in each place.
template <class Rate>
double log_likelihood_of(std::span<const Counts> places, const Rate& rate) {
  double sum = 0;
  for (std::size_t i = 0; i < places.size(); ++i) {
    const double p = std::clamp(rate(i), 1e-6, 1 - 1e-6);
    const auto drops = static_cast<double>(places[i].drops);
    const double kept = static_cast<double>(places[i].n) - drops;
    sum += drops * std::log(p) + kept * std::log1p(-p);
  }
  return sum;
}

/// A straight line through the rates, by least squares.
struct Trend {
  double begin = 0;
  double end = 0;
  double gain = 0;
};

Trend trend_of(std::span<const Counts> places, const Counts& all) {
  const auto size = static_cast<double>(places.size());
  const double middle = (size - 1) / 2;
  const double mean = rate_of(all);
  double product = 0;
  double square = 0;
  for (std::size_t i = 0; i < places.size(); ++i) {
    const auto n = static_cast<double>(places[i].n);
    const double place = static_cast<double>(i) - middle;
    product += place * (static_cast<double>(places[i].drops) - mean * n);
    square += place * place * n;
  }
  if (!(square > 0)) return {};
  const double slope = product / square;
  const auto rate = [&](std::size_t i) {
    return mean + slope * (static_cast<double>(i) - middle);
  };
  return {rate(0), rate(places.size() - 1),
          log_likelihood_of(places, rate) - log_likelihood(all) - 1};
}

void try_trend(Division& best, std::span<const Counts> places,
               const Counts& all, const char* along) {
  const Trend trend = trend_of(places, all);
  // A step explains a slope nearly as well: it must not take its place.
  offer(best, trend.gain, [&] {
    return fmt::format("the rate {} {}, from {:.3g} to {:.3g}",
                       trend.end > trend.begin ? "rises" : "falls", along,
                       std::max(trend.begin, 0.0), std::min(trend.end, 1.0));
  });
}

/// A rate that jumps, in decisions, which is what a schedule goes by.
void try_cut_in_time(Division& best, std::span<const Counts> parts,
                     const Counts& all, double decisions) {
  Counts before;
  for (std::size_t i = 0; i + 1 < parts.size(); ++i) {
    before += parts[i];
    const Counts first = before;
    offer(best, gain_of(all, first, static_cast<double>(parts.size())), [&] {
      return fmt::format(
          "the first {:.2g} decisions are {}, those after them are {}",
          static_cast<double>(i + 1) * decisions, rate_words(first),
          rate_words(without(all, first)));
    });
  }
}

/// A rate that swings, with 1 to size / 4 periods.
void try_swings(Division& best, std::span<const Counts> parts,
                const Counts& all, double decisions) {
  const auto size = static_cast<double>(parts.size());
  const double mean = rate_of(all);
  for (double periods = 1; periods <= size / 4; periods += 0.5) {
    double cosine = 0;
    double sine = 0;
    const auto phase = [&](std::size_t i) {
      return 2 * std::numbers::pi * periods * (static_cast<double>(i) + 0.5) /
             size;
    };
    for (std::size_t i = 0; i < parts.size(); ++i) {
      const double off = rate_of(parts[i]) - mean;
      cosine += 2 / size * off * std::cos(phase(i));
      sine += 2 / size * off * std::sin(phase(i));
    }
    const auto rate = [&](std::size_t i) {
      return mean + cosine * std::cos(phase(i)) + sine * std::sin(phase(i));
    };
    const double gain =
        log_likelihood_of(parts, rate) - log_likelihood(all) - std::log(size);
    offer(best, gain, [&] {
      return fmt::format(
          "the rate swings by {:.2g} up and down with a period of about {:.2g} "
          "decisions",
          std::hypot(cosine, sine), decisions * size / periods);
    });
  }
}

/// A rate that moves from one value to another, and stays there.
void try_ramps(Division& best, std::span<const Counts> parts, const Counts& all,
               double decisions) {
  for (std::size_t cut = parts.size() / 8; cut < parts.size(); ++cut) {
    const auto ramp = parts.first(cut);
    const auto rest = parts.subspan(cut);
    const Counts before = total_of(ramp);
    const Counts after = total_of(rest);
    const Trend trend = trend_of(ramp, before);
    // A ramp ends where it stays: else it is a step that is taken for one.
    if (std::abs(trend.end - rate_of(after)) >
        0.35 * std::abs(trend.end - trend.begin)) {
      continue;
    }
    const double gain = trend.gain + log_likelihood(before) +
                        log_likelihood(after) - log_likelihood(all) -
                        std::log(static_cast<double>(parts.size())) - 2;
    offer(best, gain, [&] {
      return fmt::format(
          "the rate {} from {:.3g} to {:.3g} during the first {:.2g} "
          "decisions, and stays there",
          trend.end > trend.begin ? "rises" : "falls",
          std::max(trend.begin, 0.0), std::min(trend.end, 1.0),
          static_cast<double>(cut) * decisions);
    });
  }
}

constexpr double kTelling = 10;  ///< nats

std::optional<std::string> words_of(const Division& best) {
  if (best.gain < kTelling) return std::nullopt;
  return best.words;
}

}  // namespace

std::optional<std::string> cause_of_places(std::span<const Counts> units,
                                           const impl::Shape& grid) {
  if (units.size() < 2) return std::nullopt;
  const Counts all = total_of(units);
  Division best;
  try_cuts(best, units, all, kUnit);
  try_stretches(best, units, all);
  try_borders(best, units, all);
  try_lanes(best, units, all);
  try_axes(best, units, all, grid);
  try_trend(best, units, all, "along the tensor");
  return words_of(best);
}

std::optional<std::string> cause_of_drift(std::span<const Counts> parts,
                                          double decisions) {
  if (parts.size() < 8) return std::nullopt;
  const Counts all = total_of(parts);
  Division best;
  try_cut_in_time(best, parts, all, decisions);
  try_trend(best, parts, all, "while the layer is used");
  try_swings(best, parts, all, decisions);
  try_ramps(best, parts, all, decisions);
  return words_of(best);
}

}  // namespace dropcheck::properties
