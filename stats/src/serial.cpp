#include "dropcheck/stats/serial.hpp"

#include <array>
#include <cmath>
#include <numbers>

#include "dropcheck/stats/binomial_tail.hpp"
#include "require.hpp"
#include "special.hpp"

namespace dropcheck::stats {
namespace {

Diagnostic normal(std::string name, double difference, double variance) {
  return {.name = std::move(name),
          .statistic = difference / std::sqrt(variance),
          .log10_p = two_sided_log10_p(difference / std::sqrt(variance)),
          .note = "asymptotic: the normal tail is not exact at 1e-9"};
}

// The statistic is a number of fair coins among `counts.n`.
Diagnostic fair_coins(Diagnostic test, const Counts& counts) {
  test.log10_p =
      log_two_sided_p(counts.drops, counts.n, 0.5) / std::numbers::ln10;
  test.valid_at_level = true;
  test.note = "exact binomial at p = 0.5";
  return test;
}

}  // namespace

Diagnostic lag_sum_test(const TwoByTwo& pairs, double p) {
  require_inner_probability(p, "p");
  const std::array cells = {pairs.dropped_dropped, pairs.dropped_kept,
                            pairs.kept_dropped, pairs.kept_kept};
  const std::uint64_t n = require_total(cells);
  require(n >= 1, "number of pairs", as_double(n), "at least 1");
  const double q = 1 - p;
  const double unlike = as_double(pairs.dropped_kept + pairs.kept_dropped);
  const double sum = as_double(pairs.dropped_dropped) * q * q - unlike * p * q +
                     as_double(pairs.kept_kept) * p * p;
  Diagnostic test = normal("lag sum", sum, as_double(n) * p * p * q * q);
  if (p != 0.5) return test;
  return fair_coins(std::move(test),
                    {pairs.dropped_dropped + pairs.kept_kept, n});
}

Diagnostic transitions_test(const Transitions& transitions, double p) {
  require_inner_probability(p, "p");
  const auto [changes, n] = transitions;
  require_size(n, "n");
  require(n >= 2, "n", as_double(n), "at least 2");
  require(changes < n, "changes", as_double(changes), "below n");
  const double pq = p * (1 - p);
  const double places = as_double(n - 1);
  const double variance =
      places * 2 * pq * (1 - 2 * pq) + 2 * (places - 1) * pq * (1 - 4 * pq);
  Diagnostic test =
      normal("transitions", as_double(changes) - places * 2 * pq, variance);
  if (p != 0.5) return test;
  return fair_coins(std::move(test), {changes, n - 1});
}

}  // namespace dropcheck::stats
