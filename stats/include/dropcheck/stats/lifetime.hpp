#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "dropcheck/stats/counts.hpp"

namespace dropcheck::stats {

/// A claim about a drop rate that outlives a run: nightly counts add up, so
/// that a bias too small for any one night is found after weeks. Refutation
/// only. All of this is fixed when the lifetime begins, and its fingerprint is
/// kept with the counts.
struct LifetimeTerms {
  /// What is under test. Any change of them begins a new lifetime.
  std::string subject;        ///< Name and version of the layer's library.
  std::string build;          ///< Its binary: a hash, a commit.
  std::string device;         ///< Where it runs.
  std::string configuration;  ///< Layer, rate, dtype, shape.

  double p0 = 0;           ///< Specified drop probability, in (0, 1).
  double kappa = 0;        ///< Prior weight: recommended_kappa(p0, smallest
                           ///< bias that is to be found).
  Interval declared = {};  ///< What a right layer may realise.
  double alpha = 1e-9;     ///< P(ever refuted | right), beside that of a run.
  double weight = 1;       ///< Share of this claim among all lifetimes.
};

/// Throws std::domain_error, naming parameter, value and rule, unless p0 is in
/// (0, 1), kappa positive, declared within [0, 1], alpha in (0, 0.5) and
/// weight in (0, 1].
void validate(const LifetimeTerms& terms);

/// 64-bit FNV-1a hash of all terms, numbers by their exact value. Guards
/// against mistakes and edits by hand, not against forgery.
std::uint64_t fingerprint(const LifetimeTerms& terms);

/// What is carried from night to night. Plain data: write every field.
struct Lifetime {
  LifetimeTerms terms;
  std::uint64_t fingerprint = 0;     ///< Of the terms, when the lifetime began.
  Counts counts;                     ///< All closed nights.
  std::vector<std::uint64_t> seeds;  ///< Run seed of every night, in order.
  std::uint64_t killed = 0;          ///< Nights that never ended.
  std::optional<std::uint64_t> open;  ///< Seed of the night that is running.
  Counts open_counts;                 ///< What it has recorded so far.
};

/// A lifetime without nights. Throws as validate.
Lifetime begin_lifetime(const LifetimeTerms& terms);

/// Whether a stored lifetime may go on under these terms: subject, build,
/// device, configuration and numbers are the same.
bool continues(const Lifetime& lifetime, const LifetimeTerms& terms);

/// Registers a night before it draws anything, so that it counts whatever
/// becomes of it. A night still open was killed: what it recorded is kept.
///
/// Throws  std::invalid_argument if the fingerprint is not that of the terms,
///         or a night with this seed was entered before: replays and fixed
///         seeds are no evidence.
void begin_night(Lifetime& lifetime, std::uint64_t run_seed);

/// Records what the open night has counted so far, all of it. Call it before
/// a verdict of the night is looked at.
///
/// Throws  std::invalid_argument if no night is open or the fingerprint is
///         wrong; std::domain_error if drops exceeds n, less was counted than
///         recorded before, or the sum reaches 2^63.
void record_night(Lifetime& lifetime, const Counts& counts);

/// Closes the open night. Throws as record_night.
void end_night(Lifetime& lifetime);

/// ln of the e-value of all nights against the declared set, the open one
/// included as far as it was recorded.
///
/// Formula ln of a mixture of beta-binomial martingales M(p), at the declared p
///         nearest to the pooled rate: half has the prior weight kappa, a sixth
///         each a hundredth, 1e-4 and 1e-6 of it, for larger biases.
/// Law     P(ever refuted | declared) <= weight alpha over the whole lifetime,
///         given fresh seeds, every night entered, and no night left out for
///         what it showed.
/// Throws  std::invalid_argument if the fingerprint is not that of the terms.
double lifetime_log_e_value(const Lifetime& lifetime);

/// Whether that reaches ln(1 / alpha) + ln(1 / weight).
bool lifetime_refuted(const Lifetime& lifetime);

/// Expected decisions until a bias is refuted: 45.6 p0 (1 - p0) / bias^2 at
/// alpha = 1e-9 and weight 1, if kappa was recommended for it; 4.1e12 for 1e-6
/// at p0 = 0.1.
///
/// Throws  std::domain_error unless bias is positive; as validate.
double lifetime_expected_n(const LifetimeTerms& terms, double bias);

}  // namespace dropcheck::stats
