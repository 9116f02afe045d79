// What a check could read of a subject tells nothing of what it is.
#include "dropcheck/self_test/opaque.hpp"

#include <gtest/gtest.h>

#include "dropcheck/properties/verify.hpp"

namespace dropcheck::self_test {
namespace {

const impl::SubjectEntry& wrong_layer() {
  return impl::faulty_subjects().front();
}

TEST(Opaque, TellsNothingOfTheSubject) {
  const impl::SubjectEntry entry = opaque(wrong_layer(), "x");
  EXPECT_EQ(entry.name, "x");
  EXPECT_EQ(entry.summary + entry.caught_by + entry.defect, "");
  EXPECT_EQ(entry.trial.effect + entry.trial.says, "");
  const auto subject = entry.open();
  const impl::Description& description = subject->describe();
  EXPECT_EQ(description.name, "x");
  EXPECT_EQ(description.version + description.generator, "");
}

TEST(Opaque, KeepsWhatMayBeAsked) {
  const impl::SubjectEntry entry = opaque(wrong_layer(), "x");
  EXPECT_EQ(entry.layer, wrong_layer().layer);
  EXPECT_EQ(entry.variants, wrong_layer().variants);
  EXPECT_EQ(entry.guard, wrong_layer().guard);
  const auto before = wrong_layer().open();
  const auto after = entry.open();
  EXPECT_EQ(after->describe().dtypes, before->describe().dtypes);
  EXPECT_EQ(after->describe().backward, before->describe().backward);
  EXPECT_EQ(after->describe().in_place, before->describe().in_place);
  EXPECT_EQ(after->describe().reseed, before->describe().reseed);
}

TEST(Opaque, GivesTheSameFindings) {
  properties::Settings settings;
  settings.profile = properties::Profile::kSmoke;
  settings.drop_probabilities = {0.1};
  settings.dtypes = {impl::DType::kFloat32};
  settings.seed = 5;
  const auto findings_of = [&](const impl::SubjectEntry& entry) {
    return properties::verify(properties::make_plan({entry}, settings))
        .findings;
  };
  const auto named = findings_of(wrong_layer());
  const auto masked = findings_of(opaque(wrong_layer(), "x"));
  ASSERT_EQ(named.size(), masked.size());
  for (std::size_t i = 0; i < named.size(); ++i) {
    EXPECT_EQ(named[i].id, masked[i].id);
    EXPECT_EQ(named[i].sentence, masked[i].sentence);
    EXPECT_EQ(named[i].log10_e, masked[i].log10_e);
  }
}

}  // namespace
}  // namespace dropcheck::self_test
