#pragma once

#include <string>

#include "context.hpp"

namespace dropcheck::properties {

/// What is wrong with the values of a layer, in one sentence: which scale or
/// fill it has instead, or the first value that fits neither.
std::string support_sentence(const Context& context);

}  // namespace dropcheck::properties
