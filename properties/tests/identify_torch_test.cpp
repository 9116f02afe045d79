// Every layer of libtorch, through its worker: the layer that it promises is
// the nearest known one at the probabilities of the README.
#include <gmock/gmock.h>

#include <algorithm>

#include "dropcheck/impl/adapters/torch_subjects.hpp"
#include "dropcheck/properties/identify.hpp"

namespace dropcheck::properties {
namespace {

class TorchLayer : public ::testing::TestWithParam<std::string> {};

impl::SubjectEntry entry_of(const std::string& name) {
  for (const auto& entry : impl::adapters::torch_subjects()) {
    if (entry.name == name) return entry;
  }
  throw std::invalid_argument("no subject called " + name);
}

TEST_P(TorchLayer, IsNamed) {
  const impl::SubjectEntry entry = entry_of(GetParam());
  impl::SubjectEntry opaque;
  opaque.name = "s1";
  opaque.open = entry.open;
  for (const double drop : {0.1, 0.3, 0.5}) {
    IdentifySettings settings;
    settings.config.drop_probability = drop;
    settings.seed = 3;
    const Identification found = identify(opaque, settings);
    EXPECT_TRUE(found.identified) << found.law;
    EXPECT_TRUE(found.as_asked) << found.law;
    ASSERT_FALSE(found.nearest.empty());
    EXPECT_EQ(found.nearest.front().config.layer, entry.layer)
        << found.nearest_words;
    // Ranks that the law refuses are all that may differ.
    EXPECT_LT(found.nearest.front().distance, 0.5) << found.nearest_words;
  }
}

// The older form has its rate from bfloat16 numbers: 26/256.
TEST(IdentifyTorch, ShowsAnotherRateInBfloat16) {
  IdentifySettings settings;
  settings.config = {.drop_probability = 0.9, .dtype = impl::DType::kBFloat16};
  settings.seed = 3;
  // Four million decisions, so that the interval is narrower than the bias.
  settings.shape = impl::Shape{512, 8};
  const Identification found =
      identify(entry_of("torch:drop_path_floor"), settings);
  EXPECT_FALSE(found.as_asked);
  EXPECT_NEAR(*found.drop_probability, 0.8984, 2e-3);
}

std::vector<std::string> names() {
  std::vector<std::string> result;
  for (const auto& entry : impl::adapters::torch_subjects()) {
    result.push_back(entry.name);
  }
  return result;
}

INSTANTIATE_TEST_SUITE_P(Identify, TorchLayer, ::testing::ValuesIn(names()),
                         [](const auto& one) {
                           std::string name = one.param.substr(6);
                           std::replace(name.begin(), name.end(), '.', '_');
                           return name;
                         });

}  // namespace
}  // namespace dropcheck::properties
