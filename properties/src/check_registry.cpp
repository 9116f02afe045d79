#include <array>
#include <stdexcept>
#include <string>
#include <vector>

#include "check_definition.hpp"

namespace dropcheck::properties {
namespace {

constexpr std::array kDefinitions{
    &support_check,
    &granularity_check,
    &drop_rate_check,
    &expectation_check,
    &moments_check,
    &unit_counts_check,
    &homogeneity_check,
    &independence_within_check,
    &independence_calls_check,
    &eval_identity_check,
    &edge_probabilities_check,
    &seeding_check,
    &in_place_check,
    &backward_mask_check,
    &self_normalisation_check,
    &blocks_check,
    &position_rates_check,
    &distribution_check,
};

}  // namespace

std::span<const CheckDefinition* const> check_definitions() {
  return kDefinitions;
}

const CheckDefinition& definition_of(std::string_view check) {
  for (const CheckDefinition* definition : kDefinitions) {
    if (definition->info.name == check) return *definition;
  }
  throw std::out_of_range("no check is called " + std::string(check));
}

std::span<const CheckInfo> checks() {
  static const std::vector<CheckInfo> all = [] {
    std::vector<CheckInfo> infos;
    infos.reserve(kDefinitions.size());
    for (const auto* definition : kDefinitions) {
      infos.push_back(definition->info);
    }
    return infos;
  }();
  return all;
}

const CheckInfo* find_check(std::string_view name) {
  for (const CheckInfo& check : checks()) {
    if (check.name == name) return &check;
  }
  return nullptr;
}

std::string_view not_applicable(const CheckInfo& check, const impl::Law& law) {
  const auto reason = definition_of(check.name).not_applicable;
  return reason == nullptr ? std::string_view{} : reason(law);
}

}  // namespace dropcheck::properties
