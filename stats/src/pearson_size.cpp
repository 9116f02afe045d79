#include "pearson_size.hpp"

#include <boost/math/distributions/chi_squared.hpp>
#include <cmath>

#include "special.hpp"

namespace dropcheck::stats {
namespace {

// Of one observation: sums of squares of the third cumulants.
double traced(const Categories& c) {
  return c.reciprocals - c.number * c.number;
}
double untraced(const Categories& c) {
  return c.reciprocals - 3 * c.number + 2;
}

// Half the variance that equal margins leave.
double spread(double n, const Categories& c) {
  return (c.number - 1) * (n - c.number) / (n - 1) - traced(c) / (n - 2);
}

}  // namespace

PearsonCumulants known_cells(double n, const Categories& cells) {
  return {(traced(cells) - 2 * cells.number + 2) / n,
          (3 * traced(cells) + 2 * untraced(cells)) / n};
}

PearsonCumulants given_margins(double n, const Categories& rows,
                               const Categories& columns) {
  const double variance =
      2 * n / (n - 3) * spread(n, rows) * spread(n, columns) +
      n / (n - 2) * n / (n - 2) * traced(rows) * traced(columns) / (n - 1);
  const double degrees = (rows.number - 1) * (columns.number - 1);
  return {variance - 2 * degrees, (3 * traced(rows) * traced(columns) +
                                   2 * untraced(rows) * untraced(columns)) /
                                      n};
}

double pearson_inflation(const PearsonCumulants& cumulants, double degrees,
                         double level) {
  const boost::math::chi_squared law(degrees);
  const double critical = quantile(complement(law, level));
  const auto tail = [&](double more) {
    return std::exp(log_chi_square_upper_tail(critical, degrees + more) -
                    std::log(level));
  };
  const double second = tail(4) - 2 * tail(2) + tail(0);
  const double third = tail(6) - 3 * tail(4) + 3 * tail(2) - tail(0);
  return std::exp((3 * cumulants.fourth * second + cumulants.third * third) /
                  24);
}

}  // namespace dropcheck::stats
