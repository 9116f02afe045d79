#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "black_box.hpp"
#include "dropcheck/properties/identify.hpp"
#include "value_model.hpp"

namespace dropcheck::properties {

/// What a layer makes of values, read without any law.
///
/// The dropped value is the one that comes back for different inputs; each
/// place must have at most one other value. Where places take many values, the
/// layer multiplies or adds noise, or scales each call by a number of its own.
struct ValueReading {
  ValueKind kind = ValueKind::kUnknown;
  std::string why;      ///< kUnknown: why
  bool varies = false;  ///< some place took two values
  /// Most places took more than two values, none of which is a dropped one.
  bool settled = false;
  std::optional<double> dropped;
  bool on_evaluation = false;   ///< the base is the result at evaluation
  std::vector<double> base;     ///< what the mask multiplies, by place
  std::vector<KeptPair> kept;   ///< base and kept value, one a place
  Line line;                    ///< through `kept`
  bool straight = false;        ///< up to rounding
  stats::Interval call_scales;  ///< kScalePerCall: smallest and largest
  std::optional<NoiseReading> noise;
};

/// `evaluation`: the values at evaluation, if they have the results' shape.
ValueReading read_values(const Responses& responses, impl::DType dtype,
                         const std::optional<std::vector<double>>& evaluation);

/// Whether all pairs lie on the line, up to rounding in `dtype`.
bool lies_on_line(const Line& line, std::span<const KeptPair> pairs,
                  impl::DType dtype);

/// Drop bits of every call: which places hold the dropped value.
std::vector<std::vector<std::uint64_t>> drop_bits(const Responses& responses,
                                                  double dropped);

}  // namespace dropcheck::properties
