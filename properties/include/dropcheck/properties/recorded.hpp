#pragma once

#include <vector>

#include "dropcheck/impl/law.hpp"
#include "dropcheck/properties/run_result.hpp"

namespace dropcheck::properties {

/// What was recorded of a layer elsewhere, and what it promises.
struct Recording {
  impl::LayerConfig config;  ///< layer, drop probability, options; no dtype
  impl::Tensor input;        ///< what the mask multiplies
  /// Results of training calls on that input, each of one call or of several,
  /// stacked on a new first axis.
  std::vector<impl::Tensor> outputs;
};

/// Judges recorded results: the weakest evidence, for nothing can be asked.
///
/// support            every value is the kept or the dropped one, and units
///                    are whole; certified for the values recorded.
/// drop_rate          refuted where the specified rate is excluded, given
///                    independent units; else inconclusive with an interval.
/// independence_calls refuted where more masks are equal than independent
///                    calls give; else inconclusive.
///
/// Law     right layers' recordings are refuted with probability at most
///         alpha, all findings together.
/// Throws  std::invalid_argument for shapes that the law does not give, for
///         dtypes that differ, without any result, and for laws whose units
///         are not decided one by one (blocks, noise, networks);
///         std::domain_error unless the drop probability is inside (0, 1) and
///         alpha inside (0, 0.5).
RunResult judge_recording(const Recording& recording, double alpha);

}  // namespace dropcheck::properties
