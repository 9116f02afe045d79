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

TEST(FalseRefutation, StaysBelowAlphaLongAfterIt) {
  EXPECT_TRUE(agrees(false_refutation(.1, 1e-2, 900'000), 8.078e-10, 2e-4));
}

TEST(FalseRefutation, IsHardlyDifferentForAFairCoin) {
  EXPECT_TRUE(agrees(false_refutation(.5, 1e-2, 125'000), 3.250e-10, 2e-4));
  EXPECT_TRUE(agrees(false_refutation(.5, 1e-2, 575'000), 6.375516e-10, 1e-6));
}

// The last certifying count, which only grows with n.
class CertifyingEdge {
 public:
  CertifyingEdge(double p0, double delta, const BetaPrior& prior)
      : p0_(p0), delta_(delta), prior_(prior) {}

  // Once counts certify, those below them do too, or are out of reach. The
  // first of them, a few that come and go, lie within 50 of n p0 and are looked
  // for at every eighth n.
  std::uint64_t at(std::uint64_t n) {
    if (edge_ == 0 || !certifies({edge_, n})) search(n);
    while (edge_ > 0 && edge_ < n && certifies({edge_ + 1, n})) ++edge_;
    return edge_;
  }

 private:
  void search(std::uint64_t n) {
    const auto centre =
        static_cast<std::uint64_t>(static_cast<double>(n) * p0_);
    if (n % 8 != 0 || centre < 50) return;
    for (auto k = centre - 50; k < std::min(n, centre + 50); ++k)
      if (certifies({k, n})) edge_ = k;
  }
  bool certifies(const Counts& counts) const {
    return log_martingale(counts, prior_, p0_ - delta_) >= kA &&
           log_martingale(counts, prior_, p0_ + delta_) >= kA;
  }

  double p0_, delta_;
  BetaPrior prior_;
  std::uint64_t edge_ = 0;
};

constexpr double kRecommended = 1.1;

// The rate is p0 + delta, so that walks meet the region from above. A rate of
// p0 - delta is that of keeps, mirrored.
double false_certification(double p0, double delta, std::uint64_t n_max,
                           double kappa_prime = kRecommended) {
  const double kappa =
      kappa_prime / kRecommended * recommended_kappa(p0, delta);
  CertifyingEdge edge(p0, delta, prior_around(p0, kappa));
  Walk walk(n_max);
  double absorbed = 0;
  while (walk.n() < n_max) {
    walk.step(p0 + delta);
    walk.trim(1e-30);
    const std::uint64_t last = edge.at(walk.n());
    if (last > 0) absorbed += walk.absorb_up_to(last);
  }
  return absorbed;
}

TEST(FalseCertification, StaysBelowAlphaAtTheEdgeOfTheTolerance) {
  EXPECT_TRUE(agrees(false_certification(.1, 1e-2, 207'000), 2.300e-10, 5e-4));
  EXPECT_TRUE(agrees(false_certification(.9, 1e-2, 207'000), 2.223e-10, 1e-3));
  EXPECT_TRUE(agrees(false_certification(.5, 1e-2, 575'000), 2.276e-10, 5e-4));
}

TEST(FalseCertification, StaysBelowAlphaWithASharperPriorToo) {
  EXPECT_TRUE(
      agrees(false_certification(.1, 1e-2, 207'000, 20), 5.60e-10, 2e-3));
  EXPECT_TRUE(
      agrees(false_certification(.9, 1e-2, 207'000, 20), 4.71e-10, 2e-3));
}

// Looking again and again at a test for one fixed n: what anytime-valid
// statistics are for. Nominally 1e-9.
double peeking(double p, std::uint64_t every) {
  constexpr double kZ = 6.1094102048694;
  Walk walk(100'000);
  double absorbed = 0;
  while (walk.n() < 100'000) {
    walk.step(p);
    if (walk.n() < 1'000 || walk.n() % every != 0) continue;
    absorbed += walk.absorb_ends([&](const Counts& counts) {
      const double n = static_cast<double>(counts.n);
      const double excess = static_cast<double>(counts.drops) - n * p;
      return std::abs(excess) >= kZ * std::sqrt(n * p * (1 - p));
    });
  }
  return absorbed;
}

TEST(Peeking, MultipliesTheFalseAlarmsOfAFixedTest) {
  EXPECT_TRUE(agrees(peeking(.5, 1), 8.3e-8, .01));
  EXPECT_TRUE(agrees(peeking(.1, 1), 1.54e-7, .01));
  EXPECT_TRUE(agrees(peeking(.5, 1'000), 3.1e-8, .02));
}

}  // namespace
}  // namespace dropcheck::stats
