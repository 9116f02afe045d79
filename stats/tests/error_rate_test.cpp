// Exact error rates of the confidence sequence, by dynamic programming over
// every n: the law of the drops, absorbed where the boundary is crossed.
// Expected values from an independent program (STATISTICS 2.d).
#include <algorithm>
#include <utility>
#include <vector>

#include "dropcheck/stats/beta_binomial.hpp"
#include "near.hpp"

namespace dropcheck::stats {
namespace {

constexpr double kA = 20.7232658369;

// P(drops = k, not absorbed), kept between two moving bounds.
class Walk {
 public:
  explicit Walk(std::uint64_t n_max) : mass_(n_max + 2) { mass_[0] = 1; }

  void step(double p) {
    ++n_;
    ++last_;
    for (std::uint64_t k = last_; k > first_; --k)
      mass_[k] = mass_[k] * (1 - p) + mass_[k - 1] * p;
    mass_[first_] *= 1 - p;
  }

  // Takes the mass off both ends for which `crossed` holds.
  template <typename Crossed>
  double absorb_ends(const Crossed& crossed) {
    double absorbed = 0;
    while (first_ <= last_ && crossed(Counts{first_, n_}))
      absorbed += take(first_++);
    while (last_ > first_ && crossed(Counts{last_, n_}))
      absorbed += take(last_--);
    return absorbed;
  }

  double absorb_up_to(std::uint64_t edge) {
    double absorbed = 0;
    while (first_ <= last_ && first_ <= edge) absorbed += take(first_++);
    return absorbed;
  }

  // Forgets what lies so far out that doubles hold nothing of interest.
  void trim(double negligible) {
    while (last_ > first_ && mass_[last_] < negligible) take(last_--);
    while (first_ < last_ && mass_[first_] < negligible) take(first_++);
  }

  std::uint64_t n() const { return n_; }

 private:
  double take(std::uint64_t k) { return std::exchange(mass_[k], 0.0); }

  std::vector<double> mass_;
  std::uint64_t n_ = 0;
  std::uint64_t first_ = 0;
  std::uint64_t last_ = 0;
};

double false_refutation(double p, double delta, std::uint64_t n_max) {
  const BetaPrior prior = prior_around(p, recommended_kappa(p, delta));
  Walk walk(n_max);
  double absorbed = 0;
  while (walk.n() < n_max) {
    walk.step(p);
    absorbed += walk.absorb_ends([&](const Counts& counts) {
      return log_martingale(counts, prior, p) >= kA;
    });
  }
  return absorbed;
}

TEST(FalseRefutation, HasItsExactProbabilityAtFiftyUnitsOfTime) {
  EXPECT_TRUE(agrees(false_refutation(.1, 1e-2, 45'000), 3.204e-10, 2e-4));
}

TEST(FalseRefutation, StaysBelowAlphaToTheEndOfTheBudget) {
  EXPECT_TRUE(agrees(false_refutation(.1, 1e-2, 207'000), 6.311354e-10, 1e-6));
}

// The last certifying count, which only grows with n.
class CertifyingEdge {
 public:
  CertifyingEdge(double p0, double delta)
      : p0_(p0),
        delta_(delta),
        prior_(prior_around(p0, recommended_kappa(p0, delta))) {}

  // Once counts certify, those below them do too, or are out of reach. The
  // first of them lie within 50 of n p0 and are looked for at every eighth n.
  std::uint64_t at(std::uint64_t n) {
    const auto centre =
        static_cast<std::uint64_t>(static_cast<double>(n) * p0_);
    if (edge_ == 0 && n % 8 == 0 && centre > 50)
      for (auto k = centre - 50; k < centre + 50; ++k)
        if (certifies({k, n})) edge_ = k;
    while (edge_ > 0 && certifies({edge_ + 1, n})) ++edge_;
    return edge_;
  }

 private:
  bool certifies(const Counts& counts) const {
    return log_martingale(counts, prior_, p0_ - delta_) >= kA &&
           log_martingale(counts, prior_, p0_ + delta_) >= kA;
  }

  double p0_, delta_;
  BetaPrior prior_;
  std::uint64_t edge_ = 0;
};

// The rate is off by exactly delta, so that walks meet the region from above.
double false_certification(double p, double p0, double delta,
                           std::uint64_t n_max) {
  CertifyingEdge edge(p0, delta);
  Walk walk(n_max);
  double absorbed = 0;
  while (walk.n() < n_max) {
    walk.step(p);
    walk.trim(1e-30);
    const std::uint64_t last = edge.at(walk.n());
    if (last > 0) absorbed += walk.absorb_up_to(last);
  }
  return absorbed;
}

TEST(FalseCertification, StaysBelowAlphaAtTheEdgeOfTheTolerance) {
  EXPECT_TRUE(
      agrees(false_certification(.11, .1, 1e-2, 207'000), 2.300e-10, 5e-4));
}

}  // namespace
}  // namespace dropcheck::stats
