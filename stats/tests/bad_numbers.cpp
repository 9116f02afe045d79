#include <array>
#include <cmath>
#include <cstdint>
#include <limits>

#include "bad_calls.hpp"
#include "dropcheck/stats/beta_binomial.hpp"
#include "dropcheck/stats/betting.hpp"
#include "dropcheck/stats/binomial_tail.hpp"
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

using enum Rule;

constexpr std::array kCells = {std::uint64_t{40}, std::uint64_t{60}};
constexpr std::array kHalves = {.5, .5};
constexpr std::array kBands = {Interval{.4, .6}, Interval{.4, .6}};
constexpr std::array kPriors = {BetaPrior{1, 1}, BetaPrior{1, 1}};
constexpr std::array kTwoLooks = {std::uint64_t{10}, std::uint64_t{20}};

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

RawMoments ones() {
  RawMoments raw{};
  raw.fill(1);
  return raw;
}

void add_exact_tools(std::vector<NumberParameter>& all) {
  const auto add = [&](const char* function, const char* parameter, Rule rule,
                       std::function<void(double)> call) {
    all.push_back({function, parameter, rule, std::move(call)});
  };
  add("log_upper_tail", "p", kProbability,
      [](double v) { log_upper_tail(1, 2, v); });
  add("log_lower_tail", "p", kProbability,
      [](double v) { log_lower_tail(1, 2, v); });
  add("log_mass", "p", kProbability, [](double v) { log_mass(1, 2, v); });
  add("log_two_sided_p", "p", kProbability,
      [](double v) { log_two_sided_p(1, 2, v); });
  add("log_randomised_p", "p", kProbability, [](double v) {
    log_randomised_p({1, 2}, v, .5);
  });
  add("log_randomised_p", "u", kProbability, [](double v) {
    log_randomised_p({1, 2}, .5, v);
  });
  add("zubkov_serov_log_upper", "p", kInner,
      [](double v) { zubkov_serov_log_upper(1, 2, v); });
  add("upper_critical_count", "p", kProbability,
      [](double v) { upper_critical_count(9, v, -1); });
  add("lower_critical_count", "p", kProbability,
      [](double v) { lower_critical_count(9, v, -1); });
  add("clopper_pearson", "alpha", kLevel, [](double v) {
    clopper_pearson({1, 2}, v);
  });
  add("kl_bernoulli", "x", kProbability, [](double v) { kl_bernoulli(v, .5); });
  add("kl_bernoulli", "y", kProbability, [](double v) { kl_bernoulli(.5, v); });
  add("wald_lower_bound", "p", kProbability, [](double v) {
    wald_lower_bound(v, .5, {.1, .1});
  });
  add("wald_lower_bound", "p1", kProbability, [](double v) {
    wald_lower_bound(.5, v, {.1, .1});
  });
  add("wald_lower_bound", "alpha", kLevel, [](double v) {
    wald_lower_bound(.5, .6, {v, .1});
  });
  add("wald_lower_bound", "beta", kLevel, [](double v) {
    wald_lower_bound(.5, .6, {.1, v});
  });
  add("tost_region", "p0", kInner, [](double v) { tost_region({v, .1}, 9); });
  add("tost_region", "delta", kPositive, [](double v) {
    tost_region({.3, v}, 9);
  });
  add("tost_region", "alpha", kLevel, [](double v) {
    tost_region({.3, .1, v}, 9);
  });
  add("tost_log_miss", "p0", kInner, [](double v) {
    tost_log_miss({v, .1}, 9);
  });
  add("tost_sample_size", "beta", kLevel, [](double v) {
    tost_sample_size({.3, .1}, v);
  });
  add("log_likelihood_ratio", "p0", kInner, [](double v) {
    log_likelihood_ratio({1, 2}, v, .5);
  });
  add("log_likelihood_ratio", "p1", kInner, [](double v) {
    log_likelihood_ratio({1, 2}, .5, v);
  });
  add("sprt_thresholds", "alpha", kLevel,
      [](double v) { sprt_thresholds(v, .1); });
  add("sprt_thresholds", "beta", kLevel,
      [](double v) { sprt_thresholds(.1, v); });
  add("hoeffding_half_width", "alpha", kLevel,
      [](double v) { hoeffding_half_width(9, v); });
  add("bernstein_half_width", "alpha", kLevel,
      [](double v) { bernstein_half_width(9, .1, v); });
  add("bernstein_half_width", "variance", kProbability,
      [](double v) { bernstein_half_width(9, v, .1); });
  add("maurer_pontil_half_width", "alpha", kLevel,
      [](double v) { maurer_pontil_half_width(9, .1, v); });
  add("maurer_pontil_half_width", "sample_variance", kProbability,
      [](double v) { maurer_pontil_half_width(9, v, .1); });
  add("log_bentkus_tail", "p", kProbability,
      [](double v) { log_bentkus_tail(1, 2, v); });
  add("log_calibrated_e", "kappa", kInner,
      [](double v) { log_calibrated_e(-1.0, v); });
}

void add_rates(std::vector<NumberParameter>& all) {
  const auto add = [&](const char* function, const char* parameter, Rule rule,
                       std::function<void(double)> call) {
    all.push_back({function, parameter, rule, std::move(call)});
  };
  add("prior_around", "p0", kInner, [](double v) { prior_around(v, 9); });
  add("prior_around", "kappa", kPositive,
      [](double v) { prior_around(.3, v); });
  add("recommended_kappa", "p0", kInner,
      [](double v) { recommended_kappa(v, .1); });
  add("recommended_kappa", "delta", kPositive,
      [](double v) { recommended_kappa(.3, v); });
  add("log_martingale", "p", kProbability, [](double v) {
    log_martingale({1, 2}, {1, 1}, v);
  });
  add("log_martingale", "prior a", kPositive, [](double v) {
    log_martingale({1, 2}, {v, 1}, .3);
  });
  add("log_martingale", "prior b", kPositive, [](double v) {
    log_martingale({1, 2}, {1, v}, .3);
  });
  add("confidence_sequence", "log_inverse_alpha", kPositive, [](double v) {
    confidence_sequence({1, 2}, {1, 1}, v);
  });
  add("validate", "p0", kInner, [](double v) { validate(RateClaim{v, .01}); });
  add("validate", "delta", kPositive, [](double v) {
    validate(RateClaim{.3, v});
  });
  add("validate", "alpha", kLevel,
      [](double v) { validate({.p0 = .3, .delta = .05, .alpha = v}); });
  add("decide", "delta", kPositive, [](double v) {
    decide(RateClaim{.3, v}, {1, 2});
  });
  add("certified_inside", "alpha", kLevel, [](double v) {
    certified_inside({}, {1, 2}, {1, 1}, v);
  });
  add("log_e_value", "p0", kInner, [](double v) {
    log_e_value({v, .05}, {1, 2});
  });
  add("boundaries", "alpha", kLevel,
      [](double v) { boundaries({.p0 = .3, .delta = .05, .alpha = v}, 9); });
  add("operating_characteristics", "rate", kInner,
      [](double v) { operating_characteristics(claim(), kTwoLooks, v); });
  add("n_max", "p0", kInner, [](double v) { n_max(v, .1); });
  add("n_max", "delta", kPositive, [](double v) { n_max(.3, v); });
  add("n_max", "alpha", kLevel, [](double v) { n_max(.3, .1, v); });
  add("expected_n", "p0", kInner, [](double v) { expected_n(v, .1); });
  add("expected_n", "alpha", kLevel, [](double v) { expected_n(.3, .1, v); });
  add("detection_n", "delta", kPositive, [](double v) { detection_n(.3, v); });
  add("detection_n", "alpha", kLevel, [](double v) { detection_n(.3, .1, v); });
  add("affordable_delta", "p0", kInner,
      [](double v) { affordable_delta(v, 9); });
  add("affordable_delta", "units", kPositive,
      [](double v) { affordable_delta(.3, v); });
  add("refutation_threshold", "alpha", kLevel,
      [](double v) { refutation_threshold(v, 1); });
  add("refutation_threshold", "weight", kPositive,
      [](double v) { refutation_threshold(.1, v); });
  add("claim_refuted", "alpha", kLevel,
      [](double v) { claim_refuted(1, 1, v); });
  add("run_alarms", "alpha", kLevel, [](double v) { run_alarms({}, v); });
  add("RobustRate", "units_per_call", kPositive,
      [](double v) { RobustRate(claim(), v); });
  add("RobustRate", "p0", kInner, [](double v) { RobustRate({v, .01}, 9); });
  add("robust_certification_calls", "delta", kPositive, [](double v) {
    robust_certification_calls({.3, v}, 9);
  });
  add("robust_detection_calls", "alpha", kLevel, [](double v) {
    robust_detection_calls({.p0 = .3, .delta = .05, .alpha = v}, 9);
  });
  add("rare_upper_bound", "log_inverse_alpha", kPositive,
      [](double v) { rare_upper_bound(9, v); });
  add("trials_to_bound", "bound", kInner,
      [](double v) { trials_to_bound(v, 9); });
  add("log_rare_e_value", "allowed", kProbability, [](double v) {
    log_rare_e_value({1, 2}, v);
  });
  add("begin_lifetime", "kappa", kPositive, [](double v) {
    LifetimeTerms bad = terms();
    bad.kappa = v;
    begin_lifetime(bad);
  });
  add("lifetime_expected_n", "bias", kPositive,
      [](double v) { lifetime_expected_n(terms(), v); });
}

void add_structure(std::vector<NumberParameter>& all) {
  const auto add = [&](const char* function, const char* parameter, Rule rule,
                       std::function<void(double)> call) {
    all.push_back({function, parameter, rule, std::move(call)});
  };
  add("log_betting_capital", "m", kFinite,
      [](double v) { log_betting_capital(kHalves, v, .1); });
  add("log_betting_capital", "lambda", kFinite,
      [](double v) { log_betting_capital(kHalves, .5, v); });
  add("BettingMean::add", "y", kProbability,
      [](double v) { BettingMean().add(v); });
  add("context_kappa", "planned_n", kPositive,
      [](double v) { context_kappa(v); });
  add("CorrelationTest", "p0", kInner, [](double v) {
    CorrelationTest({v, 50});
  });
  add("CorrelationTest", "planned_n", kPositive, [](double v) {
    CorrelationTest({.3, v});
  });
  add("CorrelationTest", "log_threshold", kPositive, [](double v) {
    CorrelationTest({.3, 50, v});
  });
  add("shift_evidence", "p0", kInner, [](double v) {
    shift_evidence(std::array{ShiftCounts{10, 3, 3, 1}}, v, {0, 1});
  });
  add("log_difference_e_value", "d", kFinite, [](double v) {
    log_difference_e_value({{1, 2}, {1, 2}}, kPriors, v);
  });
  add("rate_difference", "log_inverse_alpha", kPositive, [](double v) {
    rate_difference({{1, 2}, {1, 2}}, kPriors, v);
  });
  add("simultaneous_rates", "log_inverse_alpha", kPositive, [](double v) {
    simultaneous_rates(std::array{Counts{1, 2}}, BetaPrior{1, 1}, v);
  });
  add("cell_probabilities", "kappa", kPositive,
      [](double v) { cell_probabilities(kCells, kHalves, v, 9); });
  add("log_dirichlet_multinomial", "kappa", kPositive,
      [](double v) { log_dirichlet_multinomial(kCells, kHalves, v); });
  add("log_group_count_e_value", "p0", kInner, [](double v) {
    log_group_count_e_value(kCells, v, 9, {0, 1});
  });
  add("log_group_count_e_value", "kappa", kPositive, [](double v) {
    log_group_count_e_value(kCells, .3, v, {0, 1});
  });
  add("CountCells", "p0", kInner, [](double v) { CountCells(9, v); });
  add("Dispersion", "p0", kInner, [](double v) { Dispersion(9, v); });
  add("log_homogeneity_e_value", "p0", kInner, [](double v) {
    log_homogeneity_e_value(std::array{Counts{1, 2}}, v);
  });
  add("log_chance_identical", "p", kInner,
      [](double v) { log_chance_identical(v, 9); });
  add("signature_calls", "p", kInner,
      [](double v) { signature_calls(9, v, 9); });
  add("signature_calls", "log_inverse_eps", kPositive,
      [](double v) { signature_calls(9, .3, v); });
  add("overlap_window_bits", "p", kInner,
      [](double v) { overlap_window_bits(9, 9, v); });
  add("constant_lines", "p", kInner, [](double v) { constant_lines(9, v, 9); });
  add("goodness_of_fit", "alpha", kLevel,
      [](double v) { goodness_of_fit(kCells, kHalves, v); });
  add("binomial_group_fit", "p", kInner,
      [](double v) { binomial_group_fit(kCells, v, .1); });
  add("homogeneity_chi_square", "alpha", kLevel, [](double v) {
    homogeneity_chi_square(std::array{Counts{1, 2}}, v);
  });
  add("independence_chi_square", "alpha", kLevel, [](double v) {
    independence_chi_square({1, 2, 3, 4}, v);
  });
  add("independence_chi_square of a table", "alpha", kLevel,
      [](double v) { independence_chi_square(kCells, 2, v); });
  add("lag_sum_test", "p", kInner, [](double v) {
    lag_sum_test({1, 2, 3, 4}, v);
  });
  add("transitions_test", "p", kInner, [](double v) {
    transitions_test({1, 9}, v);
  });
  add("masked_moments", "drop_probability", kProbability,
      [](double v) { masked_moments(ones(), {v}); });
  add("masked_moments", "scale", kFinite, [](double v) {
    masked_moments(ones(), {.3, 0, v, 0});
  });
  add("alpha_dropout_map", "drop_probability", kProbability,
      [](double v) { alpha_dropout_map(v); });
  add("alpha_dropout_moments", "drop_probability", kProbability,
      [](double v) { alpha_dropout_moments(normal_raw_moments(), v); });
  add("central_moments", "raw moment", kFinite, [](double v) {
    RawMoments raw = ones();
    raw[4] = v;
    central_moments(raw);
  });
  const auto sample = [](double v) {
    Moments moments;
    moments.add(1);
    moments.add(v);
    return moments;
  };
  const TheoreticalMoments law = masked_moments(ones(), {.3});
  add("mean_test", "mean", kFinite,
      [=](double v) { mean_test(sample(v), law); });
  add("variance_test", "variance", kFinite,
      [=](double v) { variance_test(sample(v), law); });
  add("skewness_test", "skewness", kFinite,
      [=](double v) { skewness_test(sample(v), law); });
  add("kurtosis_test", "kurtosis", kFinite,
      [=](double v) { kurtosis_test(sample(v), law); });
}

void add_normal_law(std::vector<NumberParameter>& all) {
  const auto add = [&](const char* function, const char* parameter, Rule rule,
                       std::function<void(double)> call) {
    all.push_back({function, parameter, rule, std::move(call)});
  };
  const Interval one{1, 1};
  add("normal_quantile", "probability", kInner,
      [](double v) { normal_quantile(v); });
  add("log_normal_mean_e_value", "n", kPositive,
      [=](double v) { log_normal_mean_e_value(one, v, 1); });
  add("log_normal_mean_e_value", "weight", kPositive,
      [=](double v) { log_normal_mean_e_value(one, 9, v); });
  add("log_normal_mean_e_value", "sum", kFinite, [](double v) {
    log_normal_mean_e_value({v, v}, 9, 1);
  });
  add("normal_mean_interval", "weight", kPositive,
      [=](double v) { normal_mean_interval(one, 9, v, 1); });
  add("normal_mean_interval", "log_inverse_alpha", kPositive,
      [=](double v) { normal_mean_interval(one, 9, 1, v); });
  add("log_normal_variance_e_value", "weight", kPositive,
      [=](double v) { log_normal_variance_e_value(one, 9, v); });
  add("log_normal_variance_e_value", "squares", kFinite, [](double v) {
    log_normal_variance_e_value({v, v}, 9, 1);
  });
  add("normal_variance_interval", "squares", kPositive, [](double v) {
    normal_variance_interval({v, v}, 9, 1, 1);
  });
  add("normal_variance_interval", "log_inverse_alpha", kPositive,
      [=](double v) { normal_variance_interval(one, 9, 1, v); });
  add("log_banded_multinomial_e_value", "kappa", kPositive, [](double v) {
    log_banded_multinomial_e_value(kCells, kHalves, kBands, v);
  });
}

}  // namespace

std::vector<NumberParameter> number_parameters() {
  std::vector<NumberParameter> all;
  add_exact_tools(all);
  add_rates(all);
  add_structure(all);
  add_normal_law(all);
  return all;
}

}  // namespace dropcheck::stats
