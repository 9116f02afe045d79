#pragma once

#include <vector>

#include "dropcheck/properties/plan.hpp"

namespace dropcheck::properties {

/// Shape of the statistical calls: many units, few elements in each, an odd
/// number of both; about 65,000 elements, at smoke 4,000.
impl::Shape statistical_shape(const impl::Law& law,
                              const impl::LayerConfig& config, Profile profile);

/// Shapes for the checks of structure and values: real spatial extents that
/// all differ, unbatched input where the law knows it. Small.
std::vector<impl::Shape> small_shapes(const impl::Law& law,
                                      const impl::LayerConfig& config);

/// `small_shapes`, or the shape that the user asked for.
std::vector<impl::Shape> structure_shapes(const PlannedConfiguration& plan);

/// An input of exactly `units` units and as few elements as the law allows: one
/// a unit, with an extent of 1 on shared axes. Where the whole tensor is one
/// unit, the smallest tensor that shows it.
impl::Shape shape_of_units(const impl::Law& law,
                           const impl::LayerConfig& config, std::int64_t units);

}  // namespace dropcheck::properties
