// Costs that have no short exact computation: simulated with a fixed seed, and
// each with its standard error.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <random>

#include "dropcheck/stats/context.hpp"
#include "dropcheck/stats/correlation.hpp"
#include "dropcheck/stats/robust_rate.hpp"

namespace dropcheck::stats {
namespace {

constexpr double kA = 20.7232658369;
constexpr Interval kAnyRate{0, 1};
using Generator = std::mt19937_64;

struct Summary {
  double sum = 0;
  double squares = 0;
  double number = 0;

  void add(double x) {
    sum += x;
    squares += x * x;
    ++number;
  }
  double mean() const { return sum / number; }
  double standard_error() const {
    return std::sqrt((squares / number - mean() * mean()) / number);
  }
};

double uniform(Generator& generator) {
  return std::uniform_real_distribution<double>(0, 1)(generator);
}

double gamma(double shape, Generator& generator) {
  return std::gamma_distribution<double>(shape, 1)(generator);
}

// A binomial number, by splitting at the median of n uniform ones (Devroye
// 1986, X.4). std::binomial_distribution of libstdc++ 12 is off: at n = 256, p
// = .1 its mean is .005 too high, which is five standard errors of 2e7 draws
// and 4 % of the smallest bias simulated here.
std::uint64_t draw(std::uint64_t n, double p, Generator& generator) {
  std::uint64_t below = 0;
  while (n > 16) {
    const std::uint64_t middle = n / 2 + 1;
    const double left = gamma(static_cast<double>(middle), generator);
    const double right = gamma(static_cast<double>(n + 1 - middle), generator);
    const double median = left / (left + right);
    if (median <= p) {
      below += middle;
      n -= middle;
      p = (p - median) / (1 - median);
    } else {
      n = middle - 1;
      p /= median;
    }
  }
  for (; n > 0; --n) below += uniform(generator) < p ? 1U : 0U;
  return below;
}

// Decisions of correlation rho with an independent context of the same rate.
void extend(BinaryContexts& contexts, std::uint64_t n, double p, double rho,
            Generator& generator) {
  const std::uint64_t drops = draw(n, p, generator);
  contexts.after_drop += {draw(drops, p + rho * (1 - p), generator), drops};
  contexts.after_keep += {draw(n - drops, p - rho * p, generator), n - drops};
}

using LogE = std::function<double(const BinaryContexts&)>;

// n rho^2 at the first of the looks, 1 % apart, that refutes.
double time_to_refute(const LogE& log_e, double p, double rho,
                      Generator& generator) {
  BinaryContexts contexts;
  double n = 5 / (rho * rho);
  extend(contexts, static_cast<std::uint64_t>(n), p, rho, generator);
  while (log_e(contexts) < kA) {
    const double step = n * .01;
    extend(contexts, static_cast<std::uint64_t>(step), p, rho, generator);
    n += step;
  }
  return n * rho * rho;
}

void correlation(benchmark::State& state, double p, double rho) {
  const double planned = 45.2 / (rho * rho);
  const CorrelationTest test({p, planned});
  const auto prior = [&](double share) {
    return prior_around(p, context_kappa(planned * share));
  };
  const std::array priors = {prior(1 - p), prior(p)};
  const auto two_contexts = [&](const BinaryContexts& c) {
    return log_context_e_value(std::array{c.after_keep, c.after_drop}, priors,
                               kAnyRate);
  };
  const auto one_parameter = [&](const BinaryContexts& c) {
    return test.log_one_parameter_e_value(c, kAnyRate);
  };
  const auto mean_of_both = [&](const BinaryContexts& c) {
    return test.log_e_value(c, kAnyRate);
  };
  for ([[maybe_unused]] const auto& once : state)
    for (const auto& [name, log_e] :
         {std::pair<const char*, LogE>{"one_parameter", one_parameter},
          {"two_contexts", two_contexts},
          {"mean_of_both", mean_of_both}}) {
      Generator generator(1);
      Summary summary;
      for (int run = 0; run < 2'000; ++run)
        summary.add(time_to_refute(log_e, p, rho, generator));
      state.counters[name] = summary.mean();
      state.counters["standard_error"] = summary.standard_error();
    }
}

// Calls until RobustRate decides, looked at every hundredth of the plan.
Summary robust_calls(const RateClaim& claim, double p, double planned) {
  constexpr std::uint64_t kUnits = 256;
  Generator generator(2);
  const int step = std::max(1, static_cast<int>(planned / 100));
  Summary summary;
  for (int run = 0; run < 80; ++run) {
    RobustRate rate(claim, kUnits);
    while (rate.decide() == RateOutcome::kUndecided)
      for (int call = 0; call < step; ++call)
        rate.add({draw(kUnits, p, generator), kUnits});
    summary.add(static_cast<double>(rate.calls()));
  }
  return summary;
}

void robust(benchmark::State& state, double p0, double delta) {
  const RateClaim claim{p0, delta, {p0 - 0x1p-24, p0 + 0x1p-24}};
  for ([[maybe_unused]] const auto& once : state) {
    const double certify = robust_certification_calls(claim, 256);
    const double detect = robust_detection_calls(claim, 256);
    const Summary right = robust_calls(claim, p0, certify);
    state.counters["certify"] = right.mean();
    state.counters["certify_error"] = right.standard_error();
    state.counters["planned_certify"] = certify;
    state.counters["detect_above"] =
        robust_calls(claim, p0 + delta, detect).mean();
    const Summary below = robust_calls(claim, p0 - delta, detect);
    state.counters["detect_below"] = below.mean();
    state.counters["below_error"] = below.standard_error();
    state.counters["planned_detect"] = detect;
  }
}

}  // namespace

void register_simulations() {
  const auto once = [](benchmark::internal::Benchmark* row) {
    row->Iterations(1)->Unit(benchmark::kMillisecond);
  };
  for (const double p : {.1, .5})
    once(benchmark::RegisterBenchmark(
        p < .3 ? "correlation/p:0.1" : "correlation/p:0.5", correlation, p,
        .01));
  once(benchmark::RegisterBenchmark("robust_calls/p:0.1/delta:0.0005", robust,
                                    .1, 5e-4));
  once(benchmark::RegisterBenchmark("robust_calls/p:0.5/delta:0.005", robust,
                                    .5, 5e-3));
}

}  // namespace dropcheck::stats
