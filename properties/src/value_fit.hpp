#pragma once

#include <string>

#include "dropcheck/impl/law.hpp"
#include "dropcheck/properties/identify.hpp"

namespace dropcheck::properties {

/// Whether the kept values are those of a law between two of its maps.
bool kept_fits(const impl::Affine& low, const impl::Affine& high,
               const Identification& found);

/// The same of the dropped value.
bool dropped_fits(const impl::Affine& low, const impl::Affine& high,
                  const Identification& found);

/// How far two numbers are apart, between 0 and 1.
double relative_distance(double a, double b);

/// "1.111111 * x", "x".
std::string line_text(double slope, double offset);

}  // namespace dropcheck::properties
