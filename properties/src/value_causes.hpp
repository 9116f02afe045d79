#pragma once

#include <optional>
#include <string>

#include "dropcheck/impl/law.hpp"
#include "rate_sets.hpp"

namespace dropcheck::properties {

/// What is known of the values of a layer that is wrong.
struct SeenValues {
  Values values;
  bool any_dropped = true;  ///< else `values.dropped` means nothing
  /// Up to this share numbers are taken for equal: what reading them costs.
  double tolerance = 1e-5;
};

/// In words, which of the mistakes that are known has these values: another
/// power of keep, keep and drop confused, a rounded scale, SELU's constants
/// confused, one half of the affine map missing. Where several fit, all are
/// named. Empty where none does; and where the values are right.
std::optional<std::string> cause_of_values(const impl::Affine& due,
                                           double drop_probability,
                                           const SeenValues& seen);

/// ... as the context's reader has seen them; empty where the kept values lie
/// on no line.
std::optional<std::string> cause_of_values(const Context& context);

/// The same for a factor alone, such as that of a gradient: "1/keep is
/// missing". Empty if none fits.
std::optional<std::string> cause_of_factor(const impl::Affine& due,
                                           double drop_probability,
                                           double factor, double tolerance);

}  // namespace dropcheck::properties
