#include "dropcheck/stats/operating_characteristics.hpp"

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "require.hpp"
#include "special.hpp"

namespace dropcheck::stats {
namespace {

// A term that cannot matter, however many there are.
constexpr double kNegligible = 1e-32;

// Probabilities of the drops first, first + 1, ...
struct Law {
  std::uint64_t first = 0;
  std::vector<double> mass{1.0};

  void trim() {
    const auto matters = [](double m) { return m >= kNegligible; };
    const auto begin = std::find_if(mass.begin(), mass.end(), matters);
    const auto end = std::find_if(mass.rbegin(), mass.rend(), matters).base();
    if (begin >= end) {
      mass.clear();
      return;
    }
    first += static_cast<std::uint64_t>(begin - mass.begin());
    mass = std::vector<double>(begin, end);
  }
};

Law binomial(std::uint64_t n, double rate) {
  const BinomialLaw law{as_double(n), rate, 1 - rate};
  const double deviation = std::sqrt(law.n * law.p * law.q);
  // Bernstein: beyond, less than exp(-74) = 1e-32 is left.
  const double reach = 13 * deviation + 50;
  const double mean = law.n * rate;
  Law result{static_cast<std::uint64_t>(std::max(0.0, mean - reach)), {}};
  const double last = std::min(law.n, std::ceil(mean + reach));
  for (double k = as_double(result.first); k <= last; ++k)
    result.mass.push_back(std::exp(log_binomial_mass(k, law)));
  result.trim();
  return result;
}

Law sum(const Law& a, const Law& b) {
  Law result{a.first + b.first, {}};
  if (a.mass.empty()) return result;
  result.mass.assign(a.mass.size() + b.mass.size() - 1, 0.0);
  for (std::size_t j = 0; j < b.mass.size(); ++j)
    for (std::size_t i = 0; i < a.mass.size(); ++i)
      result.mass[i + j] += a.mass[i] * b.mass[j];
  result.trim();
  return result;
}

// Takes what lies in [from, to] out of the law.
double absorb(Law& law, std::int64_t from, std::int64_t to) {
  const auto first = static_cast<std::int64_t>(law.first);
  const auto size = static_cast<std::int64_t>(law.mass.size());
  double absorbed = 0;
  for (std::int64_t k = std::max(from, first);
       k <= std::min(to, first + size - 1); ++k)
    absorbed +=
        std::exchange(law.mass[static_cast<std::size_t>(k - first)], 0.0);
  return absorbed;
}

double total(const Law& law) {
  double all = 0;
  for (const double m : law.mass) all += m;
  return all;
}

}  // namespace

OperatingCharacteristics operating_characteristics(
    const RateClaim& claim, std::span<const std::uint64_t> looks, double rate) {
  validate(claim);
  return operating_characteristics(
      [&](std::uint64_t n) { return boundaries(claim, n); }, looks, rate);
}

OperatingCharacteristics operating_characteristics(
    const std::function<Boundaries(std::uint64_t n)>& boundaries_at,
    std::span<const std::uint64_t> looks, double rate) {
  require_inner_probability(rate, "rate");
  OperatingCharacteristics result;
  Law open;
  std::uint64_t n = 0;
  for (const std::uint64_t look : looks) {
    require_shape(look > n, "look", look, "above the look before it");
    result.expected_n += total(open) * as_double(look - n);
    open = sum(open, binomial(look - n, rate));
    n = look;
    const Boundaries b = boundaries_at(n);
    const auto all = static_cast<std::int64_t>(n);
    result.refuted += absorb(open, 0, b.refute_at_most) +
                      absorb(open, b.refute_at_least, all);
    result.certified += absorb(open, b.certify_first, b.certify_last);
    open.trim();
  }
  result.undecided = total(open);
  return result;
}

}  // namespace dropcheck::stats
