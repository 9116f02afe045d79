#pragma once

#include <optional>
#include <span>
#include <string>

namespace dropcheck::properties {

/// A decision about a value.
struct Decision {
  double x = 0;
  bool dropped = false;
};

/// Which values are decided otherwise than the rest: negative ones, large or
/// small ones, those above or below a threshold; the one that makes the
/// decisions most likely. Empty if none says much.
std::optional<std::string> rule_of_values(std::span<const Decision> decisions);

}  // namespace dropcheck::properties
