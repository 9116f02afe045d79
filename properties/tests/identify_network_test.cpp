// Blocks, and networks of which calls show little: what can be told is, and
// nothing is named that is not there. Seeds are fixed: intervals at 1e-9 do not
// fail by chance.
#include <gmock/gmock.h>

#include <cmath>

#include "dropcheck/impl/random_stream.hpp"
#include "identify_support.hpp"

namespace dropcheck::properties {
namespace {

using impl::SubjectEntry;
using ::testing::HasSubstr;
using testing::identify_odd;
using testing::is_named;
using ::testing::IsEmpty;
using testing::Oddity;
using testing::opaque;
using testing::settings;
using testing::subject;
using testing::told;

/// A network, asked with the input that it takes.
Identification identify_network(const char* name, double drop) {
  const SubjectEntry& entry = subject(name);
  const impl::NetworkLaw& network = *impl::law_of(entry).network;
  IdentifySettings asked = settings(drop);
  asked.shape = impl::Shape{network.batch};
  asked.shape->insert(asked.shape->end(), network.sample.begin(),
                      network.sample.end());
  return identify(opaque(entry), asked);
}

// Calls show the last drop layer of a network, and no more than that there are
// others: nothing is named that is not there.
TEST(IdentifyNetwork, NamesADropPathBehindALayer) {
  for (const double drop : {0.1, 0.3, 0.5}) {
    const Identification found =
        identify_network("builtin:linear_relu_drop_path", drop);
    EXPECT_TRUE(found.identified) << told(found);
    EXPECT_TRUE(found.as_asked) << told(found);
    EXPECT_EQ(found.nearest.front().config.layer, "drop_path") << told(found);
    EXPECT_THAT(told(found), HasSubstr("decides once per sample"));
    EXPECT_THAT(told(found),
                HasSubstr("another function of the input stands before it"));
  }
}

TEST(IdentifyNetwork, NamesADropPathThatIsNotTheOnlyOne) {
  const Identification found =
      identify_network("faulty:vit_drop_path_after_addition", 0.1);
  EXPECT_EQ(found.kind, ValueKind::kInner) << told(found);
  EXPECT_EQ(found.nearest.front().config.layer, "drop_path") << told(found);
  EXPECT_FALSE(found.identified);
}

TEST(IdentifyNetwork, NamesTheLastLayerOfASeluNetwork) {
  for (const double drop : {0.1, 0.3, 0.5}) {
    const Identification found = identify_network("builtin:selu_network", drop);
    EXPECT_EQ(found.kind, ValueKind::kInner);
    EXPECT_FALSE(found.identified) << told(found);
    EXPECT_TRUE(found.as_asked) << told(found);
    EXPECT_EQ(found.nearest.front().config.layer, "alpha_dropout");
    EXPECT_THAT(told(found), HasSubstr("other random layers stand before it"));
  }
}

TEST(IdentifyNetwork, NamesNoLayerForManyBranches) {
  for (const double drop : {0.1, 0.3, 0.5}) {
    const Identification found = identify_network("builtin:vit_encoder", drop);
    ASSERT_EQ(found.kind, ValueKind::kBranches) << told(found);
    EXPECT_FALSE(found.identified);
    EXPECT_THAT(found.nearest, IsEmpty());
    EXPECT_THAT(told(found), HasSubstr("a network of several random branches"));
    EXPECT_EQ(found.branches->unit, "for each sample");
    EXPECT_GE(found.branches->fewest_decisions, 8);
    // 22 branches, drawn with p i / 11 for i = 1 to 11, two of each.
    double all_kept = 1;
    for (int i = 1; i <= 11; ++i) {
      all_kept *= (1 - drop * i / 11) * (1 - drop * i / 11);
    }
    EXPECT_LE(found.branches->interval.lower, all_kept);
    EXPECT_GE(found.branches->interval.upper, all_kept);
  }
}

TEST(IdentifyNetwork, TellsOneBranchOfAResidualBlock) {
  Oddity block;
  block.forward = [calls = std::uint64_t{0}](const impl::Call& call,
                                             impl::TensorView result,
                                             impl::Tensor&) mutable {
    const std::int64_t size = result.size() / call.repeat;
    for (std::int64_t i = 0; i < result.size(); ++i) {
      if (i % size == 0) ++calls;
      const double x = call.input.value(i % size);
      const bool keeps = impl::keyed_word(9, calls, 0) >> 62U != 0;
      const double scale = keeps ? 1 / 0.75 : 0;
      result.set(i, x + (call.training ? scale : 1) * std::sin(x));
    }
    return result;
  };
  const Identification found = identify_odd(block);
  ASSERT_EQ(found.kind, ValueKind::kBranches) << told(found);
  EXPECT_EQ(found.branches->distinct, 2U);
  EXPECT_EQ(found.branches->unit, "for the whole tensor");
  EXPECT_LE(found.branches->interval.lower, 0.75);
  EXPECT_GE(found.branches->interval.upper, 0.75);
  EXPECT_FALSE(found.identified);
}

TEST(Identify, ReadsBlocksOfOtherSizesAndAxes) {
  for (const std::int64_t size : {2, 4, 5, 7}) {
    const Identification found =
        identify(opaque(subject("builtin:drop_block2d")),
                 settings(0.1, {.block = {.size = size}}));
    ASSERT_TRUE(found.blocks) << told(found);
    EXPECT_EQ(found.blocks->sizes, (impl::Shape{size, size})) << told(found);
    EXPECT_EQ(found.blocks->axes, (std::vector<int>{2, 3}));
    EXPECT_TRUE(is_named(found, "drop_block2d")) << told(found);
  }
}

TEST(Identify, ReadsTheOptionsOfBlocks) {
  const auto nearest = [](const impl::BlockOptions& block) {
    return identify(opaque(subject("builtin:drop_block2d")),
                    settings(0.3, {.block = block}))
        .nearest.front()
        .config.block;
  };
  for (const impl::BlockOptions& block :
       {impl::BlockOptions{.whole_map = true},
        impl::BlockOptions{.shared_by_channels = true},
        impl::BlockOptions{.plain_gamma = true},
        impl::BlockOptions{.fixed_scale = true},
        impl::BlockOptions{
            .size = 4, .whole_map = true, .plain_gamma = true}}) {
    EXPECT_EQ(nearest(block), block);
  }
}

}  // namespace
}  // namespace dropcheck::properties
