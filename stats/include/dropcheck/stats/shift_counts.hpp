#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "dropcheck/stats/correlation.hpp"
#include "dropcheck/stats/counts.hpp"

namespace dropcheck::stats {

/// Joint counts of the decisions of one sequence with those a fixed shift
/// before, as an autocorrelation or cross-correlation by FFT yields them.
///
/// Values  exact integers; both <= min(earlier, later), and earlier + later -
///         both <= pairs < 2^53.
/// Merge   exact: counts of one shift over many calls may be added.
struct ShiftCounts {
  std::uint64_t pairs = 0;
  std::uint64_t earlier = 0;  ///< Pairs whose earlier decision is a drop.
  std::uint64_t later = 0;    ///< Pairs whose later decision is a drop.
  std::uint64_t both = 0;     ///< Pairs of two drops.

  ShiftCounts& operator+=(const ShiftCounts& other);
  friend bool operator==(const ShiftCounts&, const ShiftCounts&) = default;
  BinaryContexts contexts() const;
};

/// Shifts 1, 2, ... of a sequence against itself.
///
/// Shape   drops_before[i] is the number of drops among the first i of n
///         decisions, i = 0..n. both[k], k = 0..K, counts the i with a drop at
///         i and at i - k. The result has K entries, for shifts 1..K.
/// Throws  std::invalid_argument if drops_before is empty, or both is empty or
///         longer than the sequence.
std::vector<ShiftCounts> own_shifts(std::span<const std::uint64_t> drops_before,
                                    std::span<const std::uint64_t> both);

/// Every shift of a later sequence of m decisions against an earlier one of n.
///
/// Shape   both[s + n - 1] counts the i with a drop at i of the earlier and at
///         i + s of the later sequence, s = -(n - 1)..m - 1: n + m - 1 entries,
///         and as many results in that order.
/// Valid   where every decision of the earlier sequence precedes all of the
///         later one, or comes from another stream: then s may be negative.
/// Throws  std::invalid_argument if the lengths do not fit.
std::vector<ShiftCounts> cross_shifts(
    std::span<const std::uint64_t> earlier_drops_before,
    std::span<const std::uint64_t> later_drops_before,
    std::span<const std::uint64_t> both);

/// What all shifts say together.
struct ShiftEvidence {
  double log_e = 0;            ///< ln of the e-value.
  double log_e_at_most = 0;    ///< ln of what it would be without screening.
  std::size_t strongest = 0;   ///< Index of the shift that says most.
  double strongest_log_e = 0;  ///< ln of that shift's own e-value.
  std::size_t evaluated = 0;   ///< Shifts that passed the screen.
};

/// The e-value of "no decision correlates with one a fixed shift before".
///
/// Formula mean over all shifts, each of weight 1 / number of shifts, of
///         CorrelationTest's e-value planned for as many pairs (rounded up to
///         a power of two) and a threshold raised by ln(number of shifts).
///         A shift whose e-value cannot exceed e^8 counts as 0: the screen is
///         ln E <= pairs phi^2 + pairs (phat - p)^2 / (p (1 - p)), with phi
///         the correlation of the four-fold table and p the rate of the null
///         nearest to phat, because Kullback-Leibler is at most chi-square.
/// Law     mean at most 1 under independent decisions of one rate in
///         null_rates, as each shift's context is known before the decision;
///         leaving out terms only lowers it.
/// Power   a correlation of about sqrt(2 (A + ln shifts) / pairs) at any one
///         shift: 0.0085 at 2^20 decisions for A = 20.7.
/// Cost    about 10 ns a shift, and 2 microseconds for each of the 0.5 % that
///         pass the screen by chance. A null that does not contain the rate
///         makes all of them pass.
/// Throws  std::domain_error for counts that do not add up, p0 or null_rates
///         out of range, or a threshold that is not positive.
ShiftEvidence shift_evidence(std::span<const ShiftCounts> shifts, double p0,
                             Interval null_rates,
                             double log_inverse_alpha = 20.72);

}  // namespace dropcheck::stats
