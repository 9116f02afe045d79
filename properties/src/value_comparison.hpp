#pragma once

#include "context.hpp"

namespace dropcheck::properties {

/// First element of `view` that differs from `expected` in value or sign (NaN
/// equals NaN), or -1. Shapes must agree.
std::int64_t first_difference(const impl::TensorView& view,
                              const impl::TensorView& expected);

/// One call at evaluation.
impl::TensorView evaluate(impl::Layer& layer, impl::Tensor& input);

impl::Tensor copied(const impl::TensorView& view);

/// Throws LayerError unless the result has the output shape that the law gives
/// for `input`, and the configuration's dtype.
void require_result_for(const Context& context, const impl::Shape& input,
                        const impl::TensorView& result);

}  // namespace dropcheck::properties
