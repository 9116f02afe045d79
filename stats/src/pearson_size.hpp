#pragma once

namespace dropcheck::stats {

/// How far Pearson's statistic is from its chi-square law: sums over the
/// joint cumulants of the normalised counts. With N counts both fall as 1 / N.
struct PearsonCumulants {
  double fourth;  ///< Sum of k_iijj.
  double third;   ///< Sum of 3 k_iij k_jkk + 2 k_ijk^2.
};

/// One side of a table: its number of categories, and the sum of the
/// reciprocals of their shares. k^2 where all are equal, more otherwise.
struct Categories {
  double number;
  double reciprocals;
};

/// For n counts in cells of known probabilities.
PearsonCumulants known_cells(double n, const Categories& cells);

/// For a table whose margins are given: skewness needs unequal rows *and*
/// unequal columns.
/// Source  Haldane 1940, for the variance.
PearsonCumulants given_margins(double n, const Categories& rows,
                               const Categories& columns);

/// True size of Pearson's test over the nominal one.
///
/// Formula exp(r), where r is the first term of the asymptotic expansion of the
///         statistic's law, relative to the chi-square tail at the critical
///         value of `level`.
/// Errors  within 10 % where it is below 2, too large beyond: calibrated in
///         chi_square_calibration_test.cpp. That the statistic is discrete is
///         not in it.
/// Source  Yarnold 1972, Journal of the American Statistical Association 67.
double pearson_inflation(const PearsonCumulants& cumulants, double degrees,
                         double level);

}  // namespace dropcheck::stats
