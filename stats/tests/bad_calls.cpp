#include "bad_calls.hpp"

#include <array>
#include <cmath>
#include <cstdint>
#include <limits>
#include <utility>
#include <vector>

#include "dropcheck/stats/beta_binomial.hpp"
#include "dropcheck/stats/betting.hpp"
#include "dropcheck/stats/binomial_tail.hpp"
#include "dropcheck/stats/calibration.hpp"
#include "dropcheck/stats/chi_square.hpp"
#include "dropcheck/stats/clopper_pearson.hpp"
#include "dropcheck/stats/confidence.hpp"
#include "dropcheck/stats/context.hpp"
#include "dropcheck/stats/correlation.hpp"
#include "dropcheck/stats/dirichlet_multinomial.hpp"
#include "dropcheck/stats/dispersion.hpp"
#include "dropcheck/stats/fixed_n.hpp"
#include "dropcheck/stats/granularity.hpp"
#include "dropcheck/stats/half_widths.hpp"
#include "dropcheck/stats/homogeneity.hpp"
#include "dropcheck/stats/kl.hpp"
#include "dropcheck/stats/lifetime.hpp"
#include "dropcheck/stats/look_schedule.hpp"
#include "dropcheck/stats/moments.hpp"
#include "dropcheck/stats/normal_law.hpp"
#include "dropcheck/stats/operating_characteristics.hpp"
#include "dropcheck/stats/p_values.hpp"
#include "dropcheck/stats/rare_events.hpp"
#include "dropcheck/stats/rate_claim.hpp"
#include "dropcheck/stats/robust_rate.hpp"
#include "dropcheck/stats/run_alarm.hpp"
#include "dropcheck/stats/selu.hpp"
#include "dropcheck/stats/serial.hpp"
#include "dropcheck/stats/shift_counts.hpp"

namespace dropcheck::stats {
namespace {

constexpr std::uint64_t kTooMany = std::uint64_t{1} << 63;
constexpr std::array kCells = {std::uint64_t{40}, std::uint64_t{60}};
constexpr std::array kHalves = {.5, .5};
constexpr std::array kPriors = {BetaPrior{1, 1}, BetaPrior{1, 1}};

RateClaim claim() { return {.p0 = .3, .delta = .05, .declared = {.3, .3}}; }

LifetimeTerms terms() {
  return {.subject = "s",
          .build = "b",
          .device = "d",
          .configuration = "c",
          .p0 = .3,
          .kappa = 4,
          .declared = {.3, .3}};
}

EValueCase small_case(int units, int step, std::vector<double> rates) {
  return {.name = "one",
          .log_e = [](std::uint32_t, int) { return 0.0; },
          .rates = std::move(rates),
          .units = units,
          .step = step};
}

CorrelationTest correlation() { return CorrelationTest({.3, 50}); }

}  // namespace

std::vector<CountsParameter> counts_parameters() {
  return {
      {"log_martingale",
       [](const Counts& c) {
         log_martingale(c, {1, 1}, .3);
       }},
      {"confidence_sequence",
       [](const Counts& c) {
         confidence_sequence(c, {1, 1}, 9);
       }},
      {"decide", [](const Counts& c) { decide(claim(), c); }},
      {"decide on rare events",
       [](const Counts& c) { decide(RareClaim{.bound = 1e-3}, c); }},
      {"log_e_value", [](const Counts& c) { log_e_value(claim(), c); }},
      {"log_e_outside",
       [](const Counts& c) {
         log_e_outside({}, c, {1, 1});
       }},
      {"certified_inside",
       [](const Counts& c) {
         certified_inside({}, c, {1, 1}, .1);
       }},
      {"clopper_pearson", [](const Counts& c) { clopper_pearson(c, .1); }},
      {"log_randomised_p",
       [](const Counts& c) { log_randomised_p(c, .3, .5); }},
      {"log_two_sided_p",
       [](const Counts& c) { log_two_sided_p(c.drops, c.n, .3); }},
      {"log_likelihood_ratio",
       [](const Counts& c) { log_likelihood_ratio(c, .3, .4); }},
      {"log_rare_e_value", [](const Counts& c) { log_rare_e_value(c, 1e-3); }},
      {"log_context_e_value",
       [](const Counts& c) {
         log_context_e_value(std::array{c, Counts{}}, kPriors, {0, 1});
       }},
      {"CorrelationTest",
       [](const Counts& c) {
         correlation().log_e_value({c, {}}, {0, 1});
       }},
      {"CorrelationTest, one parameter",
       [](const Counts& c) {
         correlation().log_one_parameter_e_value({{}, c}, {0, 1});
       }},
      {"log_difference_e_value",
       [](const Counts& c) {
         log_difference_e_value({c, {}}, kPriors, 0);
       }},
      {"rate_difference",
       [](const Counts& c) {
         rate_difference({c, {1, 2}}, kPriors, 9);
       }},
      {"simultaneous_rates",
       [](const Counts& c) {
         simultaneous_rates(std::array{c}, BetaPrior{1, 1}, 9);
       }},
      {"log_homogeneity_e_value",
       [](const Counts& c) { log_homogeneity_e_value(std::array{c}, .3); }},
      {"log_homogeneity_jeffreys",
       [](const Counts& c) { log_homogeneity_jeffreys(std::array{c}); }},
      {"homogeneity_chi_square",
       [](const Counts& c) { homogeneity_chi_square(std::array{c}, .1); }},
      {"RobustRate::add",
       [](const Counts& c) { RobustRate(claim(), 9).add(c); }},
      {"record_night", [](const Counts& c) {
         Lifetime lifetime = begin_lifetime(terms());
         begin_night(lifetime, 1);
         record_night(lifetime, c);
       }}};
}

std::vector<RatesParameter> rates_parameters() {
  return {
      {"log_context_e_value", "null_rates",
       [](const Interval& r) {
         log_context_e_value(std::array{Counts{1, 2}, Counts{}}, kPriors, r);
       }},
      {"log_group_count_e_value", "null_rates",
       [](const Interval& r) { log_group_count_e_value(kCells, .3, 9, r); }},
      {"CorrelationTest", "null_rates",
       [](const Interval& r) {
         correlation().log_e_value({{1, 2}, {1, 2}}, r);
       }},
      {"shift_evidence", "null_rates",
       [](const Interval& r) {
         shift_evidence(std::array{ShiftCounts{10, 3, 3, 1}}, .3, r);
       }},
      {"log_cell_e_value", "null_rates",
       [](const Interval& r) {
         const CountCells cells(1, .5);
         const std::vector<std::uint64_t> counts(cells.number(), 0);
         log_cell_e_value(counts, {}, cells, r);
       }},
      {"log_any_law_e_value", "null_rates",
       [](const Interval& r) { Dispersion(9, .3).log_any_law_e_value(r); }},
      {"log_own_rate_e_value", "null_rates",
       [](const Interval& r) { Dispersion(9, .3).log_own_rate_e_value(r); }},
      {"log_e_outside", "null_rates",
       [](const Interval& r) {
         log_e_outside(std::array{r}, {1, 2}, {1, 1});
       }},
      {"certified_inside", "rates",
       [](const Interval& r) {
         certified_inside(std::array{r}, {1, 2}, {1, 1}, .1);
       }},
      {"validate", "declared",
       [](const Interval& r) {
         validate({.p0 = .3, .delta = .05, .declared = r});
       }},
      {"begin_lifetime", "declared", [](const Interval& r) {
         LifetimeTerms bad = terms();
         bad.declared = r;
         begin_lifetime(bad);
       }}};
}

std::vector<BadCall> bad_calls() {
  const std::array huge = {kTooMany - 1, kTooMany - 1};
  const std::array third = {.2, .3, .5};
  const std::array no_law = {.5, .6};
  return {
      {"log_upper_tail", "n", [] { log_upper_tail(1, kTooMany, .3); }},
      {"log_lower_tail", "n", [] { log_lower_tail(1, kTooMany, .3); }},
      {"log_mass", "n", [] { log_mass(1, kTooMany, .3); }},
      {"log_bentkus_tail", "n", [] { log_bentkus_tail(1, kTooMany, .3); }},
      {"zubkov_serov_log_upper", "k", [] { zubkov_serov_log_upper(0, 9, .3); }},
      {"upper_critical_count", "n",
       [] { upper_critical_count(kTooMany, .3, -1); }},
      {"upper_critical_count", "log_alpha",
       [] { upper_critical_count(9, .3, 0); }},
      {"lower_critical_count", "log_alpha",
       [] { lower_critical_count(9, .3, std::nan("")); }},
      {"wald_lower_bound", "p",
       [] {
         wald_lower_bound(.3, .3, {.1, .1});
       }},
      {"bd0", "x", [] { bd0(-1, 1); }},
      {"bd0", "m", [] { bd0(1, std::nan("")); }},
      {"tost_region", "n",
       [] {
         tost_region({.3, .1}, kTooMany);
       }},
      {"tost_region", "delta",
       [] {
         tost_region({.3, .4}, 9);
       }},
      {"tost_sample_size", "number needed",
       [] {
         tost_sample_size({.5, 1e-9}, 1e-9);
       }},
      {"hoeffding_half_width", "n", [] { hoeffding_half_width(0, .1); }},
      {"bernstein_half_width", "n", [] { bernstein_half_width(0, .1, .1); }},
      {"maurer_pontil_half_width", "n",
       [] { maurer_pontil_half_width(1, .1, .1); }},
      {"log_bonferroni", "number of p-values", [] { log_bonferroni({}); }},
      {"log_holm", "log_p", [] { log_holm(std::array{1.0}); }},
      {"log_fisher", "log_p", [] { log_fisher(std::array{std::nan("")}); }},
      {"log_harmonic_mean", "log_p", [] { log_harmonic_mean(std::array{.1}); }},
      {"log_calibrated_e", "log_p", [] { log_calibrated_e(.1); }},
      {"boundaries", "n", [] { boundaries(claim(), kTooMany); }},
      {"validate", "delta", [] { validate({.p0 = .1, .delta = .021}); }},
      {"validate", "weight",
       [] { validate({.p0 = .3, .delta = .05, .weight = 1.1}); }},
      {"validate of a rare claim", "bound",
       [] { validate(RareClaim{.allowed = .1, .bound = .1}); }},
      {"operating_characteristics", "look",
       [] {
         operating_characteristics(
             claim(), std::array{std::uint64_t{9}, std::uint64_t{9}}, .3);
       }},
      {"n_max", "n", [] { n_max(.3, 1e-12); }},
      {"look_schedule", "n_max", [] { look_schedule(0, 1); }},
      {"look_schedule", "n_max", [] { look_schedule(kTooMany, 1); }},
      {"look_schedule", "first", [] { look_schedule(9, std::nan("")); }},
      {"look_schedule", "factor", [] { look_schedule(9, 1, 1.0000001); }},
      {"open_ended_share", "index", [] { open_ended_share(0); }},
      {"log_run_e_value", "sum of weights",
       [] {
         log_run_e_value(
             std::array{WeightedEvidence{0, .6}, WeightedEvidence{0, .6}});
       }},
      {"claim_refuted", "log_e", [] { claim_refuted(std::nan(""), 1, .1); }},
      {"log_context_e_value", "number of priors",
       [] {
         log_context_e_value(std::array{Counts{}}, kPriors, {0, 1});
       }},
      {"log_context_e_value", "sum of n",
       [] {
         const Counts most{0, kTooMany - 1};
         log_context_e_value(std::array{most, most}, kPriors, {0, 1});
       }},
      {"BettingMean", "range.lower",
       [] {
         BettingMean({1, 1});
       }},
      {"BettingMean::log_e_value", "null_mean.lower",
       [] {
         BettingMean().log_e_value({.5, .4});
       }},
      {"BettingMean::confidence_sequence", "log_inverse_alpha",
       [] { BettingMean().confidence_sequence(0); }},
      {"RobustRate::confidence_sequence", "log_inverse_alpha",
       [] { RobustRate(claim(), 9).confidence_sequence(0); }},
      {"RobustRate::add", "n",
       [] {
         RobustRate(claim(), 9).add({0, 0});
       }},
      {"RobustRate::merge", "units_per_call",
       [] { RobustRate(claim(), 9).merge(RobustRate(claim(), 8)); }},
      {"Dispersion::add", "drops", [] { Dispersion(9, .3).add(10); }},
      {"Dispersion::merge", "group_size",
       [] { Dispersion(9, .3).merge(Dispersion(8, .3)); }},
      {"CountCells", "group_size", [] { CountCells(0, .3); }},
      {"simultaneous_rates", "number of priors",
       [] { simultaneous_rates(std::array{Counts{}}, kPriors, 9); }},
      {"cell_probabilities", "number of theta",
       [=] { cell_probabilities(kCells, third, 9, 9); }},
      {"log_dirichlet_multinomial", "number of theta",
       [=] { log_dirichlet_multinomial(kCells, third, 9); }},
      {"log_dirichlet_multinomial", "sum of theta",
       [=] { log_dirichlet_multinomial(kCells, no_law, 9); }},
      {"log_dirichlet_multinomial", "sum of counts",
       [=] { log_dirichlet_multinomial(huge, kHalves, 9); }},
      {"log_group_count_e_value", "number of cells",
       [] {
         log_group_count_e_value({}, .3, 9, {0, 1});
       }},
      {"log_group_count_e_value", "sum of counts",
       [=] {
         log_group_count_e_value(huge, .3, 9, {0, 1});
       }},
      {"own_shifts", "drops_before", [] { own_shifts({}, {}); }},
      {"cross_shifts", "shorter", [] { cross_shifts({}, {}, {}); }},
      {"shift_evidence", "both",
       [] {
         shift_evidence(std::array{ShiftCounts{9, 3, 3, 4}}, .3, {0, 1});
       }},
      {"signature_calls", "elements", [] { signature_calls(1, .3, 9); }},
      {"signature_calls", "number needed",
       [] { signature_calls(9, 1e-300, 9); }},
      {"overlap_window_bits", "log_pairs",
       [] { overlap_window_bits(-1, 9, .3); }},
      {"constant_lines", "length", [] { constant_lines(1, .3, 9); }},
      {"goodness_of_fit", "expected probabilities",
       [=] { goodness_of_fit(kCells, third, .1); }},
      {"goodness_of_fit", "sum of expected",
       [=] { goodness_of_fit(kCells, no_law, .1); }},
      {"goodness_of_fit", "sum of counts",
       [=] { goodness_of_fit(huge, kHalves, .1); }},
      {"binomial_group_fit", "number of cells",
       [] { binomial_group_fit({}, .3, .1); }},
      {"independence_chi_square", "sum of counts",
       [] {
         independence_chi_square({kTooMany - 1, kTooMany - 1, 0, 0}, .1);
       }},
      {"independence_chi_square of a table", "number of counts",
       [] { independence_chi_square(kCells, 3, .1); }},
      {"lag_sum_test", "number of pairs", [] { lag_sum_test({}, .3); }},
      {"transitions_test", "changes",
       [] {
         transitions_test({9, 9}, .3);
       }},
      {"transitions_test", "n",
       [] {
         transitions_test({0, 1}, .3);
       }},
      {"log_normal_mean_e_value", "sum",
       [] {
         log_normal_mean_e_value({2, 1}, 9, 1);
       }},
      {"log_normal_variance_e_value", "squares",
       [] {
         log_normal_variance_e_value({-1, 1}, 9, 1);
       }},
      {"log_banded_multinomial_e_value", "length of band",
       [] { log_banded_multinomial_e_value(kCells, kHalves, {}, 9); }},
      {"log_banded_multinomial_e_value", "cell probability theta",
       [] {
         constexpr std::array kOff = {Interval{.6, .7}, Interval{.3, .4}};
         log_banded_multinomial_e_value(kCells, kHalves, kOff, 9);
       }},
      {"mean_test", "number of values", [] { mean_test({}, {}); }},
      {"calibrate", "units", [] { calibrate(small_case(21, 1, {.5})); }},
      {"calibrate", "step", [] { calibrate(small_case(4, 5, {.5})); }},
      {"calibrate", "number of rates", [] { calibrate(small_case(4, 1, {})); }},
      {"calibrate", "rate", [] { calibrate(small_case(4, 1, {1.5})); }},
      {"begin_night", "", [] {
         Lifetime lifetime = begin_lifetime(terms());
         begin_night(lifetime, 1);
         begin_night(lifetime, 1);
       }}};
}

}  // namespace dropcheck::stats
