// The encoder against loops over scalars, written from the definition without
// Eigen, on extents that RapidCheck draws. Every tap is compared: what goes
// into a branch, what comes out of it, and what is added.
//
// Tolerance. Sums of at most 64 products of numbers near 1, in f64: 1e-9 is
// 10^4 times what rounding can do, and far below any mistake.
#include "networks/vit_encoder.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <cmath>
#include <vector>

#include "dropcheck/impl/random_stream.hpp"
#include "support.hpp"

namespace dropcheck::impl::networks {
namespace {

using Values = std::vector<double>;
using impl::testing::values_of;

/// Rows of a matrix of `width` columns.
struct Rows {
  std::int64_t width;
  Values values;

  double& at(std::int64_t row, std::int64_t column) {
    return values[static_cast<std::size_t>(row * width + column)];
  }
  std::int64_t count() const {
    return static_cast<std::int64_t>(values.size()) / width;
  }
};

Rows rows_of(const TensorView& view) {
  return {view.shape.back(), values_of(view)};
}

Rows zeros(std::int64_t count, std::int64_t width) {
  return {width, Values(static_cast<std::size_t>(count * width))};
}

Rows times(Rows x, const Linear<double>& linear) {
  Rows y = zeros(x.count(), linear.weight.cols());
  for (std::int64_t i = 0; i < x.count(); ++i) {
    for (std::int64_t j = 0; j < y.width; ++j) {
      double sum = linear.bias[j];
      for (std::int64_t k = 0; k < x.width; ++k) {
        sum += x.at(i, k) * linear.weight(k, j);
      }
      y.at(i, j) = sum;
    }
  }
  return y;
}

Rows normed(Rows x) {
  for (std::int64_t i = 0; i < x.count(); ++i) {
    double mean = 0;
    double variance = 0;
    const auto width = static_cast<double>(x.width);
    for (std::int64_t k = 0; k < x.width; ++k) mean += x.at(i, k) / width;
    for (std::int64_t k = 0; k < x.width; ++k) {
      variance += (x.at(i, k) - mean) * (x.at(i, k) - mean) / width;
    }
    for (std::int64_t k = 0; k < x.width; ++k) {
      x.at(i, k) = (x.at(i, k) - mean) / std::sqrt(variance + 1e-6);
    }
  }
  return x;
}

/// Softmax of the scores of one query.
Values weights_of(Values scores) {
  double sum = 0;
  for (double& score : scores) sum += score = std::exp(score);
  for (double& score : scores) score /= sum;
  return scores;
}

Rows attended(const Rows& x, const SelfAttention<double>& attention,
              std::int64_t tokens) {
  Rows all = times(x, attention.queries_keys_values);
  Rows mixed = zeros(x.count(), x.width);
  const std::int64_t size = x.width / attention.heads;
  for (std::int64_t query = 0; query < x.count(); ++query) {
    const std::int64_t first = query / tokens * tokens;
    for (std::int64_t column = 0; column < x.width; column += size) {
      Values scores(static_cast<std::size_t>(tokens));
      for (std::int64_t key = 0; key < tokens; ++key) {
        double& score = scores[static_cast<std::size_t>(key)];
        for (std::int64_t k = column; k < column + size; ++k) {
          score += all.at(query, k) * all.at(first + key, x.width + k) /
                   std::sqrt(static_cast<double>(size));
        }
      }
      const Values weights = weights_of(scores);
      for (std::int64_t k = column; k < column + size; ++k) {
        for (std::int64_t key = 0; key < tokens; ++key) {
          mixed.at(query, k) += weights[static_cast<std::size_t>(key)] *
                                all.at(first + key, 2 * x.width + k);
        }
      }
    }
  }
  return times(mixed, attention.projection);
}

Rows perceived(const Rows& x, const VitWeights<double>::Block& block) {
  Rows hidden = times(x, block.first);
  for (double& v : hidden.values) v *= (1 + std::erf(v / std::sqrt(2.0))) / 2;
  return times(hidden, block.second);
}

Rows embedded(const Tensor& input, const VitShape& shape,
              const VitWeights<double>& weights) {
  const std::int64_t across = shape.side / shape.patch;
  const std::int64_t batch = input.shape()[0];
  Rows tokens = zeros(batch * shape.tokens(), shape.width);
  for (std::int64_t n = 0; n < batch; ++n) {
    for (std::int64_t token = 0; token < shape.tokens(); ++token) {
      Rows patch = zeros(1, weights.embedding.weight.rows());
      for (std::int64_t k = 0; token > 0 && k < patch.width; ++k) {
        const std::int64_t c = k / (shape.patch * shape.patch);
        const std::int64_t y =
            (token - 1) / across * shape.patch + k / shape.patch % shape.patch;
        const std::int64_t x =
            (token - 1) % across * shape.patch + k % shape.patch;
        patch.at(0, k) = input.view().value(
            ((n * shape.channels + c) * shape.side + y) * shape.side + x);
      }
      const Rows row =
          token > 0 ? times(patch, weights.embedding) : zeros(1, shape.width);
      for (std::int64_t k = 0; k < shape.width; ++k) {
        tokens.at(n * shape.tokens() + token, k) =
            row.values[static_cast<std::size_t>(k)] +
            weights.positions(token, k);
      }
    }
  }
  return tokens;
}

void expect_near(const Values& seen, const Values& due) {
  RC_ASSERT(seen.size() == due.size());
  for (std::size_t i = 0; i < seen.size(); ++i) {
    RC_ASSERT(std::abs(seen[i] - due[i]) <= 1e-9 * (1 + std::abs(due[i])));
  }
}

/// Each sample is h or h + branch / keep, whatever the other samples are.
void expect_joined(const Tap& tap, double keep) {
  const Values h = values_of(tap.residual);
  const Values branch = values_of(tap.branch);
  const Values out = values_of(tap.output);
  const std::size_t size =
      h.size() / static_cast<std::size_t>(tap.branch.shape[0]);
  for (std::size_t first = 0; first < h.size(); first += size) {
    bool dropped = true;
    bool kept = true;
    for (std::size_t i = first; i < first + size; ++i) {
      dropped = dropped && out[i] == h[i];
      kept = kept && out[i] == h[i] + branch[i] * (1 / keep);
    }
    RC_ASSERT(dropped || kept);
  }
}

struct Extents {
  VitShape shape;
  std::int64_t batch;
  bool training;
};

Extents any_extents() {
  VitShape shape;
  shape.channels = *rc::gen::inRange<std::int64_t>(1, 4);
  shape.patch = *rc::gen::inRange<std::int64_t>(1, 4);
  shape.side = shape.patch * *rc::gen::inRange<std::int64_t>(1, 4);
  shape.heads = *rc::gen::inRange<std::int64_t>(1, 4);
  shape.width = shape.heads * *rc::gen::inRange<std::int64_t>(2, 5);
  shape.hidden = *rc::gen::inRange<std::int64_t>(1, 9);
  shape.blocks = *rc::gen::inRange(1, 4);
  return {shape, *rc::gen::inRange<std::int64_t>(1, 5),
          *rc::gen::arbitrary<bool>()};
}

Tensor random_input(const Extents& extents) {
  const VitShape& shape = extents.shape;
  Tensor input(DType::kFloat64,
               {extents.batch, shape.channels, shape.side, shape.side});
  const auto key = *rc::gen::arbitrary<std::uint64_t>();
  for (std::int64_t i = 0; i < input.size(); ++i) {
    const std::uint64_t word = keyed_word(key, static_cast<std::uint64_t>(i));
    input.view().set(i, std::ldexp(static_cast<double>(word >> 11U), -52) - 1);
  }
  return input;
}

RC_GTEST_PROP(VitEncoder, EqualsLoopsOverScalarsAtEveryTap, ()) {
  const Extents extents = any_extents();
  const VitShape& shape = extents.shape;
  NetworkLaw network = *find_law("vit_encoder")->network;
  network.blocks = shape.blocks;
  network.sample = {shape.channels, shape.side, shape.side};
  network.tap = {shape.tokens(), shape.width};
  network.heads = static_cast<int>(shape.heads);
  Law law = *find_law("vit_encoder");
  law.network = &network;
  const double rate = *rc::gen::element(0.0, 0.25, 0.5, 0.9);
  VitEncoder<double> encoder(
      law, {.drop_probability = rate, .dtype = DType::kFloat64}, {}, shape);
  encoder.reseed(*rc::gen::arbitrary<std::uint64_t>());
  Tensor input = random_input(extents);
  const TensorView output =
      encoder.forward({.input = input.view(), .training = extents.training});

  Rows h = embedded(input, shape, encoder.weights());
  std::size_t number = 0;
  for (const auto& block : encoder.weights().blocks) {
    const double keep =
        extents.training
            ? 1 - scheduled_rate(network, rate, network.block_of(number))
            : 1;
    for (const bool attention : {true, false}) {
      const Tap& seen = encoder.taps()[number++];
      expect_near(values_of(seen.residual), h.values);
      expect_near(
          values_of(seen.branch),
          attention
              ? attended(normed(h), block.attention, shape.tokens()).values
              : perceived(normed(h), block).values);
      expect_joined(seen, keep);
      h = rows_of(seen.output);
    }
  }
  RC_ASSERT(number == encoder.taps().size());
  expect_near(values_of(output), normed(h).values);
}

}  // namespace
}  // namespace dropcheck::impl::networks
