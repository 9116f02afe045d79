#include "layer_by_behaviour.hpp"

#include <stdexcept>

#include "value_fit.hpp"

namespace dropcheck::properties {

std::string_view layer_that_does(const Behaviour& seen, const impl::Law& law,
                                 const impl::LayerConfig& config) {
  Identification found;
  found.config = config;
  found.slope = seen.slope;
  found.offset = seen.offset;
  found.dropped_value = seen.dropped;
  for (const impl::Law& other : impl::laws()) {
    // (C, H, W, D) without a batch has channels where others have samples.
    const bool unbatched =
        other.spatial_axes > 0 &&
        static_cast<int>(seen.shape.size()) == other.spatial_axes + 1;
    if (other.layer == law.layer || other.base != law.base || unbatched ||
        other.unit == impl::Unit::kBlock ||
        other.factor != impl::Factor::kMask) {
      continue;
    }
    const impl::LayerConfig plain{.drop_probability = config.drop_probability,
                                  .dtype = config.dtype};
    try {
      const impl::Affine map = impl::affine(other, plain);
      if (impl::shared_axes(other, plain, seen.shape) == seen.shared &&
          kept_fits(map, map, found) && dropped_fits(map, map, found)) {
        return other.layer;
      }
    } catch (const std::invalid_argument&) {
      continue;  // The law does not take this rank.
    }
  }
  return {};
}

}  // namespace dropcheck::properties
