#include "dropcheck/gtest/contract.hpp"

#include <fmt/format.h>

#include <stdexcept>
#include <utility>

namespace dropcheck::gtest {
namespace {

const impl::Law& law_called(std::string_view layer) {
  if (const impl::Law* law = impl::find_law(layer)) return *law;
  std::string names;
  for (const impl::Law& law : impl::laws()) {
    names += fmt::format("{}{}", names.empty() ? "" : ", ", law.layer);
  }
  throw std::invalid_argument(fmt::format(
      "contract: layer is '{}', but must be one of {}", layer, names));
}

bool same_but_for_options(const impl::Law& a, const impl::Law& b) {
  return a.unit == b.unit && a.scaling == b.scaling && a.base == b.base &&
         a.minimum_rank == b.minimum_rank && a.maximum_rank == b.maximum_rank &&
         a.has_backward == b.has_backward && a.has_in_place == b.has_in_place;
}

}  // namespace

Contract contract(Contract whole) { return whole; }

Contract contract(std::string_view layer) {
  return {.layer = std::string(layer)};
}

Contract contract_of(const impl::Law& law,
                     std::vector<double> drop_probabilities) {
  if (!same_but_for_options(law, law_called(law.layer))) {
    throw std::invalid_argument(fmt::format(
        "contract: the law differs from that of '{}' in more than options and "
        "spatial axes, but a law is found by its name",
        law.layer));
  }
  return {.layer = std::string(law.layer),
          .drop_probabilities = std::move(drop_probabilities),
          .spatial_axes = law.spatial_axes,
          .options = law.options};
}

impl::SubjectEntry entry_of(const Contract& contract, std::string name) {
  law_called(contract.layer);
  impl::SubjectEntry entry;
  entry.name = std::move(name);
  entry.layer = contract.layer;
  entry.variants = contract.variants;
  entry.spatial_axes = contract.spatial_axes;
  entry.options = contract.options;
  entry.recipe = contract.recipe;
  entry.strides = contract.strides;
  return entry;
}

std::vector<impl::DType> dtypes_of(const Contract& contract) {
  if (!contract.dtypes.empty()) return contract.dtypes;
  return {impl::DType::kFloat32};
}

double only_probability(const Contract& contract) {
  if (contract.drop_probabilities.size() == 1) {
    return contract.drop_probabilities.front();
  }
  throw std::invalid_argument(fmt::format(
      "contract: {} drop probabilities are given, but a layer object has one; "
      "give that one, or a function that makes layers",
      contract.drop_probabilities.size()));
}

}  // namespace dropcheck::gtest
