// Which subjects a command line means, over a small registry of our own.
#include "dropcheck/cli/selection.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "dropcheck/cli/usage_error.hpp"

namespace dropcheck::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

impl::SubjectEntry entry(std::string name, std::string layer) {
  impl::SubjectEntry result;
  result.name = std::move(name);
  result.layer = std::move(layer);
  return result;
}

const std::vector<impl::SubjectEntry> kAll = {
    entry("builtin:dropout", "dropout"),
    entry("builtin:dropout2d", "dropout2d"),
    entry("faulty:drops_nothing", "dropout"),
    entry("torch:nn.Dropout", "dropout"),
    entry("torch:nn.Dropout2d", "dropout2d")};
const std::vector<std::string> kLayers = {"dropout", "dropout2d", "drop_path"};

std::vector<std::string> chosen(const Wish& wish) {
  std::vector<std::string> names;
  for (const auto& e : select_subjects(kAll, wish, kLayers)) {
    names.push_back(e.name);
  }
  return names;
}

std::string refusal(const Wish& wish) {
  try {
    select_subjects(kAll, wish, kLayers);
  } catch (const UsageError& error) {
    return error.what();
  }
  return "(taken)";
}

TEST(SelectSubjects, MeansAllBuiltInLayersWhereNoneIsNamed) {
  EXPECT_THAT(chosen({}), ElementsAre("builtin:dropout", "builtin:dropout2d"));
}

TEST(SelectSubjects, TakesEachOnceInTheOrderAskedFor) {
  EXPECT_THAT(chosen({{"torch:nn.Dropout2d", "torch:*"}, {}}),
              ElementsAre("torch:nn.Dropout2d", "torch:nn.Dropout"));
}

TEST(SelectSubjects, KeepsOnlyTheLayersAskedFor) {
  EXPECT_THAT(chosen({{"*"}, {"dropout2d"}}),
              ElementsAre("builtin:dropout2d", "torch:nn.Dropout2d"));
}

TEST(SelectSubjects, RefusesUnknownNamesWithASuggestion) {
  EXPECT_THAT(refusal({{"builtin:dropuot"}, {}}),
              HasSubstr("'builtin:dropuot': nothing has this name; did you "
                        "mean 'builtin:dropout'?"));
  EXPECT_THAT(refusal({{"dropout2d"}, {}}), HasSubstr("'builtin:dropout2d'?"));
  EXPECT_THAT(refusal({{"troch:*"}, {}}), HasSubstr("did you mean 'torch'?"));
  EXPECT_THAT(refusal({{"builtin:x*"}, {}}), HasSubstr("'builtin:x*'"));
  EXPECT_THAT(refusal({{"ruby adapter.rb"}, {}}),
              HasSubstr("'cmd:ruby adapter.rb'"));
  EXPECT_THAT(refusal({{""}, {}}), HasSubstr("unknown subject ''"));
  for (const char* value : {".3", "f64", "8x4"}) {
    EXPECT_THAT(refusal({{value}, {}}), HasSubstr("separated by commas"));
  }
}

TEST(SelectSubjects, RefusesUnknownLayersAndEmptySelections) {
  EXPECT_THAT(refusal({{}, {"dropout2"}}),
              HasSubstr("--layer is 'dropout2', but must be one of"));
  EXPECT_THAT(refusal({{}, {"drop_path"}}),
              HasSubstr("no subject of builtin:* is one"));
}

TEST(FindSubject, TakesTheExactNameOnly) {
  EXPECT_EQ(find_subject(kAll, "torch:nn.Dropout").layer, "dropout");
  EXPECT_THROW(find_subject(kAll, "torch:*"), UsageError);
}

}  // namespace
}  // namespace dropcheck::cli
