#pragma once

#include <functional>
#include <vector>

#include "dropcheck/properties/finding.hpp"
#include "dropcheck/properties/plan.hpp"
#include "sampler.hpp"

namespace dropcheck::properties {

using PoolOf = std::function<SubjectPool&(const PlannedConfiguration&)>;

/// Reduces refuted findings to the smallest case still refuted, by the rules of
/// STATISTICS 2.f 7. Of each check of a subject it takes the worst finding; a
/// known one is left alone, and so are networks, whose inputs have one shape.
///
/// The case found is a function of the run seed, unless time ran out, which the
/// finding then says.
void shrink_refuted(const Plan& plan, const Progress& progress,
                    const PoolOf& pool_of, std::vector<Finding>& findings);

}  // namespace dropcheck::properties
