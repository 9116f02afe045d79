#include "dropcheck/stats/granularity.hpp"

#include <cmath>
#include <numbers>

#include "require.hpp"
#include "special.hpp"

namespace dropcheck::stats {
namespace {

// ln(p^2 + q^2) = ln(1 - 2pq), exact for small p too.
double log_agreement(double p) {
  require_inner_probability(p, "p");
  return std::log1p(-2 * p * (1 - p));
}

std::uint64_t round_up(double value) {
  require(value < 0x1p63, "number needed", value, "below 2^63");
  return static_cast<std::uint64_t>(std::ceil(value));
}

}  // namespace

double log_chance_identical(double p, std::uint64_t decisions) {
  return as_double(decisions) * log_agreement(p);
}

std::uint64_t signature_calls(std::uint64_t elements, double p,
                              double log_inverse_eps) {
  require(elements >= 2, "elements", as_double(elements), "at least 2");
  require_positive(log_inverse_eps, "log_inverse_eps");
  const double log_pairs =
      2 * std::log(as_double(elements)) - std::numbers::ln2;
  return round_up((log_pairs + log_inverse_eps) / -log_agreement(p));
}

std::uint64_t overlap_window_bits(double log_pairs, double log_inverse_eps,
                                  double p) {
  require(log_pairs >= 0, "log_pairs", log_pairs, "at least 0");
  require_positive(log_inverse_eps, "log_inverse_eps");
  return round_up((log_pairs + log_inverse_eps) / -log_agreement(p));
}

std::uint64_t constant_lines(std::uint64_t length, double p,
                             double log_inverse_eps) {
  require(length >= 2, "length", as_double(length), "at least 2");
  require_inner_probability(p, "p");
  require_positive(log_inverse_eps, "log_inverse_eps");
  const double size = as_double(length);
  const double log_constant =
      log_add(size * std::log(p), size * std::log1p(-p));
  return round_up(log_inverse_eps / -log_constant);
}

}  // namespace dropcheck::stats
