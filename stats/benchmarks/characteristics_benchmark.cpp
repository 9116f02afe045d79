// What decisions cost, as multiples of the least expected n that any test of
// the same errors needs (Wald). Exact, by dynamic programming over the looks;
// the time shown is that of the computation and means nothing.
//
//   ratio        the shipped rule at the shipped looks, overshoot included
//   calls_899    the same where looks fall at whole calls of 899 units
//   calls_4087   the same at 4087 units
//   robbins_lai  flat prior, same looks
//   wilson       Wilson's interval at the same looks; wilson_error is its true
//                probability of the wrong verdict, nominally 1e-9
//   tost         two exact one-sided tests at a fixed n
#include <benchmark/benchmark.h>

#include <algorithm>
#include <cmath>

#include "dropcheck/stats/kl.hpp"
#include "dropcheck/stats/operating_characteristics.hpp"
#include "rules.hpp"

namespace dropcheck::stats {
namespace {

constexpr ErrorPair kErrors{1e-9, 1e-9};
constexpr double kRates[] = {.05, .1, .3, .5, .9};
constexpr double kDeltas[] = {1e-2, 5e-3};

RateClaim claim_of(double p0, double delta) {
  return {p0, delta, {p0 - 0x1p-24, p0 + 0x1p-24}};
}

OperatingCharacteristics stopping(const Rule& rule, double p) {
  return operating_characteristics(rule.boundaries_at, rule.looks, p);
}

void certify(benchmark::State& state, double p0, double delta) {
  const RateClaim claim = claim_of(p0, delta);
  const double bound = std::max(wald_lower_bound(p0, p0 + delta, kErrors),
                                wald_lower_bound(p0, p0 - delta, kErrors));
  const auto ratio = [&](const Rule& rule) {
    return stopping(rule, p0).expected_n / bound;
  };
  for ([[maybe_unused]] const auto& once : state) {
    const OperatingCharacteristics ours = stopping(shipped(claim), p0);
    state.counters["n"] = ours.expected_n;
    state.counters["ratio"] = ours.expected_n / bound;
    state.counters["undecided"] = ours.undecided;
    state.counters["error"] =
        std::max(stopping(shipped(claim), p0 + delta).certified,
                 stopping(shipped(claim), p0 - delta).certified);
  }
  state.counters["calls_899"] = ratio(shipped_by_calls(claim, 899));
  state.counters["calls_4087"] = ratio(shipped_by_calls(claim, 4'087));
  state.counters["robbins_lai"] = ratio(robbins_lai(claim));
  const Rule wilson = wilson_with_looks(claim);
  state.counters["wilson"] = ratio(wilson);
  state.counters["wilson_error"] = stopping(wilson, p0 + delta).certified;
  state.counters["tost"] = static_cast<double>(tost_n(claim)) / bound;
}

// The layer is off by delta: upwards or downwards, whichever takes longer.
void detect(benchmark::State& state, double p0, double delta) {
  const RateClaim claim = claim_of(p0, delta);
  const auto ratio = [&](const Rule& rule, double p) {
    return stopping(rule, p).expected_n / wald_lower_bound(p, p0, kErrors);
  };
  const auto worse = [&](const Rule& rule) {
    return std::max(ratio(rule, p0 + delta), ratio(rule, p0 - delta));
  };
  for ([[maybe_unused]] const auto& once : state) {
    state.counters["n"] = stopping(shipped(claim), p0 + delta).expected_n;
    state.counters["ratio"] = worse(shipped(claim));
    state.counters["error"] = stopping(shipped(claim), p0).refuted;
  }
  state.counters["calls_899"] = worse(shipped_by_calls(claim, 899));
  state.counters["calls_4087"] = worse(shipped_by_calls(claim, 4'087));
  state.counters["robbins_lai"] = worse(robbins_lai(claim));
  const Rule wilson = wilson_with_looks(claim);
  state.counters["wilson"] = worse(wilson);
  state.counters["wilson_error"] = stopping(wilson, p0).refuted;
}

// A thousand equally weighted claims in one run, against one alone.
void thousand_claims(benchmark::State& state, double p0, double delta) {
  RateClaim one = claim_of(p0, delta);
  RateClaim many = one;
  many.weight = 1e-3;
  RateClaim jointly = one;
  jointly.alpha = 1e-12;
  for ([[maybe_unused]] const auto& once : state) {
    const double single = stopping(shipped(one), p0 + delta).expected_n;
    state.counters["detect"] =
        stopping(shipped(many), p0 + delta).expected_n / single;
    state.counters["certify_jointly"] =
        stopping(shipped(jointly), p0).expected_n /
        stopping(shipped(one), p0).expected_n;
  }
}

}  // namespace

void register_characteristics() {
  const auto once = [](benchmark::internal::Benchmark* row) {
    row->Iterations(1)->Unit(benchmark::kMillisecond);
  };
  const auto name = [](const char* what, double p0, double delta) {
    return std::string(what) + "/p:" + std::to_string(p0).substr(0, 4) +
           "/delta:" + std::to_string(delta).substr(0, 5);
  };
  for (const double delta : kDeltas)
    for (const double p0 : kRates)
      once(benchmark::RegisterBenchmark(name("certify", p0, delta).c_str(),
                                        certify, p0, delta));
  for (const double delta : kDeltas)
    for (const double p0 : kRates)
      once(benchmark::RegisterBenchmark(name("detect", p0, delta).c_str(),
                                        detect, p0, delta));
  for (const double p0 : {.1, .5})
    once(benchmark::RegisterBenchmark(name("thousand_claims", p0, 1e-2).c_str(),
                                      thousand_claims, p0, 1e-2));
}

}  // namespace dropcheck::stats
