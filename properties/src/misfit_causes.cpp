#include "misfit_causes.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "rate_sets.hpp"

namespace dropcheck::properties {
namespace {

/// The results of the calibration, by what the law makes of them.
struct Results {
  std::vector<KeptPair> misfits;
  std::size_t all = 0;
  std::size_t kept = 0;  ///< as they should be
  std::size_t zeros = 0;
  double least = 0;
  double most = 0;
};

Results results_of(const Context& context) {
  const MaskReader& reader = *context.reader;
  Results results;
  for (const impl::Tensor& output : context.calibration) {
    const impl::TensorView view = output.view();
    for (std::int64_t i = 0; i < view.size(); ++i) {
      const auto element = static_cast<std::size_t>(i);
      const double y = view.value(i);
      const double x = reader.base(element);
      ++results.all;
      if (!std::isfinite(y)) continue;
      results.least = std::min(results.least, y);
      results.most = std::max(results.most, y);
      if (y == 0) ++results.zeros;
      if (reader.follows_law(element, y)) {
        if (y != 0) ++results.kept;
      } else {
        results.misfits.push_back({x, y});
      }
    }
  }
  return results;
}

template <class Holds>
bool all_of(const Results& results, const Holds& holds) {
  return std::all_of(results.misfits.begin(), results.misfits.end(), holds);
}

/// Every misfit is one of two ends, and would lie beyond them.
std::optional<std::string> clipped(const Results& results,
                                   const impl::Affine& due) {
  if (results.kept < 8 || results.misfits.size() < 8) return std::nullopt;
  const auto at_an_end = [&](const KeptPair& pair) {
    const double kept = due.a * pair.x + due.b;
    return (pair.y == results.most && kept > pair.y) ||
           (pair.y == results.least && kept < pair.y);
  };
  if (!all_of(results, at_an_end)) return std::nullopt;
  bool above = false;
  bool below = false;
  for (const KeptPair& pair : results.misfits) {
    above = above || pair.y == results.most;
    below = below || pair.y == results.least;
  }
  if (above && below) {
    return fmt::format("kept values are clipped to [{:.7g}, {:.7g}]",
                       results.least, results.most);
  }
  return above
             ? fmt::format("kept values are clipped above {:.7g}", results.most)
             : fmt::format("kept values are clipped below {:.7g}",
                           results.least);
}

/// The misfits, and they only, are one multiple of their inputs.
std::optional<std::string> multiples(const Context& context,
                                     const Results& results,
                                     const impl::Affine& due) {
  const std::size_t count = results.misfits.size();
  if (results.kept < 8 || count < 8) return std::nullopt;
  const double unit = 4 * rounding(context.config().dtype);
  const KeptPair& first = results.misfits.front();
  const double factor = first.y / first.x;
  if (factor == 0) return std::nullopt;
  const auto multiple = [&](const KeptPair& pair) {
    return std::abs(pair.y - factor * pair.x) <= unit * std::abs(pair.y);
  };
  if (!all_of(results, multiple)) return std::nullopt;
  if (results.zeros == 0 && std::abs(factor) < std::abs(due.a)) {
    return fmt::format(
        "dropped units become {:.6g} * x instead of {:.6g}: they are damped "
        "and not dropped",
        factor, due.dropped_value());
  }
  return fmt::format(
      "{} of {} results are {:.6g} * x, where others are kept values of {:.6g} "
      "* x: the scale is not the same for all",
      count, results.all, factor, due.a);
}

/// Misfits are the kept values as another dtype gives them.
std::optional<std::string> rounded_further(const Results& results,
                                           const impl::Affine& due) {
  for (const impl::DType dtype :
       {impl::DType::kFloat16, impl::DType::kBFloat16}) {
    const double unit = 2 * rounding(dtype);
    const auto same = [&](const KeptPair& pair) {
      const double kept = due.a * pair.x + due.b;
      return pair.y == impl::rounded(pair.y, dtype) &&
             std::abs(pair.y - kept) <= unit * (std::abs(kept) + 1e-9);
    };
    if (results.misfits.size() >= 64 && all_of(results, same)) {
      return fmt::format(
          "kept values have the precision of {} only: they pass through it",
          impl::name_of(dtype));
    }
  }
  return std::nullopt;
}

/// Mean and spread of y / x or y - x.
struct Spread {
  double mean = 0;
  double variance = 0;
};

template <class Value>
Spread spread_of(const std::vector<KeptPair>& pairs, const Value& value) {
  Spread spread;
  const auto n = static_cast<double>(pairs.size());
  for (const KeptPair& pair : pairs) spread.mean += value(pair) / n;
  for (const KeptPair& pair : pairs) {
    const double distance = value(pair) - spread.mean;
    spread.variance += distance * distance / n;
  }
  return spread;
}

/// Hardly anything is kept or dropped: the input is spread instead.
std::optional<std::string> noise(const Context& context,
                                 const Results& results) {
  if (results.misfits.size() * 10 < results.all * 9) return std::nullopt;
  std::vector<KeptPair> small;
  std::vector<KeptPair> large;
  for (const KeptPair& pair : results.misfits) {
    (std::abs(pair.x) < 1 ? small : large).push_back(pair);
  }
  if (small.size() < 64 || large.size() < 64) return std::nullopt;
  const auto ratio = [](const KeptPair& pair) { return pair.y / pair.x; };
  const auto gap = [](const KeptPair& pair) { return pair.y - pair.x; };
  const auto alike = [](double a, double b) {
    return a > 0 && b > 0 && std::abs(std::log(a / b)) < 0.5;
  };
  const double p = context.config().drop_probability;
  const Spread factor = spread_of(large, ratio);
  const Spread small_factor = spread_of(small, ratio);
  if (factor.variance > 1e-6 && alike(factor.variance, small_factor.variance)) {
    const bool gaussian = alike(factor.variance, p / (1 - p));
    return fmt::format(
        "values are multiplied by noise of mean {:.3g} and variance {:.3g} "
        "instead of being kept or dropped{}",
        factor.mean, factor.variance,
        gaussian ? ": looks like gaussian dropout" : "");
  }
  const Spread added = spread_of(large, gap);
  const Spread small_added = spread_of(small, gap);
  if (added.variance > 1e-6 && alike(added.variance, small_added.variance)) {
    return fmt::format(
        "noise of mean {:.3g} and variance {:.3g} is added to the values "
        "instead of keeping or dropping them",
        added.mean, added.variance);
  }
  return std::nullopt;
}

/// Attention whose rows still sum to one: where the mask must stand, then.
std::optional<std::string> rows_sum_to_one(const Context& context) {
  if (context.law().base != impl::Base::kEvaluation) return std::nullopt;
  const double slack = 64 * rounding(context.config().dtype);
  bool zeros = false;
  for (const impl::Tensor& output : context.calibration) {
    const impl::TensorView view = output.view();
    if (view.shape.empty() || view.shape.back() < 2) return std::nullopt;
    for (std::int64_t row = 0; row < view.size(); row += view.shape.back()) {
      double sum = 0;
      double base = 0;
      for (std::int64_t i = row; i < row + view.shape.back(); ++i) {
        sum += view.value(i);
        base += context.reader->base(static_cast<std::size_t>(i));
        zeros = zeros || view.value(i) == 0;
      }
      // The evaluation of a softmax sums to one; rows may be dropped whole.
      if (std::abs(base - 1) > slack) return std::nullopt;
      if (sum != 0 && std::abs(sum - 1) > slack) return std::nullopt;
    }
  }
  return zeros ? "every row still sums to 1: rows are divided by their sum "
                 "after dropping"
               : "every row still sums to 1 and nothing is 0: dropout stands "
                 "before the softmax";
}

/// The misfits are what the law makes of other elements.
std::optional<std::string> moved(const Context& context, const Results& results,
                                 const impl::Affine& due) {
  std::vector<double> kept;
  for (std::size_t i = 0; i < context.reader->size(); ++i) {
    kept.push_back(due.a * context.reader->base(i) + due.b);
  }
  std::sort(kept.begin(), kept.end());
  const double unit = 2 * rounding(context.config().dtype);
  std::size_t found = 0;
  for (const KeptPair& pair : results.misfits) {
    const double slack = unit * std::abs(pair.y);
    const auto at = std::lower_bound(kept.begin(), kept.end(), pair.y - slack);
    if (at != kept.end() && *at <= pair.y + slack) ++found;
  }
  // Of values of 11 bits, some are like others by chance.
  const bool narrow = impl::size_of(context.config().dtype) < sizeof(float);
  if (narrow || results.misfits.size() < 8 || found < results.misfits.size()) {
    return std::nullopt;
  }
  return "results are the kept values of other elements: values are moved "
         "from place to place";
}

}  // namespace

std::optional<std::string> cause_of_misfits(const Context& context) {
  if (!context.reader->misfit()) return std::nullopt;
  const impl::Affine due = impl::affine(context.law(), context.config());
  if (auto words = rows_sum_to_one(context)) return words;
  const Results results = results_of(context);
  if (auto words = clipped(results, due)) return words;
  if (auto words = multiples(context, results, due)) return words;
  if (auto words = rounded_further(results, due)) return words;
  if (auto words = noise(context, results)) return words;
  return moved(context, results, due);
}

}  // namespace dropcheck::properties
