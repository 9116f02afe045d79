#pragma once

namespace dropcheck::properties {

/// Parts in place and in time that are compared with the whole.
inline constexpr double kSegments = 16;

/// The smallest effect that an e-value of the planned n finds with probability
/// 1 - 1e-9: its logarithm is about (Z + effect * sqrt(n))^2 / 2 less
/// `overhead` for the mixture, and has to reach the claim's threshold.
double detectable_z(double threshold, double overhead);

/// ln of what a mixture over one parameter costs at n.
double mixture_overhead(double n);

/// The positive correlation of two decisions of rate p that is found but for a
/// chance of 1e-9 among so many pairs, where ln E must reach `threshold`, what
/// the mixture costs included; at most 1. Unlike detectable_z it holds for
/// large ones: after few drops ln E grows less than the square.
double detectable_correlation(double p, double pairs, double threshold);

/// The smallest excess of a variance over its law's that the counts of so many
/// groups find with probability 1 - 1e-9, with a margin of 5 %.
double detectable_variance(double groups, double threshold);

/// Two digits are all that a plan can promise.
double two_digits(double value);

}  // namespace dropcheck::properties
