#include "dropcheck/stats/lifetime.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <stdexcept>
#include <string_view>

#include "dropcheck/stats/beta_binomial.hpp"
#include "dropcheck/stats/look_schedule.hpp"
#include "dropcheck/stats/run_alarm.hpp"
#include "require.hpp"
#include "special.hpp"

namespace dropcheck::stats {
namespace {

std::uint64_t fnv1a(std::string_view text) {
  std::uint64_t hash = 0xcbf29ce484222325;
  for (const char c : text) {
    hash ^= static_cast<unsigned char>(c);
    hash *= 0x100000001b3;
  }
  return hash;
}

// Lengths before texts, so that no two terms read alike.
std::string canonical(const LifetimeTerms& terms) {
  std::string text;
  for (const std::string& part :
       {terms.subject, terms.build, terms.device, terms.configuration})
    text += fmt::format("{}:{};", part.size(), part);
  return text + fmt::format("{:a};{:a};{:a};{:a};{:a};{:a}", terms.p0,
                            terms.kappa, terms.declared.lower,
                            terms.declared.upper, terms.alpha, terms.weight);
}

void require_own_terms(const Lifetime& lifetime) {
  const std::uint64_t now = fingerprint(lifetime.terms);
  if (lifetime.fingerprint == now) return;
  throw std::invalid_argument(
      fmt::format("fingerprint of the lifetime is {:016x}, but must be that of "
                  "its terms, {:016x}: they were changed after it began",
                  lifetime.fingerprint, now));
}

void require_open(const Lifetime& lifetime) {
  require_own_terms(lifetime);
  if (lifetime.open) return;
  throw std::invalid_argument("number of open nights is 0, but must be 1");
}

Counts sum_of(const Counts& a, const Counts& b) {
  constexpr std::uint64_t kMost = std::uint64_t{1} << 63;
  require(a.n < kMost && b.n < kMost - a.n, "n of the lifetime",
          as_double(a.n) + as_double(b.n), "below 2^63");
  return {a.drops + b.drops, a.n + b.n};
}

struct Bias {
  double weight;
  double part_of_kappa;
};

/// Half on the smallest bias, the rest on biases ten, a hundred and a thousand
/// times as large, which a prior for the smallest one would find far too late.
constexpr std::array<Bias, 4> kBiases{
    {{0.5, 1}, {1 / 6., 1e-2}, {1 / 6., 1e-4}, {1 / 6., 1e-6}}};

void close_night(Lifetime& lifetime) {
  lifetime.counts = sum_of(lifetime.counts, lifetime.open_counts);
  lifetime.open_counts = {};
  lifetime.open.reset();
}

}  // namespace

void validate(const LifetimeTerms& terms) {
  require_inner_probability(terms.p0, "p0");
  require_positive(terms.kappa, "kappa");
  require_rates(terms.declared, "declared");
  refutation_threshold(terms.alpha, terms.weight);
}

std::uint64_t fingerprint(const LifetimeTerms& terms) {
  return fnv1a(canonical(terms));
}

Lifetime begin_lifetime(const LifetimeTerms& terms) {
  validate(terms);
  Lifetime lifetime;
  lifetime.terms = terms;
  lifetime.fingerprint = fingerprint(terms);
  return lifetime;
}

bool continues(const Lifetime& lifetime, const LifetimeTerms& terms) {
  return canonical(lifetime.terms) == canonical(terms) &&
         lifetime.fingerprint == fingerprint(terms);
}

void begin_night(Lifetime& lifetime, std::uint64_t run_seed) {
  require_own_terms(lifetime);
  const auto& seeds = lifetime.seeds;
  if (std::find(seeds.begin(), seeds.end(), run_seed) != seeds.end())
    throw std::invalid_argument(
        fmt::format("run seed is {}, but must be a fresh one: a night with it "
                    "was entered before",
                    run_seed));
  if (lifetime.open) {
    close_night(lifetime);
    ++lifetime.killed;
  }
  lifetime.seeds.push_back(run_seed);
  lifetime.open = run_seed;
}

void record_night(Lifetime& lifetime, const Counts& counts) {
  require_open(lifetime);
  require_counts(counts);
  const Counts& before = lifetime.open_counts;
  const bool grows = counts.n >= before.n && counts.drops >= before.drops &&
                     counts.n - counts.drops >= before.n - before.drops;
  require(grows, "n of the night", as_double(counts.n),
          "all that was counted, at least what was recorded before");
  sum_of(lifetime.counts, counts);
  lifetime.open_counts = counts;
}

void end_night(Lifetime& lifetime) {
  require_open(lifetime);
  close_night(lifetime);
}

double lifetime_log_e_value(const Lifetime& lifetime) {
  require_own_terms(lifetime);
  const LifetimeTerms& terms = lifetime.terms;
  validate(terms);
  const Counts all = sum_of(lifetime.counts, lifetime.open_counts);
  if (all.n == 0) return 0;
  const double pooled = as_double(all.drops) / as_double(all.n);
  const double p =
      std::clamp(pooled, terms.declared.lower, terms.declared.upper);
  std::vector<WeightedEvidence> mixture;
  for (const auto& [weight, part] : kBiases) {
    mixture.push_back(
        {log_martingale(all, prior_around(terms.p0, part * terms.kappa), p),
         weight});
  }
  return log_run_e_value(mixture);
}

bool lifetime_refuted(const Lifetime& lifetime) {
  return claim_refuted(lifetime_log_e_value(lifetime), lifetime.terms.weight,
                       lifetime.terms.alpha);
}

double lifetime_expected_n(const LifetimeTerms& terms, double bias) {
  require_positive(bias, "bias");
  validate(terms);
  return detection_n(terms.p0, bias, terms.alpha * terms.weight);
}

}  // namespace dropcheck::stats
