#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "dropcheck/impl/law.hpp"

namespace dropcheck::properties {

/// A configuration with the shape of its input.
struct DrawnCase {
  impl::LayerConfig config;
  impl::Shape shape;

  bool operator==(const DrawnCase&) const = default;
};

/// What cases are drawn for.
struct CaseWish {
  const impl::Law& law;
  std::vector<impl::DType> dtypes;  ///< those that the subject declares
  /// Options that it knows; only the options of LayerConfig count.
  std::vector<impl::LayerConfig> variants = {};
};

/// Where configurations that nobody wrote down come from. The library itself
/// has none: dropcheck::generators has one, by RapidCheck, for executables.
class ConfigSource {
 public:
  virtual ~ConfigSource() = default;

  /// `count` cases with a meaning for the law, a function of wish and seed
  /// alone. The first cases do not depend on `count`.
  virtual std::vector<DrawnCase> draw(const CaseWish& wish, std::uint64_t seed,
                                      std::size_t count) const = 0;
};

/// Whether the law has a meaning for the case: its rank, axes and blocks.
bool has_meaning(const impl::Law& law, const DrawnCase& drawn);

/// Cases one step simpler than `drawn`, the boldest step of each kind first,
/// all with a meaning for the law. Who always takes the first that still fails
/// ends at a case of which no single step still fails.
///
/// Order   options off (in place, channels last, unscaled, shared axes,
///         samples, blocks); dtype f32, f64, f16, bf16; a drop probability of
///         .5, .25, .75, .125, .875, .0625, 0 or 1; an axis less, or two axes
///         made one; an extent of 1, then halfway, then ever closer to what it
///         is. An extent of 0 stays.
std::vector<DrawnCase> simpler_cases(const impl::Law& law,
                                     const DrawnCase& drawn);

}  // namespace dropcheck::properties
