#pragma once

#include <rapidcheck.h>

#include <cstdint>
#include <vector>

#include "dropcheck/impl/layout.hpp"
#include "dropcheck/impl/tensor.hpp"
#include "dropcheck/properties/config_source.hpp"

namespace dropcheck::generators {

/// RapidCheck generators of what a layer may be asked. None depends on
/// RapidCheck's size, so that the share of each class is the same in the first
/// case and in the last; generators_test.cpp states the shares.

/// Drop probabilities: dyadic ones, .1, .17, .3, .001, .999 and 1/3,
/// thousandths, 2^-20 and less, 1 - 2^-10 and more, 0, denormal numbers, and 1
/// where the law says what it gives.
rc::Gen<double> drop_probabilities(const impl::Law& law);

/// A case with a meaning for the law: rank 0 to 6 as far as the law allows,
/// extents of 0 and 1, any number of elements modulo 8, and now and then more
/// elements than the engine asks for in one request. Shrinks by
/// properties::simpler_cases. Of a network: depth, width, heads and batch.
rc::Gen<properties::DrawnCase> cases(const properties::CaseWish& wish);

/// Finite values of both signs and many exponents that show a mask.
rc::Gen<impl::Tensor> readable_inputs(const impl::Law& law,
                                      const properties::DrawnCase& drawn);

/// A memory layout that is legal for the shape and that a subject can be given
/// which takes such strides: all with one probability.
rc::Gen<impl::Layout> layouts(const impl::Shape& shape, impl::Strides strides);

/// A zero of either sign, an infinity, NaN, a subnormal number, the largest or
/// the smallest normal number of the dtype, of either sign.
rc::Gen<double> special_values(impl::DType dtype);

enum class CallKind { kTrain, kEvaluate, kReseed, kOtherSize, kClone };

/// One step of a sequence of calls of one layer.
struct CallStep {
  CallKind kind = CallKind::kTrain;
  std::uint64_t seed = 0;  ///< kReseed
  impl::Shape shape;       ///< of the input; kReseed and kClone: none
};

/// One to twelve steps around a case.
rc::Gen<std::vector<CallStep>> call_sequences(
    const impl::Law& law, const properties::DrawnCase& drawn);

}  // namespace dropcheck::generators
