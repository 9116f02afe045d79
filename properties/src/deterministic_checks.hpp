#pragma once

#include "context.hpp"

namespace dropcheck::properties {

Finding check_granularity(const Context& context);
Finding check_eval_identity(const Context& context);
Finding check_edge_probabilities(const Context& context);
Finding check_seeding(const Context& context);
Finding check_in_place(const Context& context);
Finding check_backward_mask(const Context& context);
Finding check_self_normalisation(const Context& context);

}  // namespace dropcheck::properties
