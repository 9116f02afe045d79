#include "dropcheck/impl/strides.hpp"

namespace dropcheck::impl {

std::string_view name_of(Strides strides) {
  switch (strides) {
    case Strides::kCompact:
      return "compact";
    case Strides::kNonNegative:
      return "non-negative";
    case Strides::kAny:
      return "any";
  }
  return "";
}

std::optional<Strides> strides_from_name(std::string_view name) {
  for (const Strides strides :
       {Strides::kCompact, Strides::kNonNegative, Strides::kAny}) {
    if (name_of(strides) == name) return strides;
  }
  return std::nullopt;
}

}  // namespace dropcheck::impl
