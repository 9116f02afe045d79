#pragma once

namespace dropcheck::stats {

/// Deviance x ln(x / m) + m - x of a Poisson mean m at x, without cancellation.
///
/// Values  x >= 0, m >= 0. Zero where x == m; m where x is 0; infinite where
///         m is 0 and x is not.
/// Errors  relative error a few 1e-16 beyond that of the difference x - m.
/// Throws  std::domain_error if x or m is negative or NaN.
/// Source  Loader's saddle-point expansion, as in R's dbinom.
double bd0(double x, double m);

/// Kullback-Leibler divergence of Bernoulli(x) from Bernoulli(y), in nats.
///
/// Formula x ln(x/y) + (1-x) ln((1-x)/(1-y)), as bd0(x, y) + bd0(1-x, 1-y).
/// Values  in [0, infinity]; infinite where y excludes what x allows.
/// Throws  std::domain_error if x or y is outside [0, 1].
double kl_bernoulli(double x, double y);

/// Two error probabilities of a test between two simple hypotheses.
struct ErrorPair {
  double alpha;  ///< P(reject | null), in (0, 0.5).
  double beta;   ///< P(accept | alternative), in (0, 0.5).
};

/// Least expected n of any sequential test that tells p from p1.
///
/// Formula kl(beta || 1 - alpha) / KL(p || p1). No test of these two error
///         probabilities needs fewer decisions on average under p.
/// Throws  std::domain_error if an error probability is outside (0, 0.5), or
///         p or p1 outside [0, 1], or p == p1.
/// Source  Wald 1945, Sequential Tests of Statistical Hypotheses.
double wald_lower_bound(double p, double p1, ErrorPair errors);

}  // namespace dropcheck::stats
