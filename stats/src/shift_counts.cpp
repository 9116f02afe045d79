#include "dropcheck/stats/shift_counts.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <limits>
#include <optional>

#include "require.hpp"
#include "special.hpp"

namespace dropcheck::stats {
namespace {

constexpr double kScreen = 8;
constexpr double kInfinity = std::numeric_limits<double>::infinity();

constexpr std::uint64_t kMostPairs = std::uint64_t{1} << 53;

bool add_up(const ShiftCounts& c) {
  return c.pairs < kMostPairs && c.both <= c.earlier && c.both <= c.later &&
         c.earlier <= c.pairs && c.later - c.both <= c.pairs - c.earlier;
}

// Says what does not add up.
void require_joint_counts(const ShiftCounts& c) {
  if (add_up(c)) return;
  require(c.pairs < kMostPairs, "pairs", as_double(c.pairs), "below 2^53");
  require(c.both <= std::min(c.earlier, c.later), "both", as_double(c.both),
          "at most earlier and later");
  require(false, "earlier + later - both",
          as_double(c.earlier) + as_double(c.later) - as_double(c.both),
          "at most pairs");
}

// pairs times the squared correlation of the table: an upper bound of ln of
// the likelihood of two free rates over that of the best common one.
double chi_square(const ShiftCounts& c) {
  const double n = as_double(c.pairs);
  const double a = as_double(c.earlier);
  const double b = as_double(c.later);
  const double excess = n * as_double(c.both) - a * b;
  const double scale = (a * (n - a)) * (b * (n - b));
  return scale > 0 ? n * excess / scale * excess : 0;
}

// The same for the best common rate against the nearest one of the null.
double null_excess(const ShiftCounts& c, Interval null_rates) {
  const double n = as_double(c.pairs);
  if (n == 0) return 0;
  const double rate = as_double(c.later) / n;
  const double p = std::clamp(rate, null_rates.lower, null_rates.upper);
  if (p == rate) return 0;
  const double scale = p * (1 - p);
  return scale > 0 ? n * (rate - p) * (rate - p) / scale : kInfinity;
}

// One test for all shifts of about as many pairs, made when first needed.
class Tests {
 public:
  Tests(double p0, double log_threshold)
      : p0_(p0), log_threshold_(log_threshold) {}

  const CorrelationTest& of(std::uint64_t pairs) {
    const auto octave = static_cast<std::size_t>(std::bit_width(pairs));
    auto& test = tests_[octave];
    if (!test)
      test.emplace(CorrelationPlan{
          p0_, std::ldexp(1.0, static_cast<int>(octave)), log_threshold_});
    return *test;
  }

 private:
  double p0_;
  double log_threshold_;
  std::array<std::optional<CorrelationTest>, 65> tests_;
};

std::uint64_t drops_between(std::span<const std::uint64_t> drops_before,
                            std::size_t first, std::size_t last) {
  return drops_before[last] - drops_before[first];
}

}  // namespace

ShiftCounts& ShiftCounts::operator+=(const ShiftCounts& other) {
  pairs += other.pairs;
  earlier += other.earlier;
  later += other.later;
  both += other.both;
  return *this;
}

BinaryContexts ShiftCounts::contexts() const {
  return {{later - both, pairs - earlier}, {both, earlier}};
}

std::vector<ShiftCounts> own_shifts(std::span<const std::uint64_t> drops_before,
                                    std::span<const std::uint64_t> both) {
  require_shape(!drops_before.empty(), "length of drops_before",
                drops_before.size(), "positive");
  require_shape(!both.empty() && both.size() <= drops_before.size(),
                "length of both", both.size(),
                "positive and at most that of drops_before");
  const std::size_t n = drops_before.size() - 1;
  std::vector<ShiftCounts> shifts;
  shifts.reserve(both.size() - 1);
  for (std::size_t k = 1; k < both.size(); ++k)
    shifts.push_back({n - k, drops_between(drops_before, 0, n - k),
                      drops_between(drops_before, k, n), both[k]});
  return shifts;
}

std::vector<ShiftCounts> cross_shifts(
    std::span<const std::uint64_t> earlier_drops_before,
    std::span<const std::uint64_t> later_drops_before,
    std::span<const std::uint64_t> both) {
  const bool empty =
      earlier_drops_before.size() < 2 || later_drops_before.size() < 2;
  require_shape(!empty, "length of the shorter sequence", 0, "positive");
  const std::size_t n = earlier_drops_before.size() - 1;
  const std::size_t m = later_drops_before.size() - 1;
  require_shape(both.size() == n + m - 1, "length of both", both.size(),
                "one less than both lengths together");
  std::vector<ShiftCounts> shifts;
  shifts.reserve(both.size());
  for (std::size_t at = 0; at < both.size(); ++at) {
    // The shift is at - (n - 1); pairs begin at one start or the other.
    const std::size_t skip_earlier = at < n - 1 ? n - 1 - at : 0;
    const std::size_t skip_later = at > n - 1 ? at - (n - 1) : 0;
    const std::size_t pairs = std::min(n - skip_earlier, m - skip_later);
    shifts.push_back(
        {pairs,
         drops_between(earlier_drops_before, skip_earlier,
                       skip_earlier + pairs),
         drops_between(later_drops_before, skip_later, skip_later + pairs),
         both[at]});
  }
  return shifts;
}

ShiftEvidence shift_evidence(std::span<const ShiftCounts> shifts, double p0,
                             Interval null_rates, double log_inverse_alpha) {
  require_inner_probability(p0, "p0");
  require_rates(null_rates, "null_rates");
  require_positive(log_inverse_alpha, "log_inverse_alpha");
  if (shifts.empty()) return {};
  const double log_number = std::log(static_cast<double>(shifts.size()));
  Tests tests(p0, log_inverse_alpha + log_number);
  ShiftEvidence evidence;
  evidence.log_e = evidence.strongest_log_e = -kInfinity;
  std::vector<std::pair<double, std::size_t>> passed;
  std::pair<double, std::size_t> best_screened{-1, 0};
  for (std::size_t k = 0; k < shifts.size(); ++k) {
    require_joint_counts(shifts[k]);
    const double bound =
        chi_square(shifts[k]) + null_excess(shifts[k], null_rates);
    if (bound > kScreen) passed.emplace_back(bound, k);
    if (bound > best_screened.first) best_screened = {bound, k};
  }
  // One is always evaluated, so that there is something to report.
  if (passed.empty()) passed.push_back(best_screened);
  for (const auto& [bound, k] : passed) {
    const double log_e =
        tests.of(shifts[k].pairs).log_e_value(shifts[k].contexts(), null_rates);
    evidence.log_e = log_add(evidence.log_e, log_e - log_number);
    if (log_e > evidence.strongest_log_e) {
      evidence.strongest = k;
      evidence.strongest_log_e = log_e;
    }
  }
  evidence.evaluated = passed.size();
  const double screened = static_cast<double>(shifts.size() - passed.size());
  evidence.log_e_at_most =
      log_add(evidence.log_e, std::log(screened) + kScreen - log_number);
  return evidence;
}

}  // namespace dropcheck::stats
