#include "dropcheck/impl/law_options.hpp"

#include <gmock/gmock.h>

#include <stdexcept>

#include "dropcheck/impl/registry.hpp"

namespace dropcheck::impl {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

const LawOptions kUnusual{.at_one = AtOne::kFormula,
                          .beyond_ends = BeyondEnds::kAccepted,
                          .dropped_nonfinite = DroppedNonFinite::kNaN,
                          .dropped_zero = DroppedZero::kSigned,
                          .evaluation_return = EvaluationReturn::kAlias,
                          .scale_rounding = ScaleRounding::kDType,
                          .dtype_is_kept = false,
                          .rank_is_checked = false,
                          .scale_keeps_precision = false};

std::string refusal(const DeclaredOption& declared) {
  LawOptions options;
  try {
    declare(declared, options);
  } catch (const std::invalid_argument& error) {
    return error.what();
  }
  return "accepted";
}

TEST(LawOptions, AreDeclaredByNameAndValue) {
  const DeclaredOptions declared = declared_options(kUnusual);
  EXPECT_EQ(declared.size(), option_names().size());
  LawOptions options;
  for (const DeclaredOption& option : declared) declare(option, options);
  EXPECT_EQ(options, kUnusual);
}

TEST(LawOptions, OfTheStrictChoiceNeedNoDeclaration) {
  EXPECT_THAT(declared_options({}), IsEmpty());
  EXPECT_THAT(declared_options({.at_one = AtOne::kEither}),
              ElementsAre(DeclaredOption{"at_one", "either"}));
}

TEST(LawOptions, KnowWhichOfThemAreFlags) {
  EXPECT_TRUE(is_flag("dtype_is_kept"));
  EXPECT_FALSE(is_flag("at_one"));
  EXPECT_THROW(is_flag("at_two"), std::invalid_argument);
}

TEST(LawOptions, NameWhatTheyRefuse) {
  EXPECT_THAT(refusal({"at_two", "zeros"}),
              HasSubstr("unknown option 'at_two': there are at_one, "));
  EXPECT_EQ(refusal({"dropped_zero", "nan"}),
            "option dropped_zero is 'nan', but must be one of positive, "
            "signed, either");
  EXPECT_EQ(refusal({"dtype_is_kept", "1"}),
            "option dtype_is_kept is '1', but must be one of false, true");
}

TEST(LawOptions, OfADescriptionCountWhereTheEntryLeavesThemOpen) {
  SubjectEntry entry;
  entry.layer = "drop_block2d";
  Description description;
  description.options = {{"evaluation_return", "alias"}};
  const Law law = law_of(entry, description);
  EXPECT_EQ(law.options.evaluation_return, EvaluationReturn::kAlias);
  EXPECT_EQ(law.options.at_one, AtOne::kFormula);  // the law's own choice
  entry.options = LawOptions{};
  EXPECT_EQ(law_of(entry, description).options, LawOptions{});
  entry.options.reset();
  description.options = {{"at_two", "zeros"}};
  EXPECT_THROW(law_of(entry, description), std::invalid_argument);
}

}  // namespace
}  // namespace dropcheck::impl
