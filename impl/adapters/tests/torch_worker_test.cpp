// Worked examples against the real libtorch, through the worker: small enough
// to check by eye, exact wherever the arithmetic is. Every test that draws is
// seeded, so a failure repeats.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <set>

#include "dropcheck/impl/adapters/torch_subjects.hpp"
#include "dropcheck/impl/adapters/worker_subject.hpp"
#include "dropcheck/impl/layout.hpp"
#include "dropcheck/impl/mask_replay.hpp"

namespace dropcheck::impl::adapters {
namespace {

using testing::HasSubstr;

// SELU's -lambda * alpha.
constexpr double kSaturation = -1.7580993408473766;

/// One worker per subject: starting one takes a third of a second.
Subject& subject(const std::string& name) {
  static std::map<std::string, std::unique_ptr<Subject>> opened;
  auto& place = opened[name];
  if (!place) {
    WorkerOptions options;
    options.command = {torch_worker_path()};
    options.subject = name;
    place = std::make_unique<WorkerSubject>(options);
  }
  return *place;
}

LayerConfig config(double drop_probability) {
  LayerConfig result;
  result.drop_probability = drop_probability;
  return result;
}

std::unique_ptr<Layer> layer(const std::string& name, double p,
                             bool in_place = false) {
  LayerConfig wanted = config(p);
  wanted.in_place = in_place;
  auto made = subject(name).make(wanted);
  made->reseed(7);
  return made;
}

Tensor counting(DType dtype, const Shape& shape) {
  Tensor tensor(dtype, shape);
  for (std::int64_t i = 0; i < tensor.size(); ++i) {
    tensor.view().set(i, static_cast<double>(i + 1));
  }
  return tensor;
}

std::vector<double> values(const TensorView& view) {
  std::vector<double> result;
  for (std::int64_t i = 0; i < view.size(); ++i) {
    result.push_back(view.value(i));
  }
  return result;
}

TEST(TorchWorker, ServesWhatTheHostLists) {
  WorkerOptions options;
  options.command = {torch_worker_path()};
  std::set<std::pair<std::string, std::string>> served;
  for (const ListedSubject& listed : list_subjects(options)) {
    served.emplace("torch:" + listed.name, listed.layer);
  }
  std::set<std::pair<std::string, std::string>> listed;
  for (const SubjectEntry& entry : torch_subjects()) {
    listed.emplace(entry.name, entry.layer);
  }
  EXPECT_EQ(served, listed);
}

TEST(TorchWorker, DescribesItself) {
  const auto entries = torch_subjects();
  const auto opened = entries.front().open();
  EXPECT_EQ(opened->describe().name, "torch:F.dropout");
  EXPECT_THAT(opened->describe().version, HasSubstr("libtorch 1."));
  EXPECT_TRUE(opened->describe().reseed);
}

/// Debian's libtorch has no MKL; one that has declares nothing.
TEST(TorchWorker, DrawsTheMasksThatItDeclares) {
  EXPECT_EQ(subject("drop_path_floor").describe().recipe, std::nullopt);
  for (const std::string name :
       {"F.dropout", "F.dropout_", "F.native_dropout", "nn.Dropout"}) {
    const auto& recipe = subject(name).describe().recipe;
    if (!recipe) GTEST_SKIP() << "this libtorch draws otherwise";
    const auto made = layer(name, 0.1);
    MaskReplay replay(*recipe, 0.1, 7);
    for (int call = 0; call < 2; ++call) {
      Tensor x = counting(DType::kFloat32, {100});
      const std::vector<double> y = values(made->forward({x.view()}));
      std::uint64_t kept[2];
      replay.next(100, kept);
      for (std::size_t i = 0; i < y.size(); ++i) {
        EXPECT_EQ(y[i] != 0, (kept[i / 64] >> (i % 64) & 1U) != 0) << name;
      }
    }
  }
}

TEST(TorchDropout, GivesZeroOrTwiceTheInput) {
  for (const std::string name :
       {"F.dropout", "F.dropout_", "F.native_dropout", "nn.Dropout"}) {
    const auto dropout = layer(name, 0.5);
    Tensor input = counting(DType::kFloat64, {3, 3});
    int kept = 0;
    for (int round = 0; round < 8; ++round) {
      const TensorView output = dropout->forward({input.view()});
      ASSERT_EQ(output.shape, input.shape());
      EXPECT_NE(output.data, input.view().data);
      for (std::int64_t i = 0; i < 9; ++i) {
        const double x = input.view().value(i);
        const double y = output.value(i);
        EXPECT_TRUE(y == 0 || y == 2 * x) << name << ": " << y << " of " << x;
        kept += y != 0;
      }
    }
    EXPECT_EQ(values(input.view()),
              values(counting(DType::kFloat64, {3, 3}).view()));
    EXPECT_GT(kept, 18);
    EXPECT_LT(kept, 54);
  }
}

TEST(TorchDropout, ReplacesTheInputInPlace) {
  for (const std::string name : {"F.dropout", "F.dropout_", "nn.Dropout"}) {
    const auto dropout = layer(name, 0.5, true);
    Tensor input = counting(DType::kFloat64, {3, 3});
    const TensorView output = dropout->forward({input.view()});
    EXPECT_EQ(output.data, input.view().data);
    int dropped = 0;
    for (std::int64_t i = 0; i < 9; ++i) {
      const double y = input.view().value(i);
      EXPECT_TRUE(y == 0 || y == 2 * static_cast<double>(i + 1));
      dropped += y == 0;
    }
    EXPECT_GT(dropped, 0) << name;
    EXPECT_LT(dropped, 9) << name;
  }
}

// Linear and ReLU here, DropPath there. With the mask (1, 0) row 0 is doubled
// and row 1 is gone; a fourth of all seeds gives that mask.
TEST(TorchDropPath, DoublesOneRowAndZeroesTheOther) {
  const double weight[2][4] = {{1, 0, -1, 2}, {0.5, 0.5, 0.5, 0.5}};
  const Tensor batch(DType::kFloat64, {2, 4}, {1, 2, 3, 4, 4, 3, 2, 1});
  Tensor hidden(DType::kFloat64, {2, 2});
  for (std::int64_t row = 0; row < 2; ++row) {
    for (std::int64_t unit = 0; unit < 2; ++unit) {
      double sum = 0.25;
      for (std::int64_t i = 0; i < 4; ++i) {
        sum += weight[unit][i] * batch.view().value(4 * row + i);
      }
      hidden.view().set(2 * row + unit, std::max(0.0, sum));
    }
  }
  EXPECT_EQ(values(hidden.view()),
            (std::vector<double>{6.25, 5.25, 4.25, 5.25}));
  for (const std::string name : {"drop_path", "drop_path_floor"}) {
    const auto path = layer(name, 0.5);
    bool found = false;
    for (std::uint64_t seed = 1; seed < 64 && !found; ++seed) {
      path->reseed(seed);
      const auto y = values(path->forward({hidden.view()}));
      if (y[0] == 0 || y[2] != 0) continue;
      found = true;
      EXPECT_EQ(y, (std::vector<double>{12.5, 10.5, 0, 0}));
    }
    EXPECT_TRUE(found) << name;
  }
}

// On (3, 2, 2, 2) at p = .33: paths go as samples, dropout picks entries, and
// what is kept is scaled alike.
TEST(TorchDropPath, LosesSamplesWhereDropoutLosesEntries) {
  Tensor input = counting(DType::kFloat32, {3, 2, 2, 2});
  const auto path = layer("drop_path", 0.33);
  const auto dropout = layer("F.dropout", 0.33);
  bool entries_differ = false;
  std::map<std::int64_t, double> kept;
  for (int round = 0; round < 8; ++round) {
    const auto by_path = values(path->forward({input.view()}));
    const auto by_dropout = values(dropout->forward({input.view()}));
    for (std::size_t i = 0; i < 24; ++i) {
      const std::size_t first = i / 8 * 8;
      EXPECT_EQ(by_path[i] == 0, by_path[first] == 0);
      entries_differ |= (by_dropout[i] == 0) != (by_dropout[first] == 0);
      for (const double y : {by_path[i], by_dropout[i]}) {
        if (y == 0) continue;
        EXPECT_EQ(
            kept.try_emplace(static_cast<std::int64_t>(i), y).first->second, y);
      }
    }
  }
  EXPECT_TRUE(entries_differ);
  for (const auto& [index, y] : kept) {
    EXPECT_NEAR(y, static_cast<double>(index + 1) / 0.67, 1e-5);
  }
}

TEST(TorchDropPath, LeavesSurvivorsAloneWhereUnscaled) {
  LayerConfig unscaled = config(0.5);
  unscaled.scale_by_keep = false;
  const auto path = subject("drop_path").make(unscaled);
  Tensor input = counting(DType::kFloat32, {16, 2});
  for (std::int64_t i = 0;
       const double y : values(path->forward({input.view()}))) {
    EXPECT_TRUE(y == 0 || y == input.view().value(i));
    ++i;
  }
  EXPECT_THROW(subject("drop_path_floor").make(unscaled), NotSupported);
}

TEST(TorchAlphaDropout, NeverReturnsZeroForADroppedNumber) {
  const double a = 1 / std::sqrt((kSaturation * kSaturation * 0.5 + 1) * 0.5);
  for (const std::string name : {"F.alpha_dropout", "nn.AlphaDropout"}) {
    const auto alpha = layer(name, 0.5);
    Tensor input(DType::kFloat64, {5}, {-2, -1, 0, 1, 2});
    int dropped = 0;
    for (int round = 0; round < 8; ++round) {
      for (std::int64_t i = 0;
           const double y : values(alpha->forward({input.view()}))) {
        const double kept = a * input.view().value(i++) - a * kSaturation * 0.5;
        const double lost = a * kSaturation * 0.5;
        EXPECT_TRUE(std::abs(y - kept) < 1e-12 || std::abs(y - lost) < 1e-12);
        EXPECT_NE(y, 0);
        dropped += std::abs(y - lost) < 1e-12;
      }
    }
    EXPECT_GT(dropped, 5) << name;
    EXPECT_LT(dropped, 35) << name;
  }
}

TEST(TorchFeatureAlphaDropout, SaturatesWholeChannels) {
  const double a = 1 / std::sqrt((kSaturation * kSaturation * 0.5 + 1) * 0.5);
  for (const std::string name :
       {"F.feature_alpha_dropout", "nn.FeatureAlphaDropout"}) {
    const auto alpha = layer(name, 0.5);
    Tensor input = counting(DType::kFloat64, {1, 3, 4, 4});
    int dropped = 0;
    for (int round = 0; round < 8; ++round) {
      const auto y = values(alpha->forward({input.view()}));
      for (std::size_t i = 0; i < y.size(); ++i) {
        const bool lost = std::abs(y[i] - a * kSaturation * 0.5) < 1e-12;
        EXPECT_EQ(lost, y[i / 16 * 16] < 0) << i;
        dropped += lost;
      }
    }
    EXPECT_GT(dropped, 0);
    EXPECT_LT(dropped, 8 * 48);
  }
}

TEST(TorchDropoutNd, DropsWholeChannels) {
  const std::vector<std::pair<std::string, Shape>> cases = {
      {"F.feature_dropout", {4, 3, 2, 2}},
      {"nn.Dropout2d", {4, 3, 2, 2}},
      {"nn.Dropout3d", {4, 3, 2, 1, 2}}};
  for (const auto& [name, shape] : cases) {
    const auto dropout = layer(name, 0.5);
    Tensor input = counting(DType::kFloat32, shape);
    const auto y = values(dropout->forward({input.view()}));
    for (std::size_t i = 0; i < y.size(); ++i) {
      EXPECT_EQ(y[i] == 0, y[i / 4 * 4] == 0) << name;
    }
  }
}

TEST(TorchStochasticDepth, DecidesForTheWholeTensor) {
  const auto depth = layer("stochastic_depth", 0.5);
  Tensor input = counting(DType::kFloat64, {3, 4});
  int kept = 0;
  for (int round = 0; round < 32; ++round) {
    const auto y = values(depth->forward({input.view()}));
    kept += y[0] != 0;
    for (std::size_t i = 0; i < y.size(); ++i) {
      EXPECT_EQ(y[i], y[0] == 0 ? 0 : 2 * static_cast<double>(i + 1));
    }
  }
  EXPECT_GT(kept, 4);
  EXPECT_LT(kept, 28);
}

// At evaluation the weights themselves; in training each weight 0 or doubled.
TEST(TorchAttention, DropsSoftmaxWeights) {
  const auto attention = layer("scaled_dot_product_attention", 0.5);
  const Tensor scores(DType::kFloat64, {1, 2, 3}, {0, 1, 2, 3, 3, 3});
  const auto weights = values(attention->forward({scores.view(), false}));
  const double sum = 1 + std::exp(1.0) + std::exp(2.0);
  EXPECT_NEAR(weights[0], 1 / sum, 1e-12);
  EXPECT_NEAR(weights[5], 1.0 / 3, 1e-12);
  int kept = 0;
  for (int round = 0; round < 8; ++round) {
    const auto y = values(attention->forward({scores.view()}));
    for (std::size_t i = 0; i < 6; ++i) {
      EXPECT_TRUE(y[i] == 0 || y[i] == 2 * weights[i]);
      kept += y[i] != 0;
    }
  }
  EXPECT_GT(kept, 8);
  EXPECT_LT(kept, 40);
}

// Each row of equal scores has the weights 1/4, exact in every dtype.
TEST(TorchAttention, ComputesInEveryDTypeThatItDeclares) {
  const Subject& attention = subject("scaled_dot_product_attention");
  for (const DType dtype : attention.describe().dtypes) {
    const auto dropping = layer("scaled_dot_product_attention", 0.5);
    const Tensor scores(dtype, {1, 8, 4});
    int kept = 0;
    for (const double y : values(dropping->forward({scores.view()}))) {
      EXPECT_TRUE(y == 0 || y == 0.5) << name_of(dtype) << ": " << y;
      kept += y != 0;
    }
    EXPECT_GT(kept, 4) << name_of(dtype);
    EXPECT_LT(kept, 28) << name_of(dtype);
  }
}

TEST(TorchWorker, RepeatsItsMasksAfterAReseed) {
  for (const SubjectEntry& entry : torch_subjects()) {
    const std::string name = entry.name.substr(6);
    const auto first = subject(name).make(config(0.5));
    const auto second = subject(name).make(config(0.5));
    Tensor input = counting(DType::kFloat32, {4, 5, 3, 3, 3});
    // The generator is one for all layers; their states must not mix.
    first->reseed(11);
    second->reseed(11);
    const auto a = values(first->forward({input.view()}));
    const auto b = values(second->forward({input.view()}));
    EXPECT_EQ(a, b) << name;
    const auto again = values(first->forward({input.view()}));
    const auto twin = values(second->forward({input.view()}));
    EXPECT_EQ(again, twin) << name;
    first->reseed(11);
    const auto stacked = values(first->forward({input.view(), true, 2}));
    EXPECT_TRUE(std::equal(a.begin(), a.end(), stacked.begin())) << name;
    EXPECT_TRUE(std::equal(again.rbegin(), again.rend(), stacked.rbegin()))
        << name;
  }
}

TEST(TorchWorker, DrawsOtherMasksInFreshLayers) {
  Tensor input(DType::kFloat32, {256}, std::vector<double>(256, 1));
  const auto first = subject("F.dropout").make(config(0.5));
  const auto other = subject("F.dropout").make(config(0.5));
  EXPECT_NE(values(first->forward({input.view()})),
            values(other->forward({input.view()})));
}

TEST(TorchWorker, IsTheIdentityAtEvaluation) {
  Tensor input = counting(DType::kFloat32, {2, 3, 2, 2, 2});
  for (const SubjectEntry& entry : torch_subjects()) {
    const std::string name = entry.name.substr(6);
    if (name == "scaled_dot_product_attention") continue;
    const auto made = subject(name).make(config(0.4));
    const TensorView output = made->forward({input.view(), false});
    EXPECT_EQ(values(output), values(input.view())) << name;
    const bool copies = name == "F.dropout_" || name == "F.native_dropout";
    EXPECT_EQ(output.data == input.view().data, !copies) << name;
  }
}

// Two functions promise nothing here: the old drop_path never looks at p.
TEST(TorchWorker, RefusesProbabilitiesOutsideTheUnitInterval) {
  Tensor input = counting(DType::kFloat32, {2, 3, 2, 2});
  for (const SubjectEntry& entry : torch_subjects()) {
    const std::string name = entry.name.substr(6);
    if (name == "drop_path_floor") continue;
    for (const double p : {1.5, -0.5, std::nan("")}) {
      if (name == "scaled_dot_product_attention" && !(p > 0)) continue;
      EXPECT_THROW(subject(name).make(config(p))->forward({input.view()}),
                   LayerError)
          << name << " at " << p;
    }
  }
}

TEST(TorchWorker, ComputesTheGradientAsMaskTimesScale) {
  for (const std::string name :
       {"F.dropout", "nn.Dropout", "nn.Dropout2d", "F.native_dropout",
        "drop_path", "drop_path_floor", "stochastic_depth"}) {
    const auto made = layer(name, 0.5);
    Tensor input = counting(DType::kFloat64, {2, 3, 2, 2});
    const auto y = values(made->forward({input.view()}));
    const Tensor ones(DType::kFloat64, {2, 3, 2, 2},
                      std::vector<double>(24, 1));
    for (int round = 0; round < 2; ++round) {
      const auto gradient = values(made->backward(ones.view()));
      for (std::size_t i = 0; i < y.size(); ++i) {
        EXPECT_EQ(gradient[i], y[i] == 0 ? 0 : 2) << name;
      }
    }
  }
}

TEST(TorchWorker, ComputesTheGradientInPlaceToo) {
  const auto made = layer("F.dropout", 0.5, true);
  Tensor input = counting(DType::kFloat64, {3, 3});
  const auto y = values(made->forward({input.view()}));
  const Tensor ones(DType::kFloat64, {3, 3}, std::vector<double>(9, 1));
  const auto gradient = values(made->backward(ones.view()));
  for (std::size_t i = 0; i < 9; ++i) EXPECT_EQ(gradient[i], y[i] == 0 ? 0 : 2);
}

TEST(TorchWorker, RefusesBackwardWithoutForward) {
  const Tensor ones(DType::kFloat32, {3}, {1, 1, 1});
  EXPECT_THROW(layer("F.dropout", 0.5)->backward(ones.view()), LayerError);
}

TEST(TorchWorker, ComputesInEveryDTypeThatItDeclares) {
  const Subject& dropout = subject("F.dropout");
  for (const DType dtype : dropout.describe().dtypes) {
    Tensor input = counting(dtype, {64});
    const auto made = layer("F.dropout", 0.5);
    const TensorView output = made->forward({input.view()});
    EXPECT_EQ(output.dtype, dtype);
    for (std::int64_t i = 0; i < 64; ++i) {
      const double y = output.value(i);
      EXPECT_TRUE(y == 0 || y == 2 * input.view().value(i));
    }
  }
}

TEST(TorchWorker, PassesOnThatHalfIsNotImplemented) {
  Tensor input = counting(DType::kFloat16, {8});
  try {
    layer("F.dropout", 0.5)->forward({input.view()});
    GTEST_SKIP() << "this libtorch draws in half precision";
  } catch (const LayerError& error) {
    EXPECT_THAT(error.what(), HasSubstr("not implemented for 'Half'"));
  }
}

TEST(TorchWorker, SeesStridesOfTheInput) {
  Tensor memory = counting(DType::kFloat32, {3, 4});
  const TensorView columns{memory.bytes(), DType::kFloat32, {4, 3}, {1, 4}};
  const auto made = layer("F.dropout", 0.5);
  const TensorView dropped = made->forward({columns});
  EXPECT_EQ(dropped.strides, columns.strides);
  for (std::int64_t i = 0; i < 12; ++i) {
    const double y = dropped.value(i);
    EXPECT_TRUE(y == 0 || y == 2 * columns.value(i));
  }
}

// In place on strided memory: the view and nothing else, without a copy.
TEST(TorchWorker, WorksInPlaceOnStridedMemory) {
  for (const Layout layout :
       {Layout::kTransposed, Layout::kSliced, Layout::kStepped, Layout::kOffset,
        Layout::kChannelsLast}) {
    const Tensor values = counting(DType::kFloat32, {2, 3, 4});
    const LaidOut input(values, layout);
    const auto made = layer("F.dropout", 0.5, /*in_place=*/true);
    const TensorView result = made->forward({input.view()});
    EXPECT_EQ(result.data, input.view().data);
    EXPECT_EQ(input.damage("it"), std::nullopt);
    for (std::int64_t i = 0; i < values.size(); ++i) {
      const double y = input.view().value(i);
      EXPECT_TRUE(y == 0 || y == 2 * values.view().value(i));
    }
  }
}

TEST(TorchWorker, KeepsAGraphOfStridedInput) {
  const LaidOut input(counting(DType::kFloat32, {2, 3}), Layout::kTransposed);
  const auto made = layer("F.dropout", 0.5);
  const std::vector<double> dropped = values(made->forward({input.view()}));
  const Tensor ones(DType::kFloat32, {2, 3}, {1, 1, 1, 1, 1, 1});
  const std::vector<double> gradient = values(made->backward(ones.view()));
  for (std::size_t i = 0; i < dropped.size(); ++i) {
    EXPECT_EQ(gradient[i], dropped[i] == 0 ? 0 : 2);
  }
}

}  // namespace
}  // namespace dropcheck::impl::adapters
