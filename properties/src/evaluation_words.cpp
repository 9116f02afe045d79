#include "evaluation_words.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "value_comparison.hpp"

namespace dropcheck::properties {
namespace {

/// Finite pairs of input and result that are not 0 and not subnormal.
std::vector<KeptPair> pairs_of(const impl::TensorView& input,
                               const impl::TensorView& result) {
  std::vector<KeptPair> pairs;
  for (std::int64_t i = 0; i < result.size(); ++i) {
    const double x = input.value(i);
    const double y = result.value(i);
    if (std::isfinite(x) && std::isfinite(y) && std::abs(x) > 1e-6) {
      pairs.push_back({x, y});
    }
  }
  return pairs;
}

bool near(double seen, double due, double unit) {
  return std::abs(seen - due) <= unit * (std::abs(due) + 1e-3);
}

/// One factor for all; which power of keep it is.
std::optional<std::string> factor_words(const std::vector<KeptPair>& pairs,
                                        double p, double unit) {
  const double factor = pairs.front().y / pairs.front().x;
  const bool one =
      std::all_of(pairs.begin(), pairs.end(), [&](const KeptPair& pair) {
        return near(pair.y, factor * pair.x, unit);
      });
  if (!one) return std::nullopt;
  const double q = 1 - p;
  if (near(factor, 0, unit)) return "all is dropped";
  if (near(factor, q, unit) && !near(factor, p, unit)) {
    return fmt::format(
        "all is multiplied by keep = {:.6g}, the test-time factor of dropout "
        "that does not scale in training",
        q);
  }
  if (near(factor, 1 / q, unit)) {
    return fmt::format(
        "all is divided by keep = {:.6g}: the scale of training is applied", q);
  }
  if (near(factor, p, unit)) {
    return fmt::format("all is multiplied by drop = {:.6g}", p);
  }
  return fmt::format("all is multiplied by {:.6g}", factor);
}

/// How many calls are looked at for a drop, at most.
constexpr int kCalls = 64;

}  // namespace

std::optional<std::string> cause_of_evaluation(const Context& context,
                                               impl::Layer& layer,
                                               impl::Tensor& input,
                                               const impl::Tensor& result) {
  const double p = context.config().drop_probability;
  if (context.law().base != impl::Base::kInput) {
    return "two evaluations of one input differ: the layer draws at evaluation";
  }
  const std::vector<KeptPair> pairs = pairs_of(input.view(), result.view());
  if (pairs.empty()) return std::nullopt;
  bool varies = false;
  std::size_t dropped = 0;
  std::size_t read = 0;
  const double fill =
      impl::affine(context.law(), context.config()).dropped_value();
  const double unit =
      8 * std::ldexp(1.0, -impl::significand_bits(context.config().dtype));
  for (int call = 0; call < kCalls; ++call) {
    const impl::TensorView again = evaluate(layer, input);
    if (again.shape != result.shape() || again.dtype != result.dtype()) break;
    varies = varies || first_difference(again, result.view()) >= 0;
    for (const KeptPair& pair : pairs_of(input.view(), again)) {
      dropped += near(pair.y, fill, unit) ? 1U : 0U;
      ++read;
    }
    if (varies && dropped > 0) break;
  }
  if (varies && dropped > 0) {
    return fmt::format(
        "the layer drops at evaluation as in training ({:.3g} of the values, "
        "others in every call)",
        static_cast<double>(dropped) / static_cast<double>(read));
  }
  if (varies) {
    return "two evaluations of one input differ: the layer draws at evaluation "
           "as in training";
  }
  if (auto words = factor_words(pairs, p, unit)) return words;
  if (dropped > 0) {
    return fmt::format(
        "{:.3g} of the values are dropped, the same in every evaluation",
        static_cast<double>(dropped) / static_cast<double>(read));
  }
  return std::nullopt;
}

}  // namespace dropcheck::properties
