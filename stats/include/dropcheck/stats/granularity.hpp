#pragma once

#include <cstdint>

namespace dropcheck::stats {

/// Exact checks that chance can fool: how often, and how much data avoids it.
/// In all of them p is the drop probability, in (0, 1), and two independent
/// decisions agree with probability p^2 + (1-p)^2.

/// ln of the probability that that many independent pairs all agree.
double log_chance_identical(double p, std::uint64_t decisions);

/// Calls after which different units have different histories.
///
/// Formula ceil((2 ln elements - ln 2 + A) / -ln(p^2 + (1-p)^2)), the union
///         over all pairs; A = log_inverse_eps.
/// Law     with probability at least 1 - exp(-A), no two of that many
///         independent units show the same mask in all calls.
/// Throws  std::domain_error unless p is in (0, 1), elements >= 2, A > 0.
std::uint64_t signature_calls(std::uint64_t elements, double p,
                              double log_inverse_eps);

/// Width of a window of mask bits that does not repeat by chance.
///
/// Formula ceil((log_pairs + A) / -ln(p^2 + (1-p)^2)), where log_pairs is ln of
///         the number of pairs of windows compared, in total.
/// Throws  std::domain_error unless p is in (0, 1), log_pairs >= 0, A > 0.
std::uint64_t overlap_window_bits(double log_pairs, double log_inverse_eps,
                                  double p);

/// Lines that are not all constant by chance, where a line has `length` units.
///
/// Formula ceil(A / -ln(p^length + (1-p)^length)).
/// Throws  std::domain_error unless p is in (0, 1), length >= 2, A > 0.
std::uint64_t constant_lines(std::uint64_t length, double p,
                             double log_inverse_eps);

}  // namespace dropcheck::stats
