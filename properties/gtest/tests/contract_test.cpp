#include "dropcheck/gtest/contract.hpp"

#include <gmock/gmock.h>

#include <stdexcept>

namespace dropcheck::gtest {
namespace {

using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

TEST(Contract, ComesFromANameOrALaw) {
  EXPECT_EQ(contract("dropout2d").layer, "dropout2d");
  impl::Law law = *impl::find_law("dropout2d");
  law.options.at_one = impl::AtOne::kError;
  const Contract of_law = contract_of(law, {0.2});
  EXPECT_EQ(of_law.layer, "dropout2d");
  EXPECT_EQ(of_law.drop_probabilities, std::vector<double>{0.2});
  const impl::Law again = impl::law_of(entry_of(of_law, "x"));
  EXPECT_EQ(again.options.at_one, impl::AtOne::kError);
  EXPECT_EQ(again.spatial_axes, law.spatial_axes);
}

TEST(Contract, RefusesALawThatItsNameDoesNotTell) {
  impl::Law law = *impl::find_law("dropout");
  law.unit = impl::Unit::kSample;
  EXPECT_THAT([&] { contract_of(law); },
              ThrowsMessage<std::invalid_argument>(HasSubstr("'dropout'")));
}

TEST(Contract, NamesTheLayersThatThereAre) {
  EXPECT_THAT([] { entry_of(contract("dropuot"), "x"); },
              ThrowsMessage<std::invalid_argument>(::testing::AllOf(
                  HasSubstr("'dropuot'"), HasSubstr("dropout2d"))));
}

TEST(Contract, HasOneProbabilityForOneLayer) {
  EXPECT_EQ(only_probability({.drop_probabilities = {0.3}}), 0.3);
  EXPECT_THROW(only_probability({}), std::invalid_argument);
  EXPECT_THROW(only_probability({.drop_probabilities = {0.3, 0.5}}),
               std::invalid_argument);
}

TEST(Contract, MeansSingleIfNoDtypeIsSaid) {
  EXPECT_THAT(dtypes_of({}), ::testing::ElementsAre(impl::DType::kFloat32));
}

}  // namespace
}  // namespace dropcheck::gtest
