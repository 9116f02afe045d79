#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "check_definition.hpp"
#include "context.hpp"
#include "law_reading.hpp"

namespace dropcheck::properties {

/// One layer that is called on inputs of many forms (layouts, shapes, ranges of
/// numbers), from one seed on.
class FormTrial {
 public:
  /// `finding` counts calls and values. Makes the layer.
  FormTrial(const Context& context, Finding& finding);

  /// An input whose values tell its elements apart; noise gets zeros at every
  /// other element, by a key. Another one for every call.
  impl::Tensor input(const impl::Shape& shape);

  /// One call as it is; throws what the layer throws.
  impl::TensorView call(const impl::TensorView& input, bool training,
                        std::int64_t repeat = 1);

  /// What the mask multiplies for values at these logical indices.
  impl::Tensor base_of(const impl::Tensor& values);

  /// How often a layer has to be called so that all of `units` decisions fall
  /// on dropping in every call with probability at most e^-60; at most `most`.
  std::int64_t surely_keeping_calls(std::int64_t units,
                                    std::int64_t most) const;

  const Context& context() const { return context_; }

 private:
  const Context& context_;
  Finding& finding_;
  std::unique_ptr<impl::Layer> layer_;
  std::uint64_t inputs_ = 0;
};

/// The shape on which forms are tried: that of the configuration where it is
/// its own and small (larger ones say no more and take long), else a small one.
impl::Shape form_shape(const PlannedConfiguration& planned);

/// Elements of a result for an input of that shape, before any data.
double output_elements(const PlannedConfiguration& planned,
                       const impl::Shape& input);

/// Calls after which a decision was kept but with probability e^-60.
double calls_that_keep(const PlannedConfiguration& planned,
                       const impl::Shape& input);

/// "returns f32 for bf16 input" or "returns the shape 3x4 for an input of
/// 1x3x4", with the reason where it can be told; nothing if both are right.
std::optional<std::string> wrong_form(const Context& context,
                                      const impl::Shape& input,
                                      const impl::TensorView& result);

/// Number of decisions in a result for an input of that shape.
std::int64_t units_of(const Context& context, const impl::Shape& shape);

}  // namespace dropcheck::properties
