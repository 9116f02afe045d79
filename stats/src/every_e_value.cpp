#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <span>

#include "dropcheck/stats/beta_binomial.hpp"
#include "dropcheck/stats/betting.hpp"
#include "dropcheck/stats/binomial_tail.hpp"
#include "dropcheck/stats/calibration.hpp"
#include "dropcheck/stats/confidence.hpp"
#include "dropcheck/stats/context.hpp"
#include "dropcheck/stats/correlation.hpp"
#include "dropcheck/stats/dirichlet_multinomial.hpp"
#include "dropcheck/stats/dispersion.hpp"
#include "dropcheck/stats/fixed_n.hpp"
#include "dropcheck/stats/homogeneity.hpp"
#include "dropcheck/stats/lifetime.hpp"
#include "dropcheck/stats/p_values.hpp"
#include "dropcheck/stats/rare_events.hpp"
#include "dropcheck/stats/rate_claim.hpp"
#include "dropcheck/stats/robust_rate.hpp"
#include "dropcheck/stats/run_alarm.hpp"
#include "dropcheck/stats/shift_counts.hpp"

namespace dropcheck::stats {
namespace {

using Cases = std::vector<EValueCase>;

const std::vector<double> kAnyRate = {.02, .1, .3, .5, .9};

bool dropped(std::uint32_t mask, int i) { return (mask >> i) & 1U; }

int drops_in(std::uint32_t mask, int begin, int end) {
  const std::uint32_t below = (1U << end) - (1U << begin);
  return std::popcount(mask & below);
}

Counts counts_in(std::uint32_t mask, int begin, int end) {
  return {static_cast<std::uint64_t>(drops_in(mask, begin, end)),
          static_cast<std::uint64_t>(end - begin)};
}

// Context: the bit `lag` units earlier. First after a keep, then after a drop.
std::array<Counts, 2> lag_contexts(std::uint32_t mask, int n, int lag) {
  std::array<Counts, 2> contexts;
  for (int i = lag; i < n; ++i)
    contexts[dropped(mask, i - lag)] += {dropped(mask, i), 1};
  return contexts;
}

BinaryContexts binary_contexts(std::uint32_t mask, int n, int lag) {
  const auto [after_keep, after_drop] = lag_contexts(mask, n, lag);
  return {after_keep, after_drop};
}

// How many disjoint groups of `size` units have how many drops.
std::vector<std::uint64_t> group_histogram(std::uint32_t mask, int n,
                                           int size) {
  std::vector<std::uint64_t> histogram(static_cast<std::size_t>(size) + 1);
  for (int i = 0; i + size <= n; i += size)
    ++histogram[static_cast<std::size_t>(drops_in(mask, i, i + size))];
  return histogram;
}

void add_rates(Cases& cases) {
  for (const double p : kAnyRate)
    cases.push_back({"log_martingale",
                     [p](std::uint32_t mask, int n) {
                       return log_martingale(counts_in(mask, 0, n),
                                             prior_around(.3, 5), p);
                     },
                     {p},
                     true});
  cases.push_back(
      {"log_e_value of a rate claim",
       [](std::uint32_t mask, int n) {
         const RateClaim claim{.p0 = .3, .delta = .05, .declared = {.28, .33}};
         return log_e_value(claim, counts_in(mask, 0, n));
       },
       {.28, .3, .33}});
  cases.push_back(
      {"log_e_outside",
       [](std::uint32_t mask, int n) {
         const std::array sets = {Interval{.1, .2}, Interval{.7, .8}};
         return log_e_outside(sets, counts_in(mask, 0, n), prior_around(.3, 5));
       },
       {.1, .15, .7, .8}});
  cases.push_back({"log_likelihood_ratio",
                   [](std::uint32_t mask, int n) {
                     return log_likelihood_ratio(counts_in(mask, 0, n), .3, .5);
                   },
                   {.3},
                   true});
  cases.push_back({"lifetime_log_e_value",
                   [](std::uint32_t mask, int n) {
                     Lifetime lifetime = begin_lifetime({.subject = "s",
                                                         .build = "b",
                                                         .device = "d",
                                                         .configuration = "c",
                                                         .p0 = .3,
                                                         .kappa = 4,
                                                         .declared = {.3, .3}});
                     for (int i = 0; i < n; ++i) {
                       begin_night(lifetime, static_cast<std::uint64_t>(i));
                       record_night(lifetime, counts_in(mask, i, i + 1));
                     }
                     return lifetime_log_e_value(lifetime);
                   },
                   {.3},
                   true});
  cases.push_back({"log_rare_e_value",
                   [](std::uint32_t mask, int n) {
                     return log_rare_e_value(counts_in(mask, 0, n), 1e-3);
                   },
                   {1e-3},
                   true});
  cases.push_back({"log_rare_e_value below what is allowed",
                   [](std::uint32_t mask, int n) {
                     return log_rare_e_value(counts_in(mask, 0, n), 1e-3);
                   },
                   {1e-6, 5e-4}});
}

void add_bets(Cases& cases) {
  const auto bets_of = [](std::uint32_t mask, int n) {
    BettingMean bets;
    for (int i = 0; i < n; ++i) bets.add(dropped(mask, i));
    return bets;
  };
  cases.push_back({"BettingMean",
                   [bets_of](std::uint32_t mask, int n) {
                     return bets_of(mask, n).log_e_value({.3, .3});
                   },
                   {.3},
                   true});
  cases.push_back({"BettingMean against an interval",
                   [bets_of](std::uint32_t mask, int n) {
                     return bets_of(mask, n).log_e_value({.2, .4});
                   },
                   {.2, .25, .4}});
  cases.push_back({"log_betting_capital",
                   [](std::uint32_t mask, int n) {
                     std::vector<double> values;
                     for (int i = 0; i < n; ++i)
                       values.push_back(dropped(mask, i));
                     return log_betting_capital(values, .3, .8);
                   },
                   {.3},
                   true});
  cases.push_back(
      {"RobustRate",
       [](std::uint32_t mask, int n) {
         RobustRate calls({.p0 = .3, .delta = .05, .declared = {.3, .3}}, 3);
         for (int i = 0; i < n; i += 3) calls.add(counts_in(mask, i, i + 3));
         return calls.log_e_value();
       },
       {.3},
       true,
       12,
       3});
}

void add_contexts(Cases& cases) {
  const auto add = [&](const char* name, Interval null, int lag,
                       std::vector<double> rates, bool exact) {
    cases.push_back(
        {name,
         [null, lag](std::uint32_t mask, int n) {
           const std::array priors = {prior_around(.3, 4), prior_around(.3, 2)};
           return log_context_e_value(lag_contexts(mask, n, lag), priors, null);
         },
         std::move(rates), exact});
  };
  add("log_context_e_value at one rate", {.3, .3}, 1, {.3}, true);
  add("log_context_e_value at any rate", {0, 1}, 1, kAnyRate, false);
  add("log_context_e_value at lag 3", {.2, .4}, 3, {.2, .3, .4}, false);
  const auto correlation = [&](const char* name, Interval null,
                               std::vector<double> rates, bool exact) {
    cases.push_back(
        {name,
         [null](std::uint32_t mask, int n) {
           static const CorrelationTest kTest({.p0 = .3, .planned_n = 50});
           return kTest.log_e_value(binary_contexts(mask, n, 1), null);
         },
         std::move(rates), exact});
  };
  correlation("CorrelationTest at one rate", {.3, .3}, {.3}, true);
  correlation("CorrelationTest at any rate", {0, 1}, kAnyRate, false);
  cases.push_back({"log_difference_e_value",
                   [](std::uint32_t mask, int n) {
                     return log_difference_e_value(
                         binary_contexts(mask, n, 1),
                         {prior_around(.3, 4), prior_around(.3, 2)}, 0);
                   },
                   kAnyRate});
}

// A shift is a lag: counts of pairs, earlier and later drops and both.
ShiftCounts shift_of(std::uint32_t mask, int n, int shift) {
  ShiftCounts counts;
  for (int i = shift; i < n; ++i)
    counts += {1, dropped(mask, i - shift), dropped(mask, i),
               dropped(mask, i) && dropped(mask, i - shift)};
  return counts;
}

void add_shifts(Cases& cases) {
  cases.push_back({"shift_evidence",
                   [](std::uint32_t mask, int n) {
                     if (n < 4) return 0.0;
                     const std::array shifts = {shift_of(mask, n, 1),
                                                shift_of(mask, n, 2),
                                                shift_of(mask, n, 3)};
                     return shift_evidence(shifts, .3, {.3, .3}).log_e;
                   },
                   {.3},
                   false,
                   10,
                   5});
}

void add_groups(Cases& cases) {
  cases.push_back({"log_dirichlet_multinomial",
                   [](std::uint32_t mask, int n) {
                     const std::array theta = {.49, .42, .09};
                     return log_dirichlet_multinomial(
                         group_histogram(mask, n, 2), theta, 2.5);
                   },
                   {.3},
                   true,
                   12,
                   2});
  const auto add = [&](const char* name, Interval null,
                       std::vector<double> rates, bool exact) {
    cases.push_back({name,
                     [null](std::uint32_t mask, int n) {
                       return log_group_count_e_value(
                           group_histogram(mask, n, 3), .3, 2.5, null);
                     },
                     std::move(rates), exact, 12, 3});
  };
  add("log_group_count_e_value at one rate", {.3, .3}, {.3}, true);
  add("log_group_count_e_value at any rate", {0, 1}, kAnyRate, false);
  const auto dispersion = [&](const char* name, auto member, Interval null,
                              std::vector<double> rates, bool exact) {
    cases.push_back({name,
                     [member, null](std::uint32_t mask, int n) {
                       Dispersion groups(3, .3);
                       for (int i = 0; i < n; i += 3)
                         groups.add(counts_in(mask, i, i + 3).drops);
                       return (groups.*member)(null);
                     },
                     std::move(rates), exact, 12, 3});
  };
  dispersion("Dispersion, any law, at one rate",
             &Dispersion::log_any_law_e_value, {.3, .3}, {.3}, true);
  dispersion("Dispersion, any law, at any rate",
             &Dispersion::log_any_law_e_value, {0, 1}, kAnyRate, false);
  dispersion("Dispersion, own rates, at one rate",
             &Dispersion::log_own_rate_e_value, {.3, .3}, {.3}, true);
  dispersion("Dispersion, own rates, at any rate",
             &Dispersion::log_own_rate_e_value, {0, 1}, kAnyRate, false);
  dispersion("Dispersion at one rate", &Dispersion::log_e_value, {.3, .3}, {.3},
             true);
}

// Groups i, i + 4, i + 8: positions over calls of four units.
std::array<Counts, 4> positions(std::uint32_t mask, int n) {
  std::array<Counts, 4> groups;
  for (int i = 0; i < n; ++i)
    groups[static_cast<std::size_t>(i % 4)] += counts_in(mask, i, i + 1);
  return groups;
}

void add_homogeneity(Cases& cases) {
  cases.push_back({"log_homogeneity_e_value",
                   [](std::uint32_t mask, int n) {
                     return log_homogeneity_e_value(positions(mask, n), .3);
                   },
                   kAnyRate, false, 12, 4});
  cases.push_back({"log_homogeneity_jeffreys",
                   [](std::uint32_t mask, int n) {
                     return log_homogeneity_jeffreys(positions(mask, n));
                   },
                   kAnyRate, false, 12, 4});
}

// e-values of e-values, and of p-values.
void add_combinations(Cases& cases) {
  cases.push_back(
      {"log_run_e_value",
       [](std::uint32_t mask, int n) {
         const std::array priors = {prior_around(.3, 4), prior_around(.3, 4)};
         const std::array evidence = {
             WeightedEvidence{
                 log_martingale(counts_in(mask, 0, n), prior_around(.3, 5), .3),
                 .5},
             WeightedEvidence{log_context_e_value(lag_contexts(mask, n, 1),
                                                  priors, {.3, .3}),
                              .5}};
         return log_run_e_value(evidence);
       },
       {.3},
       true});
  // Not a process: at the one look of its plan.
  const auto p_value = [](std::uint32_t mask, int n) {
    return log_two_sided_p(static_cast<std::uint64_t>(drops_in(mask, 0, n)),
                           static_cast<std::uint64_t>(n), .3);
  };
  cases.push_back({"log_calibrated_e",
                   [p_value](std::uint32_t mask, int n) {
                     return log_calibrated_e(p_value(mask, n));
                   },
                   {.3},
                   false,
                   12,
                   12});
  cases.push_back({"log_calibrated_e at kappa 0.3",
                   [p_value](std::uint32_t mask, int n) {
                     return log_calibrated_e(p_value(mask, n), .3);
                   },
                   {.3},
                   false,
                   12,
                   12});
}

}  // namespace

std::vector<EValueCase> every_e_value() {
  Cases cases;
  add_rates(cases);
  add_bets(cases);
  add_contexts(cases);
  add_shifts(cases);
  add_groups(cases);
  add_homogeneity(cases);
  add_combinations(cases);
  return cases;
}

}  // namespace dropcheck::stats
