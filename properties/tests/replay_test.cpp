// The check `replay`: masks against those of a declared recipe.
#include <gmock/gmock.h>

#include <cmath>
#include <random>

#include "dropcheck/impl/in_process.hpp"
#include "dropcheck/impl/mask_replay.hpp"
#include "dropcheck/properties/config_source.hpp"
#include "replay_causes.hpp"
#include "support.hpp"

namespace dropcheck::properties {
namespace {

using impl::MaskRecipe;
using impl::MaskReplay;
using ::testing::HasSubstr;
using testing::run;
using testing::smoke;
using Words = std::vector<std::uint64_t>;

/// Draws as PyTorch's CPU build does, by the standard library's generator.
class TwisterLayer {
 public:
  explicit TwisterLayer(double drop) : drop_(drop) {}
  void forward(const impl::TensorView& x, bool training,
               const impl::TensorView& y) {
    const auto scale = static_cast<float>(1 / (1 - drop_));
    for (std::int64_t i = 0; i < x.size(); ++i) {
      if (!training) {
        y.set(i, x.value(i));
        continue;
      }
      const std::uint64_t high = words_();
      const std::uint64_t word = high << 32U | words_();
      const double u = static_cast<double>(word & 0x1fffffffffffffU) * 0x1p-53;
      const auto kept = static_cast<float>(x.value(i)) * scale;
      y.set(i, u < 1 - drop_ ? static_cast<double>(kept) : 0);
    }
  }
  void reseed(std::uint64_t seed) {
    words_.seed(static_cast<std::uint32_t>(seed));
  }

 private:
  double drop_;
  std::mt19937 words_;
};

impl::SubjectEntry twister(std::optional<MaskRecipe> recipe) {
  impl::SubjectEntry entry;
  entry.name = "test:twister";
  entry.layer = "dropout";
  entry.recipe = recipe;
  return impl::in_process(entry, impl::factory_of<TwisterLayer>());
}

Settings only_replay(double drop = 0.1) {
  Settings settings = smoke(3, drop);
  settings.only = {"replay"};
  return settings;
}

Finding replayed(const impl::SubjectEntry& entry, double drop = 0.1) {
  const RunResult result = run({entry}, only_replay(drop));
  EXPECT_EQ(result.findings.size(), 1U);
  return result.findings.at(0);
}

TEST(Replay, CertifiesTheDeclaredGenerator) {
  for (const double drop : {0.1, 0.5}) {
    const Finding finding =
        replayed(twister(impl::recipe_called("torch.bernoulli")), drop);
    EXPECT_EQ(finding.verdict, Verdict::kCertified) << finding.sentence;
    EXPECT_GT(finding.n, 250000U);
    EXPECT_GT(finding.calls, 14U);
    EXPECT_EQ(finding.log10_e, std::nullopt);
    EXPECT_THAT(finding.sentence, HasSubstr("drops exactly"));
    EXPECT_THAT(finding.bound, HasSubstr("MT19937 by the low 32 bits"));
    ASSERT_TRUE(finding.observed.has_value());
    EXPECT_NEAR(*finding.observed, drop, 1e-15);
  }
}

TEST(Replay, RefutesARecipeThatDiffersInOnePart) {
  const std::pair<const char*, const char*> parts[] = {
      {"first_word", "low"},  {"taken", "high"},    {"bits", "52"},
      {"kept", "u>=drop"},    {"threshold", "f32"}, {"seed_bits", "16"},
      {"generator", "pcg64"}, {"offset", "2"},      {"words", "1"}};
  for (const auto& [key, value] : parts) {
    const std::vector<impl::RecipePart> all = {{"like", "torch.bernoulli"},
                                               {key, value}};
    const bool one = std::string_view(key) == "words";
    const Finding finding = replayed(twister(
        one ? impl::recipe_of(
                  {{"like", "torch.bernoulli"}, {"words", "1"}, {"bits", "24"}})
            : impl::recipe_of(all)));
    EXPECT_EQ(finding.verdict, Verdict::kRefuted) << key;
    EXPECT_THAT(finding.sentence, HasSubstr("its mask is not that of")) << key;
    if (!one && std::string_view(key) != "generator") {
      EXPECT_THAT(finding.sentence, HasSubstr(key));
    }
  }
}

TEST(Replay, HoldsTheRateOfTheRecipeAgainstTheTolerance) {
  // An own layer that does what it says: 8 bits.
  class Coarse {
   public:
    explicit Coarse(double drop) : drop_(drop) {}
    void forward(const impl::TensorView& x, bool training,
                 const impl::TensorView& y) {
      const auto scale = static_cast<float>(1 / (1 - drop_));
      for (std::int64_t i = 0; i < x.size(); ++i) {
        const bool drops = training && static_cast<double>(words_() >> 24U) <
                                           std::ceil(256 * drop_);
        const auto kept = static_cast<float>(x.value(i)) * scale;
        y.set(i,
              training ? (drops ? 0 : static_cast<double>(kept)) : x.value(i));
      }
    }
    void reseed(std::uint64_t seed) {
      words_.seed(static_cast<std::uint32_t>(seed));
    }

   private:
    double drop_;
    std::mt19937 words_;
  };
  impl::SubjectEntry entry;
  entry.name = "test:coarse";
  entry.layer = "dropout";
  entry.recipe = impl::recipe_of({{"like", "torch.bernoulli"},
                                  {"words", "1"},
                                  {"bits", "8"},
                                  {"taken", "high"},
                                  {"kept", "u>=drop"}});
  entry = impl::in_process(entry, impl::factory_of<Coarse>());
  // Off by 0.0016, within the tolerance of smoke and not of a finer one.
  EXPECT_EQ(replayed(entry).verdict, Verdict::kCertified);
  Settings fine = only_replay();
  fine.delta = 1e-3;
  const RunResult result = run({entry}, fine);
  EXPECT_EQ(result.findings.at(0).verdict, Verdict::kRefuted);
  EXPECT_THAT(result.findings.at(0).sentence,
              HasSubstr("those of the declared recipe, but that drops exactly "
                        "13/128 of all words"));
}

/// One case.
class OneCase final : public ConfigSource {
 public:
  explicit OneCase(double drop) : drop_(drop) {}
  std::vector<DrawnCase> draw(const CaseWish&, std::uint64_t,
                              std::size_t) const override {
    return {{{.layer = "dropout", .drop_probability = drop_}, {140}}};
  }

 private:
  double drop_;
};

// Less than any grid of words has, and so than the run's tolerance there.
TEST(Replay, AllowsTheGridOfWordsAtATinyProbability) {
  const impl::SubjectEntry entry =
      twister(impl::recipe_called("torch.bernoulli"));
  Settings settings = only_replay();
  settings.generated = 1;
  for (const double drop : {2e-317, 1e-18, 1e-9}) {
    const OneCase source(drop);
    const RunResult result = verify(make_plan({entry}, settings, &source));
    ASSERT_EQ(result.findings.size(), 2U);
    for (const Finding& finding : result.findings) {
      EXPECT_EQ(finding.verdict, Verdict::kCertified) << finding.sentence;
    }
  }
}

TEST(Replay, IsLeftOutWhereNothingIsDeclared) {
  const Plan plan = make_plan({twister(std::nullopt)}, smoke(1));
  const auto& left_out = plan.configurations.at(0).left_out;
  const auto found =
      std::find_if(left_out.begin(), left_out.end(),
                   [](const LeftOut& one) { return one.check == "replay"; });
  ASSERT_NE(found, left_out.end());
  EXPECT_EQ(found->reason, "no recipe of its masks is declared");
}

/// Two masks of the recipe, the second of which `spoil` makes from the
/// decisions of the seed.
template <class Spoil>
ReplayMismatch spoilt(const MaskRecipe& recipe, std::size_t units,
                      const Spoil& spoil) {
  ReplayMismatch mismatch{11, 1, units, Words(units / 64), Words(units / 64)};
  MaskReplay replay(recipe, 0.1, 11);
  Words all(units / 64 * 4);
  MaskReplay(recipe, 0.1, 11).next(units * 4, all.data());
  replay.next(units, mismatch.expected.data());
  replay.next(units, mismatch.expected.data());
  for (std::size_t i = 0; i < units; ++i) {
    const std::size_t from = spoil(i);
    if ((all[from / 64] >> (from % 64) & 1U) != 0) {
      mismatch.observed[i / 64] |= std::uint64_t{1} << (i % 64);
    }
  }
  return mismatch;
}

TEST(ReplayCauses, NameWhereACallBegins) {
  const MaskRecipe recipe = impl::recipe_called("torch.bernoulli");
  const auto cause = [&](std::size_t (*from)(std::size_t)) {
    return cause_of_mismatch(recipe, 0.1, spoilt(recipe, 4096, from));
  };
  EXPECT_EQ(cause([](std::size_t i) { return i; }), ": every call begins anew");
  EXPECT_EQ(cause([](std::size_t i) { return 4096 + 312 + i; }),
            ": in that call it reads its words 624 too late (word 8816 of the "
            "seed's, where 8192 is due)");
  EXPECT_EQ(cause([](std::size_t i) { return i + 4095; }),
            ": in that call it reads its words 2 too early (word 8190 of the "
            "seed's, where 8192 is due)");
}

TEST(ReplayCauses, NameOtherMasks) {
  const MaskRecipe recipe = impl::recipe_called("torch.bernoulli");
  ReplayMismatch mismatch =
      spoilt(recipe, 4096, [](std::size_t i) { return 4096 + i; });
  EXPECT_EQ(mismatch.observed, mismatch.expected);
  EXPECT_EQ(mismatch.first(), 4096U);
  for (std::uint64_t& word : mismatch.observed) word = ~word;
  EXPECT_THAT(cause_of_mismatch(recipe, 0.1, mismatch),
              HasSubstr("keeps what is to be dropped"));
  MaskReplay(recipe, 0.1, 12).next(4096, mismatch.observed.data());
  EXPECT_THAT(cause_of_mismatch(recipe, 0.1, mismatch),
              HasSubstr("nothing in common"));
  MaskReplay other(recipe, 0.12, 11);
  other.next(4096, mismatch.observed.data());
  other.next(4096, mismatch.observed.data());
  EXPECT_THAT(cause_of_mismatch(recipe, 0.1, mismatch),
              HasSubstr("the threshold is that of a drop probability between "
                        "0.1"));
}

TEST(ReplayCauses, NeighboursDifferInOnePart) {
  for (const std::string_view name : impl::recipe_names()) {
    const MaskRecipe recipe = impl::recipe_called(name);
    const auto due = impl::parts_of(recipe);
    for (const MaskRecipe& other : neighbours(recipe)) {
      const auto parts = impl::parts_of(other);
      int differing = 0;
      for (std::size_t i = 0; i < due.size(); ++i) {
        differing += parts[i] == due[i] ? 0 : 1;
      }
      EXPECT_EQ(differing, 1) << name;
    }
  }
}

}  // namespace
}  // namespace dropcheck::properties
