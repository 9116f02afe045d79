// Suggestions must help where a finger slipped and stay silent elsewhere: a
// wrong suggestion in a CI log costs more than none.
#include "dropcheck/cli/names.hpp"

#include <gtest/gtest.h>

#include "dropcheck/properties/glob.hpp"

namespace dropcheck::cli {
namespace {

const std::vector<std::string> kSubjects = {
    "builtin:dropout", "builtin:dropout2d", "builtin:drop_path",
    "faulty:drops_nothing", "torch:nn.Dropout2d"};

TEST(EditDistance, CountsEachKindOfSlipOnce) {
  EXPECT_EQ(edit_distance("dropout", "dropout"), 0u);
  EXPECT_EQ(edit_distance("dropout", "dropuot"), 1u);  // swapped
  EXPECT_EQ(edit_distance("dropout", "dropot"), 1u);   // lost
  EXPECT_EQ(edit_distance("dropout", "droppout"), 1u);
  EXPECT_EQ(edit_distance("dropout", "dropoit"), 1u);
  EXPECT_EQ(edit_distance("", "abc"), 3u);
  EXPECT_EQ(edit_distance("abc", ""), 3u);
}

TEST(EditDistance, IgnoresLetterCase) {
  EXPECT_EQ(edit_distance("nn.Dropout2D", "nn.dropout2d"), 0u);
}

TEST(Closest, FindsTheNameThatWasMeant) {
  EXPECT_EQ(closest("builtin:dropuot", kSubjects), "builtin:dropout");
  EXPECT_EQ(closest("faulty:drop_nothing", kSubjects), "faulty:drops_nothing");
  EXPECT_EQ(closest("dropout2d", kSubjects), "builtin:dropout2d");
  EXPECT_EQ(closest("nn.dropout2d", kSubjects), "torch:nn.Dropout2d");
}

TEST(Closest, StaysSilentWhereNothingIsClose) {
  EXPECT_EQ(closest("zzz", kSubjects), "");
  EXPECT_EQ(closest("", kSubjects), "");
  EXPECT_EQ(did_you_mean("batch_norm", kSubjects), "");
}

TEST(DidYouMeanOneOf, TellsTheNamesThatHoldTheLetters) {
  EXPECT_EQ(did_you_mean_one_of("nothing", kSubjects),
            "; did you mean 'faulty:drops_nothing'?");
  EXPECT_EQ(did_you_mean_one_of("torch:DropPath", kSubjects),
            "; did you mean 'builtin:drop_path'?");
  EXPECT_EQ(did_you_mean_one_of("dropuot", kSubjects),
            "; did you mean 'builtin:dropout'?");
  EXPECT_EQ(did_you_mean_one_of("zzz", kSubjects), "");
  EXPECT_EQ(did_you_mean_one_of("", kSubjects), "");
}

TEST(Glob, TreatsBracketsAsThemselves) {
  const std::string id = "dropout2d.granularity[p=0.1,f32,64x256x2x2]";
  EXPECT_TRUE(properties::glob_matches("dropout2d.*", id));
  EXPECT_TRUE(properties::glob_matches("*[p=0.1*", id));
  EXPECT_TRUE(properties::glob_matches(id, id));
  EXPECT_FALSE(properties::glob_matches("dropout.*", id));
  EXPECT_FALSE(properties::glob_matches("*[p=0.3*", id));
}

TEST(IdGlob, CompletesTheNameOfACheck) {
  const std::string id = "dropout2d.granularity[p=0.1,f32,64x256x2x2]";
  for (const char* pattern :
       {"granularity", "dropout2d.granularity", "gran*", "dropout2d.*",
        "*p=0.1*", "*.granularity", "*", "dropout2d.granularity[p=0.1*"}) {
    EXPECT_TRUE(properties::glob_matches(id_glob(pattern), id)) << pattern;
  }
  for (const char* pattern :
       {"gran", "dropout.granularity", "dropout2d", "support", "*p=0.3*"}) {
    EXPECT_FALSE(properties::glob_matches(id_glob(pattern), id)) << pattern;
  }
}

}  // namespace
}  // namespace dropcheck::cli
