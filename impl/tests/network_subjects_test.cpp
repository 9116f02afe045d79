// Networks as subjects: what they share, and that each wrong one is wrong in
// the one way that its entry tells.
#include <gmock/gmock.h>

#include <cmath>
#include <limits>
#include <set>
#include <stdexcept>

#include "dropcheck/impl/law.hpp"
#include "dropcheck/impl/networks/selu_network.hpp"
#include "dropcheck/impl/selu.hpp"
#include "networks/linear_relu_network.hpp"
#include "networks/selu_stack.hpp"
#include "support.hpp"

namespace dropcheck::impl {
namespace {

using testing::values_of;

std::unique_ptr<Layer> network(const std::string& name, double rate = 0.5,
                               DType dtype = DType::kFloat32) {
  const auto& entries = name[0] == 'b' ? builtin_networks() : faulty_networks();
  const SubjectEntry& found = testing::entry(entries, name);
  return found.open()->make(
      {.layer = found.layer, .drop_probability = rate, .dtype = dtype});
}

Tensor input_of(const std::string& layer, std::int64_t batch = 6,
                DType dtype = DType::kFloat32) {
  const NetworkLaw& law = *find_law(layer)->network;
  Shape shape{batch};
  shape.insert(shape.end(), law.sample.begin(), law.sample.end());
  Tensor input(dtype, shape);
  std::vector<float> normals(static_cast<std::size_t>(input.size()));
  networks::fill_normal(3, 0, normals);
  for (std::int64_t i = 0; i < input.size(); ++i) {
    input.view().set(i,
                     static_cast<double>(normals[static_cast<std::size_t>(i)]));
  }
  return input;
}

/// Whether the branch of a sample was dropped, by what follows it.
bool is_dropped(const Tap& tap, std::int64_t sample) {
  const std::int64_t size = tap.branch.size() / tap.branch.shape[0];
  for (std::int64_t i = sample * size; i < (sample + 1) * size; ++i) {
    const double h = tap.residual.data == nullptr ? 0 : tap.residual.value(i);
    if (tap.output.value(i) != h) return false;
  }
  return true;
}

/// Fraction of samples dropped at each tap, over calls.
std::vector<double> rates_of(Layer& layer, Tensor& input, int calls) {
  std::vector<double> rates;
  for (int call = 0; call < calls; ++call) {
    layer.forward({.input = input.view()});
    rates.resize(layer.taps().size());
    for (std::size_t tap = 0; tap < rates.size(); ++tap) {
      for (std::int64_t n = 0; n < input.shape()[0]; ++n) {
        rates[tap] += is_dropped(layer.taps()[tap], n) ? 1 : 0;
      }
    }
  }
  const auto all = static_cast<double>(calls * input.shape()[0]);
  for (double& rate : rates) rate /= all;
  return rates;
}

std::vector<double> outputs_of(Layer& layer) {
  std::vector<double> all;
  for (const Tap& tap : layer.taps()) {
    for (const double y : values_of(tap.output)) all.push_back(y);
  }
  return all;
}

TEST(BuiltinNetworks, HaveTheTapsOfTheirLaw) {
  ASSERT_EQ(builtin_networks().size(), network_laws().size());
  for (const SubjectEntry& entry : builtin_networks()) {
    const Law& law = law_of(entry);
    for (const DType dtype : {DType::kFloat32, DType::kFloat64}) {
      const auto layer = network(entry.name, 0.5, dtype);
      Tensor input = input_of(entry.layer, 3, dtype);
      layer->forward({.input = input.view()});
      EXPECT_EQ(layer->taps().size(), law.network->taps());
      Shape due{3};
      due.insert(due.end(), law.network->tap.begin(), law.network->tap.end());
      for (const Tap& tap : layer->taps()) {
        EXPECT_EQ(tap.branch.shape, due);
        EXPECT_EQ(tap.output.shape, due);
        EXPECT_EQ(tap.branch.dtype, dtype);
        EXPECT_EQ(tap.residual.data != nullptr, law.network->residual);
      }
    }
  }
}

TEST(BuiltinNetworks, RepeatACallWithItsSeedAndStackRepeats) {
  for (const SubjectEntry& entry : builtin_networks()) {
    const auto layer = network(entry.name);
    Tensor input = input_of(entry.layer);
    layer->reseed(7);
    std::vector<double> one;
    for (int call = 0; call < 3; ++call) {
      for (const double y : values_of(layer->forward({input.view()}))) {
        one.push_back(y);
      }
    }
    layer->reseed(7);
    const TensorView stacked = layer->forward({input.view(), true, 3});
    EXPECT_EQ(stacked.shape[0], 3);
    EXPECT_EQ(values_of(stacked), one) << entry.name;
    layer->reseed(8);
    EXPECT_NE(values_of(layer->forward({input.view(), true, 3})), one);
  }
}

TEST(BuiltinNetworks, LeaveEveryBranchWholeAtEvaluation) {
  for (const SubjectEntry& entry : builtin_networks()) {
    const auto layer = network(entry.name, 0.9, DType::kFloat64);
    Tensor input = input_of(entry.layer, 6, DType::kFloat64);
    layer->forward({.input = input.view(), .training = false});
    for (const Tap& tap : layer->taps()) {
      for (std::int64_t i = 0; i < tap.branch.size(); ++i) {
        const double h =
            tap.residual.data == nullptr ? 0 : tap.residual.value(i);
        EXPECT_EQ(tap.output.value(i), h + tap.branch.value(i));
      }
    }
  }
}

TEST(BuiltinNetworks, RefuseWhatTheyCannotDo) {
  const SubjectEntry& vit =
      testing::entry(builtin_networks(), "builtin:vit_encoder");
  const auto subject = vit.open();
  EXPECT_THROW(subject->make({.layer = "dropout"}), NotSupported);
  EXPECT_THROW(subject->make({.dtype = DType::kFloat16}), NotSupported);
  EXPECT_THROW(subject->make({.in_place = true}), NotSupported);
  EXPECT_THROW(subject->make({.scale_by_keep = false}), NotSupported);
  for (const double rate :
       {-0.1, 1.5, std::numeric_limits<double>::quiet_NaN()}) {
    EXPECT_THROW(subject->make({.drop_probability = rate}), LayerError);
  }
  const auto layer = subject->make({});
  Tensor wrong(DType::kFloat32, {2, 1, 8, 7});
  EXPECT_THROW(layer->forward({wrong.view()}), LayerError);
  Tensor wide(DType::kFloat64, {2, 1, 8, 8});
  EXPECT_THROW(layer->forward({wide.view()}), LayerError);
  EXPECT_THROW(layer->backward(wide.view()), NotSupported);
}

// 400 calls of 6 samples: five standard errors at 1/2 are 0.051. Seed fixed.
TEST(VitEncoder, DropsAtARateThatRisesLinearly) {
  const auto layer = network("builtin:vit_encoder", 0.55);
  Tensor input = input_of("vit_encoder");
  const auto rates = rates_of(*layer, input, 400);
  ASSERT_EQ(rates.size(), 24U);
  for (std::size_t tap = 0; tap < rates.size(); ++tap) {
    EXPECT_NEAR(rates[tap], 0.05 * static_cast<double>(tap / 2), 0.051) << tap;
  }
  EXPECT_EQ(rates[0], 0);
  EXPECT_EQ(rates[1], 0);
}

TEST(NetworkLaw, FollowsTheOptionsOfAConfiguration) {
  const Law& vit = *find_law("vit_encoder");
  const NetworkLaw small =
      network_law(vit, {.network = {.depth = 3, .width = 12, .heads = 4}});
  EXPECT_EQ(small.blocks, 3);
  EXPECT_EQ(small.taps(), 6U);
  EXPECT_EQ(small.tap, (Extents{5, 12}));
  EXPECT_EQ(small.sample, vit.network->sample);
  // The SELU network is as wide as its input.
  const NetworkLaw selu =
      network_law(*find_law("selu_network"), {.network = {.width = 20}});
  EXPECT_EQ(selu.sample, Extents{20});
  EXPECT_EQ(network_law(vit, {}).taps(), vit.network->taps());
}

TEST(NetworkLaw, RefusesOptionsThatANetworkDoesNotHave) {
  const auto refuses = [](const char* layer, const NetworkOptions& network) {
    EXPECT_THROW(network_law(*find_law(layer), {.network = network}),
                 std::invalid_argument)
        << layer;
  };
  refuses("vit_encoder", {.heads = 3});
  refuses("vit_encoder", {.depth = -1});
  refuses("selu_network", {.heads = 2});
  refuses("linear_relu_drop_path", {.depth = 2});
}

TEST(NetworkLaw, SchedulesFromZeroToTheRate) {
  const NetworkLaw& vit = *find_law("vit_encoder")->network;
  EXPECT_EQ(scheduled_rate(vit, 0.2, 0), 0);
  EXPECT_EQ(scheduled_rate(vit, 0.2, 11), 0.2);
  EXPECT_NEAR(scheduled_rate(vit, 0.2, 5), 0.0909, 1e-4);
  const NetworkLaw& selu = *find_law("selu_network")->network;
  EXPECT_EQ(scheduled_rate(selu, 0.2, 0), 0.2);
  EXPECT_EQ(scheduled_rate(selu, 0.2, 31), 0.2);
}

TEST(SeluStack, EqualsLoopsOverScalarsAtEveryTap) {
  const Law& law = *find_law("selu_network");
  networks::SeluStack<double> stack(
      law, {.drop_probability = 0.3, .dtype = DType::kFloat64}, {});
  stack.reseed(5);
  Tensor input = input_of("selu_network", 4, DType::kFloat64);
  stack.forward({input.view()});
  std::vector<double> x = values_of(input.view());
  for (std::size_t block = 0; block < stack.taps().size(); ++block) {
    const auto& weight = stack.weight(static_cast<int>(block));
    const auto seen = values_of(stack.taps()[block].branch);
    for (std::size_t i = 0; i < seen.size(); ++i) {
      double sum = 0;
      for (std::size_t k = 0; k < 64; ++k) {
        sum += x[i / 64 * 64 + k] * weight(static_cast<Eigen::Index>(k),
                                           static_cast<Eigen::Index>(i % 64));
      }
      ASSERT_NEAR(seen[i], selu(sum), 1e-12);
    }
    x = values_of(stack.taps()[block].output);
  }
}

// 64 * 64 weights: their mean square has the standard error 1/64 sqrt(2/4096).
TEST(SeluStack, InitialisesItselfAnewByEverySeed) {
  const Law& law = *find_law("selu_network");
  networks::SeluStack<double> stack(law, {.dtype = DType::kFloat64}, {});
  stack.reseed(1);
  const auto first = stack.weight(3);
  EXPECT_NEAR(first.squaredNorm() / 64, 1, 0.12);
  stack.reseed(2);
  EXPECT_NE(stack.weight(3), first);
  EXPECT_NE(stack.weight(3), stack.weight(4));
  stack.reseed(1);
  EXPECT_EQ(stack.weight(3), first);
}

TEST(LinearReluNetwork, EqualsLoopsOverScalars) {
  const Law& law = *find_law("linear_relu_drop_path");
  networks::LinearReluNetwork net(law, {.dtype = DType::kFloat64}, {});
  Tensor input = input_of("linear_relu_drop_path", 5, DType::kFloat64);
  net.forward({input.view()});
  const TensorView branch = net.taps()[0].branch;
  for (std::int64_t n = 0; n < 5; ++n) {
    for (std::int64_t j = 0; j < 16; ++j) {
      double sum = net.parameters().bias.view().value(j);
      for (std::int64_t k = 0; k < 8; ++k) {
        sum += input.view().value(8 * n + k) *
               net.parameters().weight.view().value(8 * j + k);
      }
      EXPECT_NEAR(branch.value(16 * n + j), std::max(0.0, sum), 1e-12);
    }
  }
}

TEST(FaultyNetworks, AreNamedOnceExplainedAndRun) {
  std::set<std::string> names;
  for (const SubjectEntry& entry : faulty_networks()) {
    EXPECT_TRUE(names.insert(entry.name).second) << entry.name;
    EXPECT_FALSE(entry.summary.empty()) << entry.name;
    EXPECT_FALSE(entry.defect.empty()) << entry.name;
    const auto layer = network(entry.name, 0.1);
    Tensor input = input_of(entry.layer);
    layer->forward({.input = input.view()});
    EXPECT_EQ(layer->taps().size(), law_of(entry).network->taps());
    // Every one differs from the right network, in training or evaluation.
    const auto right = network("builtin:" + entry.layer, 0.1);
    bool differs = false;
    for (const bool training : {true, false}) {
      layer->reseed(1);
      right->reseed(1);
      for (int call = 0; call < 64 && !differs; ++call) {
        layer->forward({.input = input.view(), .training = training});
        right->forward({.input = input.view(), .training = training});
        differs = outputs_of(*layer) != outputs_of(*right);
      }
    }
    EXPECT_TRUE(differs) << entry.name;
  }
}

TEST(FaultyNetworks, PassOneAtHighRatesWhereThatIsTheDefect) {
  EXPECT_NO_THROW(network("faulty:vit_rate_exceeds_one", 0.1));
  try {
    network("faulty:vit_rate_exceeds_one", 0.5);
    FAIL() << "a rate above 1 is accepted";
  } catch (const LayerError& error) {
    EXPECT_THAT(error.what(), ::testing::HasSubstr("block 11 of 12"));
    EXPECT_THAT(error.what(), ::testing::HasSubstr("must be in [0, 1]"));
  }
}

/// One line for each sample: its decisions at all taps.
std::vector<std::string> decisions(Layer& layer, Tensor& input) {
  layer.forward({.input = input.view()});
  std::vector<std::string> lines;
  for (std::int64_t n = 0; n < input.shape()[0]; ++n) {
    std::string line;
    for (const Tap& tap : layer.taps()) {
      line += is_dropped(tap, n) ? '0' : '1';
    }
    lines.push_back(line);
  }
  return lines;
}

TEST(FaultyNetworks, ShareTheirDecisionsAsTheySay) {
  Tensor input = input_of("vit_encoder");
  const auto batch = network("faulty:vit_one_mask_for_batch");
  const auto branches = network("faulty:vit_same_mask_on_both_branches");
  const auto blocks = network("faulty:vit_same_seed_in_every_block");
  const auto calls = network("faulty:vit_same_masks_every_call");
  const auto first = decisions(*calls, input);
  for (int call = 0; call < 20; ++call) {
    const auto lines = decisions(*batch, input);
    EXPECT_EQ(std::set<std::string>(lines.begin(), lines.end()).size(), 1U);
    for (const std::string& line : decisions(*branches, input)) {
      for (std::size_t tap = 0; tap < line.size(); tap += 2) {
        EXPECT_EQ(line[tap], line[tap + 1]);
      }
    }
    // One uniform number for all: as the rate rises, a sample once dropped
    // stays dropped.
    for (const std::string& line : decisions(*blocks, input)) {
      EXPECT_TRUE(std::is_sorted(line.rbegin(), line.rend())) << line;
    }
    EXPECT_EQ(decisions(*calls, input), first);
  }
}

}  // namespace
}  // namespace dropcheck::impl
