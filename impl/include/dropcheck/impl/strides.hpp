#pragma once

#include <optional>
#include <string_view>

namespace dropcheck::impl {

/// Which strides of an input a layer understands.
enum class Strides {
  kCompact,      ///< row-major without gaps only
  kNonNegative,  ///< any but negative ones
  kAny,
};

/// For reports and the worker protocol: compact, non-negative, any.
std::string_view name_of(Strides strides);

/// The inverse of `name_of`; empty for an unknown name.
std::optional<Strides> strides_from_name(std::string_view name);

}  // namespace dropcheck::impl
