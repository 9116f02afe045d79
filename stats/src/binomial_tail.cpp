#include "dropcheck/stats/binomial_tail.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

#include "incomplete_beta.hpp"
#include "require.hpp"
#include "search.hpp"
#include "special.hpp"

namespace dropcheck::stats {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

// Beyond it Boost loses digits (1e-9 of them at n = 1e8), grows slow, and at
// n = 1e12 returns 1.
constexpr double kBoostReaches = 1e4;

// For 1 <= k <= n in the upper half.
double checked_tail(double k, const BinomialLaw& law) {
  if (k == law.n) return log_binomial_mass(k, law);
  const Interval bounds = sandwich(k, law);
  const auto own = [&] { return own_log_tail(k, law); };
  if (law.n > kBoostReaches) return first_within(bounds, own);
  return first_within(
      bounds, [&] { return log_tail_by_boost(k, law); }, own);
}

double log_tail(double k, const BinomialLaw& law) {
  if (k <= 0) return 0;
  if (k > law.n || law.p == 0) return -kInfinity;
  if (law.q == 0) return 0;
  if (in_upper_half(k, law)) return checked_tail(k, law);
  const BinomialLaw mirror{law.n, law.q, law.p};
  return std::min(0.0, log_complement(checked_tail(law.n - k + 1, mirror)));
}

BinomialLaw require_law(std::uint64_t n, double p) {
  require_probability(p, "p");
  require_size(n, "n");
  return {as_double(n), p, 1 - p};
}

double mass_at(double k, const BinomialLaw& law) {
  if (k > law.n) return -kInfinity;
  if (law.p == 0) return k == 0 ? 0 : -kInfinity;
  if (law.q == 0) return k == law.n ? 0 : -kInfinity;
  return log_binomial_mass(k, law);
}

// Between the two the tails meet near one half, and the lower is cheaper as
// what the upper leaves.
double log_smaller_tail(std::uint64_t k, std::uint64_t n,
                        const BinomialLaw& law) {
  const double excess = binomial_excess(as_double(k), law);
  if (excess <= -1) return log_lower_tail(k, n, law.p);
  const double upper = log_tail(as_double(k), law);
  if (excess >= 1) return upper;
  return std::min(upper,
                  log_add(log_complement(upper), mass_at(as_double(k), law)));
}

}  // namespace

double log_upper_tail(std::uint64_t k, std::uint64_t n, double p) {
  return log_tail(as_double(k), require_law(n, p));
}

double log_lower_tail(std::uint64_t k, std::uint64_t n, double p) {
  const BinomialLaw law = require_law(n, p);
  if (k >= n) return 0;
  return log_tail(as_double(n - k), {law.n, law.q, law.p});
}

double log_mass(std::uint64_t k, std::uint64_t n, double p) {
  return mass_at(as_double(k), require_law(n, p));
}

double log_two_sided_p(std::uint64_t k, std::uint64_t n, double p) {
  const BinomialLaw law = require_law(n, p);
  require_counts({k, n});
  return std::min(0.0, std::numbers::ln2 + log_smaller_tail(k, n, law));
}

double log_randomised_p(const Counts& counts, double p, double u) {
  require_counts(counts);
  require_probability(u, "u");
  const double beyond = log_upper_tail(counts.drops + 1, counts.n, p);
  return log_add(beyond, std::log(u) + log_mass(counts.drops, counts.n, p));
}

Interval zubkov_serov_log_upper(std::uint64_t k, std::uint64_t n, double p) {
  const BinomialLaw law = require_law(n, p);
  require_inner_probability(p, "p");
  require(k >= 1 && k <= n, "k", as_double(k), "in [1, n]");
  return sandwich(as_double(k), law);
}

std::uint64_t upper_critical_count(std::uint64_t n, double p,
                                   double log_alpha) {
  require(log_alpha < 0, "log_alpha", log_alpha, "below 0");
  return first_true(
      n, [&](std::uint64_t k) { return log_upper_tail(k, n, p) <= log_alpha; });
}

std::int64_t lower_critical_count(std::uint64_t n, double p, double log_alpha) {
  require(log_alpha < 0, "log_alpha", log_alpha, "below 0");
  const std::uint64_t beyond = first_true(
      n, [&](std::uint64_t k) { return log_lower_tail(k, n, p) > log_alpha; });
  return static_cast<std::int64_t>(beyond) - 1;
}

}  // namespace dropcheck::stats
