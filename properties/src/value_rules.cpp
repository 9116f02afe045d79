#include "value_rules.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "dropcheck/stats/counts.hpp"
#include "structure_evidence.hpp"

namespace dropcheck::properties {
namespace {

using stats::Counts;

double log_likelihood(const Counts& counts) {
  const auto n = static_cast<double>(counts.n);
  const auto drops = static_cast<double>(counts.drops);
  double sum = 0;
  if (drops > 0) sum += drops * std::log(drops / n);
  if (drops < n) sum += (n - drops) * std::log((n - drops) / n);
  return sum;
}

std::string rate_words(const Counts& counts) {
  if (counts.drops == 0) return "never dropped";
  if (counts.drops == counts.n) return "always dropped";
  return fmt::format("dropped at {:.3g}", rate_of(counts));
}

struct Rule {
  double gain = 0;
  std::string words;
};

/// The best threshold on a key: decisions with a key below it against those
/// from it on. The odd side is the one that is decided by less chance.
void try_threshold(Rule& best, std::vector<std::pair<double, bool>> keyed,
                   const char* name) {
  std::sort(keyed.begin(), keyed.end());
  Counts all;
  for (const auto& [key, dropped] : keyed) all += {dropped ? 1U : 0U, 1};
  // ln of the likelihood gained by each cut, which falls before keyed[i].
  // Infinite between equal keys, where no cut can be.
  constexpr double kNoCut = std::numeric_limits<double>::infinity();
  std::vector<double> gains(keyed.size(), 0);
  Counts below;
  std::size_t cut = 0;
  const double cost = std::log(static_cast<double>(keyed.size())) + 2;
  for (std::size_t i = 1; i < keyed.size(); ++i) {
    below += {keyed[i - 1].second ? 1U : 0U, 1};
    if (keyed[i - 1].first == keyed[i].first) {
      gains[i] = kNoCut;
      continue;
    }
    const Counts above{all.drops - below.drops, all.n - below.n};
    gains[i] = log_likelihood(below) + log_likelihood(above) -
               log_likelihood(all) - cost;
    if (gains[i] > gains[cut]) cut = i;
  }
  if (cut == 0 || gains[cut] <= best.gain) return;
  const double largest = gains[cut];
  Counts first;
  for (std::size_t i = 0; i < cut; ++i) {
    first += {keyed[i].second ? 1U : 0U, 1};
  }
  const Counts second{all.drops - first.drops, all.n - first.n};
  // Cuts near it say nearly as much: the roundest number among them.
  constexpr double kAlike = 5;
  std::size_t lowest = cut;
  std::size_t highest = cut;
  while (lowest > 1 && gains[lowest - 1] > largest - kAlike) --lowest;
  while (highest + 1 < keyed.size() && gains[highest + 1] > largest - kAlike) {
    ++highest;
  }
  const double low = keyed[lowest - 1].first;
  const double high = keyed[highest].first;
  double border = high;
  for (int digits = 1; digits <= 6; ++digits) {
    const double rounded =
        std::stod(fmt::format("{:.{}g}", (low + high) / 2, digits));
    if (rounded > low && rounded <= high) {
      border = rounded;
      break;
    }
  }
  const auto certainty = [](const Counts& counts) {
    return std::abs(rate_of(counts) - 0.5);
  };
  const bool below_is_odd = certainty(first) > certainty(second);
  const auto side = [&](bool is_below) {
    const bool signs = low < 0 && high > 0;
    if (signs)
      return std::string(is_below ? "negative values" : "positive values");
    return fmt::format("values with {} {} {:.4g}", name,
                       is_below ? "<" : ">=", border);
  };
  best = {largest,
          fmt::format("{} are {}, the others are {}", side(below_is_odd),
                      rate_words(below_is_odd ? first : second),
                      rate_words(below_is_odd ? second : first))};
}

constexpr double kTelling = 12;  ///< nats

}  // namespace

std::optional<std::string> rule_of_values(std::span<const Decision> decisions) {
  Rule best;
  std::vector<std::pair<double, bool>> signed_values;
  std::vector<std::pair<double, bool>> magnitudes;
  for (const Decision& decision : decisions) {
    signed_values.emplace_back(decision.x, decision.dropped);
    magnitudes.emplace_back(std::abs(decision.x), decision.dropped);
  }
  try_threshold(best, std::move(signed_values), "x");
  try_threshold(best, std::move(magnitudes), "|x|");
  if (best.gain < kTelling) return std::nullopt;
  return best.words;
}

}  // namespace dropcheck::properties
