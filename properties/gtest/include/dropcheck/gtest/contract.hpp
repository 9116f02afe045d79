#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "dropcheck/impl/law.hpp"
#include "dropcheck/impl/registry.hpp"
#include "dropcheck/properties/settings.hpp"

namespace dropcheck::gtest {

/// What a layer promises, and where it is held to it. All but the law may be
/// left out.
struct Contract {
  std::string layer = "dropout";  ///< the law: `dropcheck list layers`
  std::vector<double> drop_probabilities = {};  ///< empty: .1 .3 .5
  std::vector<impl::DType> dtypes = {};         ///< empty: f32
  std::vector<impl::Shape> shapes = {};         ///< empty: chosen by the law
  /// Options that the layer must honour, each verified beside the plain
  /// configuration: {{.in_place = true}}.
  std::vector<impl::LayerConfig> variants = {};
  std::vector<std::string> only = {};  ///< globs on checks; empty: all
  /// Where the layer documents another choice than the law's default.
  std::optional<int> spatial_axes = {};
  std::optional<impl::LawOptions> options = {};
  /// How its masks follow from a seed: they are then recomputed.
  std::optional<impl::MaskRecipe> recipe = {};
  /// In place of the program's (--dropcheck_profile).
  std::optional<properties::Profile> profile = {};
  /// Which strides the layer takes; others are not tried.
  impl::Strides strides = impl::Strides::kCompact;
};

/// What may stand for a contract in an assertion.
Contract contract(Contract whole);
Contract contract(std::string_view layer);

/// The contract of a law, with the options and spatial axes that it says.
/// Throws std::invalid_argument where anything else differs from the law of
/// that name: a law is found by its name.
Contract contract_of(const impl::Law& law,
                     std::vector<double> drop_probabilities = {});

/// The subject's entry, but for the way to open it. Throws
/// std::invalid_argument if no law has the contract's name.
impl::SubjectEntry entry_of(const Contract& contract, std::string name);

/// The dtypes of the contract, or f32.
std::vector<impl::DType> dtypes_of(const Contract& contract);

/// The drop probability of a contract about one layer. Throws
/// std::invalid_argument unless the contract has exactly one.
double only_probability(const Contract& contract);

}  // namespace dropcheck::gtest
