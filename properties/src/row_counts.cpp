#include "row_counts.hpp"

#include <algorithm>
#include <boost/math/distributions/binomial.hpp>
#include <cmath>
#include <vector>

namespace dropcheck::properties {
namespace {

constexpr double kPriorWeight = 8;
constexpr double kLeastShare = 1e-6;

/// Cells (.., e0], (e0, e1], ..., (ek, ..) with their observed counts.
class Cells {
 public:
  Cells(std::span<const std::uint32_t> drops, std::uint64_t row_bits, double p0)
      : row_bits_(static_cast<double>(row_bits)) {
    const double mean = row_bits_ * p0;
    const double sd = std::sqrt(mean * (1 - p0));
    for (int k = -7; k <= 7; ++k) {
      const double edge = std::floor(mean + sd * k * 0.4);
      if (edge < 0 || edge >= row_bits_) continue;
      if (edges_.empty() || edge > edges_.back()) edges_.push_back(edge);
    }
    counts_.assign(edges_.size() + 1, 0);
    for (const std::uint32_t drop : drops) {
      const auto cell = std::lower_bound(edges_.begin(), edges_.end(),
                                         static_cast<double>(drop));
      ++counts_[static_cast<std::size_t>(cell - edges_.begin())];
      total_ += drop;
    }
    rows_ = static_cast<double>(drops.size());
  }

  bool comparable() const { return edges_.size() >= 2 && rows_ >= 2; }

  /// Marginal likelihood of the cells under the Dirichlet prior around p0.
  double log_mixture(double p0) const {
    const std::vector<double> theta = shares(p0);
    double prior_sum = 0;
    double log_likelihood = 0;
    for (std::size_t j = 0; j < counts_.size(); ++j) {
      const double prior = kPriorWeight * std::max(theta[j], kLeastShare);
      prior_sum += prior;
      log_likelihood += std::lgamma(prior + counts_[j]) - std::lgamma(prior);
    }
    return log_likelihood + std::lgamma(prior_sum) -
           std::lgamma(prior_sum + rows_);
  }

  /// Supremum over all rates, by golden sections around the pooled rate: the
  /// likelihood of intervals of a binomial count has one maximum in p.
  double largest_log_likelihood() const {
    const double pooled = total_ / (rows_ * row_bits_);
    const double sd =
        std::sqrt(std::max(pooled * (1 - pooled), 1e-12) / row_bits_);
    double low = std::max(1e-12, pooled - 4 * sd);
    double high = std::min(1 - 1e-12, pooled + 4 * sd);
    for (int step = 0; step < 60; ++step) {
      const double width = (high - low) * 0.3819660112501051;
      if (log_likelihood(low + width) < log_likelihood(high - width)) {
        low += width;
      } else {
        high -= width;
      }
    }
    return log_likelihood((low + high) / 2);
  }

 private:
  std::vector<double> shares(double p) const {
    const boost::math::binomial_distribution<double> law(row_bits_, p);
    std::vector<double> theta;
    double below = 0;
    for (const double edge : edges_) {
      const double upto = boost::math::cdf(law, edge);
      theta.push_back(std::max(upto - below, 0.0));
      below = upto;
    }
    theta.push_back(
        boost::math::cdf(boost::math::complement(law, edges_.back())));
    return theta;
  }

  double log_likelihood(double p) const {
    const std::vector<double> theta = shares(p);
    double sum = 0;
    for (std::size_t j = 0; j < counts_.size(); ++j) {
      if (counts_[j] > 0) {
        sum += counts_[j] * std::log(std::max(theta[j], 1e-300));
      }
    }
    return sum;
  }

  double row_bits_;
  double rows_ = 0;
  double total_ = 0;
  std::vector<double> edges_;
  std::vector<double> counts_;
};

}  // namespace

double log_row_count_e_value(std::span<const std::uint32_t> drops,
                             std::uint64_t row_bits, double p0) {
  const Cells cells(drops, row_bits, p0);
  if (!cells.comparable()) return 0;
  return cells.log_mixture(p0) - cells.largest_log_likelihood();
}

}  // namespace dropcheck::properties
