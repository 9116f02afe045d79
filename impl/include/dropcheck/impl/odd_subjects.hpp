#pragma once

#include <vector>

#include "dropcheck/impl/registry.hpp"

namespace dropcheck::impl {

/// Right layers that look odd, "odd:NAME": other generators, other orders of
/// drawing, other arithmetic. Nothing is wrong with them, so nothing may be
/// refuted or stay open.
const std::vector<SubjectEntry>& odd_subjects();

}  // namespace dropcheck::impl
