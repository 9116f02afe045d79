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
    &drop_rate_robust_check,
    &expectation_check,
    &moments_check,
    &unit_counts_check,
    &dispersion_check,
    &homogeneity_check,
    &independence_within_check,
    &independence_pairs_check,
    &higher_order_check,
    &independence_calls_check,
    &independence_seeds_check,
    &long_stream_check,
    &value_independence_check,
    &special_values_check,
    &eval_identity_check,
    &edge_probabilities_check,
    &rare_events_check,
    &seeding_check,
    &state_check,
    &in_place_check,
    &backward_mask_check,
    &mask_output_check,
    &replay_check,
    &self_normalisation_check,
    &resolution_check,
    &block_output_check,
    &block_decisions_check,
    &block_moments_check,
    &rate_schedule_check,
    &block_independence_check,
    &block_evaluation_check,
    &selu_moments_check,
    &blocks_check,
    &position_rates_check,
    &distribution_check,
    &layout_check,
    &shape_check,
    &dtype_check,
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
  const CheckDefinition& definition = definition_of(check.name);
  const bool is_network = law.network != nullptr;
  if (definition.of_networks && !is_network) return "a layer has no blocks";
  if (!definition.of_networks && is_network) {
    return "of a network only its drop layers are checked, at their taps";
  }
  const auto reason = definition.not_applicable;
  return reason == nullptr ? std::string_view{} : reason(law);
}

}  // namespace dropcheck::properties
