// The text is what people read, so it is compared letter by letter. What a
// subject says of itself must not reach the terminal raw.
#include "dropcheck/reports/identification.hpp"

#include <gmock/gmock.h>

#include <limits>
#include <sstream>

#include "golden.hpp"
#include "text.hpp"

namespace dropcheck::reports {
namespace {

using properties::EvaluationKind;
using properties::Identification;
using properties::NearestLayer;
using properties::RankReading;
using properties::ValueKind;
using testing::HasSubstr;
using testing::Not;

RankReading rank(impl::Shape input, std::vector<bool> shared,
                 std::string unit) {
  RankReading reading;
  reading.output = input;
  reading.input = std::move(input);
  reading.taken = true;
  reading.shared = std::move(shared);
  reading.unit = std::move(unit);
  return reading;
}

RankReading refused(impl::Shape input) {
  RankReading reading;
  reading.input = std::move(input);
  reading.refusal = "no";
  return reading;
}

Identification sample() {
  Identification found;
  found.subject = "builtin:dropout2d";
  found.config = {.layer = "dropout2d", .drop_probability = 0.1};
  found.seed = 7;
  found.calls = 1603;
  found.identified = true;
  found.law = "decides once per channel; drops with probability 0.1 as asked";
  found.nearest_words = "this is dropout2d: nothing differs";
  found.kind = ValueKind::kMask;
  found.ranks = {refused({31}),
                 rank({5, 4, 6}, {false, false, true}, "per channel"),
                 rank({5, 3, 4, 2}, {false, false, true, true}, "per channel")};
  found.rank = 2;
  found.drop_probability = 0.1002;
  found.interval = {0.0991, 0.1013};
  found.decisions = 4201600;
  found.as_asked = true;
  found.slope = 1.25;
  found.offset = 0;
  found.dropped_value = 0;
  found.rounding = "bit for bit x * 1.25 in f32";
  found.evaluation = EvaluationKind::kIdentity;
  found.evaluation_words = "the identity, bit for bit";
  found.seeding = "a seed repeats its masks, other seeds have others";
  NearestLayer same;
  same.config.layer = "dropout2d";
  NearestLayer other;
  other.config.layer = "broadcast_dropout";
  other.options = "sharing axes 2 and 3";
  other.distance = 0.15;
  other.differences = {"refuses rank 5, which broadcast_dropout takes"};
  found.nearest = {same, other};
  return found;
}

TEST(Identification, KeepsItsForm) {
  expect_golden("identification.txt", identification_text(sample(), {}));
}

/// What was read of drop_block2d.
Identification blocks() {
  Identification found = sample();
  found.subject = "builtin:drop_block2d";
  found.kind = ValueKind::kScalePerCall;
  found.law = "drops blocks of 3x3 along axes 2 and 3";
  found.nearest_words = "this is drop_block2d (blocks of 3): nothing differs";
  found.ranks[2].shared.reset();
  found.ranks[2].unit = "in blocks of 3x3";
  found.slope.reset();
  found.drop_probability = 0.0953;
  found.interval = {0.0927, 0.0979};
  found.blocks = properties::BlockReading{.shape = {3, 9, 18, 16},
                                          .axes = {2, 3},
                                          .sizes = {3, 3},
                                          .shared = {1},
                                          .gamma = 0.0143,
                                          .gamma_interval = {0.0139, 0.0147},
                                          .measured_scale = true};
  return found;
}

TEST(Identification, ShowsBlocks) {
  expect_golden("identification_blocks.txt", identification_text(blocks(), {}));
  const nlohmann::json json = to_json(blocks());
  EXPECT_EQ(json["blocks"]["sizes"], nlohmann::json({3, 3}));
  EXPECT_EQ(json["blocks"]["shared"], nlohmann::json({1}));
}

TEST(Identification, ShowsNoiseThatMultiplies) {
  Identification found = sample();
  found.kind = ValueKind::kNoise;
  found.ranks[2].unit = "per entry";
  found.noise = properties::NoiseReading{.multiplies = true,
                                         .mean = 1,
                                         .deviation = 1.0 / 3,
                                         .kurtosis = 3,
                                         .n = 1048680,
                                         .normal = true,
                                         .mean_is_one = true};
  const std::string text = identification_text(found, {});
  EXPECT_THAT(text, HasSubstr("0.1002 seen, in [0.0991, 0.1013]"));
  EXPECT_THAT(text, HasSubstr("1,048,680 factors"));
  EXPECT_EQ(to_json(found)["noise"]["normal"], true);
}

TEST(Identification, WritesBranches) {
  Identification found = sample();
  found.kind = ValueKind::kBranches;
  found.branches = properties::BranchReading{
      "for each sample", 16384, 1423, 0.28, {0.25, 0.31}, 11};
  const nlohmann::json json = to_json(found);
  EXPECT_EQ(json["kind"], "branches");
  EXPECT_EQ(json["branches"]["fewest_decisions"], 11);
}

TEST(Identification, StaysWithinTheWidth) {
  Identification found = sample();
  found.unknown = {"more: " + std::string(300, 'z')};
  for (const int width : {40, 80, 120}) {
    std::istringstream lines(identification_text(found, {.width = width}));
    for (std::string line; std::getline(lines, line);) {
      if (line.starts_with("builtin:")) continue;  // To be copied.
      EXPECT_LE(columns_of(line), static_cast<std::size_t>(width)) << line;
    }
  }
}

TEST(Identification, TellsWhatIsNotKnown) {
  Identification found = sample();
  found.drop_probability.reset();
  found.slope.reset();
  found.ranks[2].unit.clear();
  found.unknown = {"the unit: too few calls"};
  const std::string text = identification_text(found, {});
  EXPECT_THAT(text, HasSubstr("cannot tell    the unit: too few calls"));
  EXPECT_THAT(text, HasSubstr("drop rate      not known"));
  EXPECT_FALSE(to_json(found).contains("drop_probability"));
}

TEST(Identification, KeepsControlCharactersFromTheTerminal) {
  Identification found = sample();
  found.unknown = {"anything: it says \x1b[2J"};
  EXPECT_THAT(identification_text(found, {}), Not(HasSubstr("\x1b")));
}

TEST(Identification, WritesJsonThatCanBeRead) {
  Identification found = sample();
  found.dropped_value = std::numeric_limits<double>::quiet_NaN();
  found.unknown = {"\xff"};
  const nlohmann::json json = nlohmann::json::parse(to_json(found).dump());
  EXPECT_EQ(json["schema"], kIdentificationSchema);
  EXPECT_EQ(json["seed"], "7");
  EXPECT_TRUE(json["dropped_value"].is_null());
  EXPECT_EQ(json["nearest"][0]["layer"], "dropout2d");
  EXPECT_EQ(json["ranks"][2]["shared"],
            nlohmann::json({false, false, true, true}));
  EXPECT_EQ(json["kind"], "mask");
}

}  // namespace
}  // namespace dropcheck::reports
