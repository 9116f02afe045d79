// Constants and the table of alpha dropout (STATISTICS 2.c F3).
#include "dropcheck/stats/selu.hpp"

#include <numbers>

#include "near.hpp"

namespace dropcheck::stats {
namespace {

struct Row {
  double drop;
  double a;
  double b;
  double dropped_value;
  double normal_skewness, normal_kurtosis;
  double selu_skewness, selu_kurtosis;
};
constexpr Row kRows[] = {
    {.05, 0.95484447600503087639, 0.083935572193810186713,
     -1.5947758716823935475, 0.0158615626319692, 2.72913771006134,
     0.34059222511616, 2.44580074297562},
    {.1, 0.92128451614971148273, 0.16197097005757022794, -1.4577387305181320514,
     0.0652378705849685, 2.51751092218737, 0.341566319474888, 2.37439478558139},
    {.2, 0.87890358344353285886, 0.30903996214409452103, -1.2361598485763780841,
     0.218758029866717, 2.26054102138836, 0.432021006157858, 2.2869824132244},
    {.3, 0.86095261624635603041, 0.45409206813706294170, -1.0595481589864801973,
     0.415536413502691, 2.20361757031549, 0.59093963429445, 2.33111969810166},
    {.5, 0.88640489466593184751, 0.77919393051803164894,
     -0.77919393051803164894, 0.918334945949758, 2.72576375453042,
     1.05506633139296, 2.998557709357},
    {.9, 1.6261082760401306300, 2.5729738994273561990, -0.28588598882526179989,
     3.72338867799361, 16.9894754068412, 3.89221888534882, 18.379656940696}};

TEST(SeluConstants, SatisfyTheirDerivation) {
  using std::numbers::pi;
  const double e1 = std::erfc(1 / std::numbers::sqrt2);
  const double e2 = std::erfc(std::numbers::sqrt2);
  const double root_e = std::sqrt(std::numbers::e);
  const double alpha = -std::sqrt(2 / pi) / (e1 * root_e - 1);
  const double radicand = 2 * e2 * std::exp(2.0) +
                          pi * e1 * e1 * std::numbers::e -
                          2 * (2 + pi) * e1 * root_e + pi + 2;
  const double scale =
      (1 - e1 * root_e) * std::sqrt(2 * pi) / std::sqrt(radicand);
  EXPECT_TRUE(agrees(kSeluAlpha, alpha, 2e-15));
  EXPECT_TRUE(agrees(kSeluScale, scale, 4e-15));
  EXPECT_TRUE(agrees(kAlphaPrime, -scale * alpha, 4e-15));
  EXPECT_TRUE(agrees(kAlphaPrime * kAlphaPrime, 3.0909132922879809971, 1e-15));
}

TEST(SeluMoments, AreThoseOfTheTable) {
  const RawMoments raw = selu_raw_moments();
  EXPECT_TRUE(agrees(raw[3], 0.39264653874010492186, 1e-13));
  EXPECT_TRUE(agrees(raw[4], 2.5031404506154079263, 1e-13));
}

// Simpson's rule over [-12, 12] is exact to 1e-12 on each smooth half.
double integrated_moment(int k) {
  const auto integrand = [k](double z) {
    const double y =
        z > 0 ? kSeluScale * z : kSeluScale * kSeluAlpha * std::expm1(z);
    return std::pow(y, k) * std::exp(-z * z / 2) /
           std::sqrt(2 * std::numbers::pi);
  };
  constexpr int kSteps = 8'000;
  const double h = 12.0 / kSteps;
  double sum = 0;
  for (int i = 0; i <= kSteps; ++i) {
    const double weight = i == 0 || i == kSteps ? 1 : i % 2 == 1 ? 4 : 2;
    sum += weight * (integrand(i * h) + integrand(-i * h));
  }
  return sum * h / 3;
}

TEST(SeluMoments, AgreeWithNumericalIntegrationUpToTheEighth) {
  const RawMoments raw = selu_raw_moments();
  EXPECT_NEAR(integrated_moment(1), 0, 1e-12);
  EXPECT_NEAR(integrated_moment(2), 1, 1e-12);
  for (int k = 3; k <= 8; ++k)
    EXPECT_TRUE(
        agrees(raw[static_cast<std::size_t>(k)], integrated_moment(k), 1e-11))
        << k;
}

TEST(AlphaDropoutMap, IsThatOfTheTable) {
  for (const Row& row : kRows) {
    const auto [a, b] = alpha_dropout_map(row.drop);
    EXPECT_TRUE(agrees(a, row.a, 1e-15)) << row.drop;
    EXPECT_TRUE(agrees(b, row.b, 1e-15)) << row.drop;
    EXPECT_TRUE(agrees(a * kAlphaPrime + b, row.dropped_value, 4e-15));
  }
}

TEST(AlphaDropoutMoments, KeepMeanZeroAndVarianceOne) {
  for (const Row& row : kRows)
    for (const RawMoments& input : {normal_raw_moments(), selu_raw_moments()}) {
      const TheoreticalMoments law = alpha_dropout_moments(input, row.drop);
      EXPECT_NEAR(law.mean, 0, 1e-14);
      EXPECT_NEAR(law.variance(), 1, 1e-14);
    }
}

TEST(AlphaDropoutMoments, HaveSkewnessAndKurtosisOfTheTable) {
  for (const Row& row : kRows) {
    const auto normal = alpha_dropout_moments(normal_raw_moments(), row.drop);
    const auto selu = alpha_dropout_moments(selu_raw_moments(), row.drop);
    EXPECT_NEAR(normal.skewness(), row.normal_skewness, 2e-13);
    EXPECT_TRUE(agrees(normal.kurtosis(), row.normal_kurtosis, 1e-13));
    EXPECT_NEAR(selu.skewness(), row.selu_skewness, 2e-13);
    EXPECT_TRUE(agrees(selu.kurtosis(), row.selu_kurtosis, 1e-13));
  }
}

}  // namespace
}  // namespace dropcheck::stats
