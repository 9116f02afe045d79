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

/// Two digits are all that a plan can promise.
double two_digits(double value);

}  // namespace dropcheck::properties
