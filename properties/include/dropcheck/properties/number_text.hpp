#pragma once

#include <string>

namespace dropcheck::properties {

/// A number in the shortest form: "1e-9", not "1e-09".
std::string number_text(double value);

}  // namespace dropcheck::properties
