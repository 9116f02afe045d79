// The time of one evaluation of every p-value and e-value: each below 5
// microseconds, so that decisions never show in a profile. Those that read a
// table cost that for each entry.
#include <benchmark/benchmark.h>

#include <array>
#include <random>
#include <vector>

#include "dropcheck/stats/beta_binomial.hpp"
#include "dropcheck/stats/betting.hpp"
#include "dropcheck/stats/binomial_tail.hpp"
#include "dropcheck/stats/chi_square.hpp"
#include "dropcheck/stats/confidence.hpp"
#include "dropcheck/stats/context.hpp"
#include "dropcheck/stats/correlation.hpp"
#include "dropcheck/stats/dirichlet_multinomial.hpp"
#include "dropcheck/stats/dispersion.hpp"
#include "dropcheck/stats/fixed_n.hpp"
#include "dropcheck/stats/homogeneity.hpp"
#include "dropcheck/stats/lifetime.hpp"
#include "dropcheck/stats/moments.hpp"
#include "dropcheck/stats/rare_events.hpp"
#include "dropcheck/stats/rate_claim.hpp"
#include "dropcheck/stats/robust_rate.hpp"
#include "dropcheck/stats/run_alarm.hpp"
#include "dropcheck/stats/selu.hpp"
#include "dropcheck/stats/shift_counts.hpp"

namespace dropcheck::stats {
namespace {

constexpr Interval kAnyRate{0, 1};

// Repeats an evaluation; `entries` is how many of a table it reads.
template <typename Evaluate>
void add(const std::string& name, Evaluate evaluate, double entries = 1) {
  benchmark::RegisterBenchmark(
      name.c_str(), [evaluate, entries](benchmark::State& state) {
        for ([[maybe_unused]] const auto& once : state)
          benchmark::DoNotOptimize(evaluate());
        if (entries > 1)
          state.counters["an_entry"] = benchmark::Counter(
              entries, benchmark::Counter::kIsIterationInvariantRate |
                           benchmark::Counter::kInvert);
      });
}

std::vector<std::uint64_t> binomial_sample(std::size_t number, std::uint64_t n,
                                           double p) {
  std::mt19937_64 generator(3);
  std::binomial_distribution<std::uint64_t> drops(n, p);
  std::vector<std::uint64_t> sample;
  for (std::size_t i = 0; i < number; ++i) sample.push_back(drops(generator));
  return sample;
}

void add_rate() {
  const Counts counts{2'001'000, 20'000'000};
  const BetaPrior prior = prior_around(.1, recommended_kappa(.1, 5e-4));
  const RateClaim claim{.1, 5e-4, {.1 - 0x1p-24, .1 + 0x1p-24}};
  add("log_martingale", [=] { return log_martingale(counts, prior, .1); });
  add("decide_rate", [=] { return decide(claim, counts); });
  add("rate_log_e_value", [=] { return log_e_value(claim, counts); });
  add("log_likelihood_ratio",
      [=] { return log_likelihood_ratio(counts, .1, .1005); });
  add("rare_log_e_value", [] {
    return log_rare_e_value({3, 1'000'000}, 1e-9);
  });
}

void add_tails() {
  for (const std::uint64_t n :
       {1'000'000ULL, 1'000'000'000ULL, 1'000'000'000'000ULL})
    for (const double deviations : {1., 6.}) {
      const double size = static_cast<double>(n);
      const auto k = static_cast<std::uint64_t>(
          size * .1 + deviations * std::sqrt(size * .09));
      add("log_two_sided_p/n:" + std::to_string(n) +
              "/sd:" + std::to_string(static_cast<int>(deviations)),
          [=] { return log_two_sided_p(k, n, .1); });
    }
}

void add_contexts() {
  const BinaryContexts contexts{{449'300, 4'500'000}, {50'600, 500'000}};
  const std::array both = {contexts.after_keep, contexts.after_drop};
  const std::array priors = {prior_around(.1, 1e5), prior_around(.1, 1e4)};
  add("log_context_e_value",
      [=] { return log_context_e_value(both, priors, kAnyRate); });
  add("correlation_log_e_value", [=, test = CorrelationTest({.1, 5e6})] {
    return test.log_e_value(contexts, kAnyRate);
  });
  add("log_difference_e_value",
      [=] { return log_difference_e_value(contexts, priors, .01); });
  std::vector<std::uint64_t> before = {0};
  std::mt19937_64 generator(4);
  std::vector<std::uint64_t> joint;
  constexpr std::size_t kUnits = 1 << 20;
  for (std::size_t i = 0; i < kUnits; ++i)
    before.push_back(before.back() + (generator() % 10 == 0));
  for (std::size_t k = 0; k < kUnits; ++k)
    joint.push_back(
        std::binomial_distribution<std::uint64_t>(kUnits - k, .01)(generator));
  joint.resize(kUnits - 1'000);  // what is beyond has no certain margins
  add(
      "shift_evidence/shifts:1047575",
      [shifts = own_shifts(before, joint)] {
        return shift_evidence(shifts, .1, kAnyRate);
      },
      static_cast<double>(joint.size()));
}

void add_tables() {
  const std::vector<double> sixteenths(16, 1. / 16);
  const auto cells = binomial_sample(16, 1'000, .5);
  add("log_dirichlet_multinomial/cells:16",
      [=] { return log_dirichlet_multinomial(cells, sixteenths, 100); });
  Dispersion calls(65'536, .1);
  for (const std::uint64_t drops : binomial_sample(1'000, 65'536, .1))
    calls.add(drops);
  add("log_cell_e_value", [=] { return calls.log_any_law_e_value(kAnyRate); });
  add(
      "own_rate_log_e_value",
      [=] { return calls.log_own_rate_e_value(kAnyRate); }, 1'000);
  std::vector<std::uint64_t> histogram(65);
  for (const std::uint64_t drops : binomial_sample(100'000, 64, .1))
    ++histogram[drops];
  add(
      "log_group_count_e_value/cells:65",
      [=] { return log_group_count_e_value(histogram, .1, 64, kAnyRate); }, 65);
  for (const std::size_t number : {16U, 65'536U}) {
    std::vector<Counts> groups;
    for (const std::uint64_t drops : binomial_sample(number, 10'000, .1))
      groups.push_back({drops, 10'000});
    add(
        "log_homogeneity_e_value/groups:" + std::to_string(number),
        [=] { return log_homogeneity_e_value(groups, .1); },
        static_cast<double>(number));
    add(
        "homogeneity_chi_square/groups:" + std::to_string(number),
        [=] { return homogeneity_chi_square(groups, 1e-9).log10_p; },
        static_cast<double>(number));
  }
  const TwoByTwo table{10'100, 90'000, 90'100, 809'800};
  add("independence_chi_square",
      [=] { return independence_chi_square(table, 1e-9).log10_p; });
}

void add_bets() {
  RobustRate robust({.1, 5e-4, {.1 - 1e-7, .1 + 1e-7}}, 256);
  BettingMean bets;
  for (const std::uint64_t drops : binomial_sample(10'000, 256, .1)) {
    robust.add({drops, 256});
    bets.add(static_cast<double>(drops) / 256);
  }
  constexpr double kDistinct = 40;
  add(
      "robust_log_e_value", [=] { return robust.log_e_value(); }, kDistinct);
  add(
      "betting_log_e_value",
      [=] {
        return bets.log_e_value({.1, .1});
      },
      kDistinct);
}

void add_moments() {
  Moments sample;
  for (const std::uint64_t drops : binomial_sample(1'000, 256, .1))
    sample.add(static_cast<double>(drops));
  const TheoreticalMoments theory = masked_moments(normal_raw_moments(), {.1});
  add("variance_test", [=] { return variance_test(sample, theory).log10_p; });
  add("kurtosis_test", [=] { return kurtosis_test(sample, theory).log10_p; });
}

void add_runs() {
  const std::vector<WeightedEvidence> evidence(1'000, {-1.5, 1e-3});
  add(
      "run_alarms/claims:1000", [=] { return run_alarms(evidence, 1e-9); },
      1'000);
  Lifetime lifetime = begin_lifetime({.subject = "library",
                                      .build = "4f1e",
                                      .device = "cpu",
                                      .configuration = "dropout",
                                      .p0 = .1,
                                      .kappa = recommended_kappa(.1, 1e-6),
                                      .declared = {.1 - 1e-8, .1 + 1e-8}});
  begin_night(lifetime, 1);
  record_night(lifetime, {20'000'100'000, 200'000'000'000});
  add("lifetime_log_e_value", [=] { return lifetime_log_e_value(lifetime); });
}

}  // namespace

void register_evaluations() {
  add_rate();
  add_tails();
  add_contexts();
  add_tables();
  add_bets();
  add_moments();
  add_runs();
}

}  // namespace dropcheck::stats
