#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "dropcheck/properties/finding.hpp"
#include "dropcheck/properties/plan.hpp"
#include "sampler.hpp"

namespace dropcheck::properties {

/// What all checks of one configuration share.
struct Context {
  const PlannedConfiguration& plan;
  const Settings& settings;
  SubjectPool& pool;
  Experiment experiment;
  Inputs inputs;
  std::vector<impl::Tensor> calibration;  ///< outputs of a stream of its own
  std::unique_ptr<MaskReader> reader;
  std::optional<SubjectLease> lease;

  const impl::Law& law() const { return *plan.law; }
  const impl::LayerConfig& config() const { return plan.config; }
  double p0() const { return plan.rate; }
  /// The subject of the checks that need one layer at a time.
  impl::Subject& subject() const { return **lease; }
  const impl::Description& describe() const {
    return pool.planned().description;
  }
  const PlannedCheck* planned(std::string_view check) const;
  /// ln(1 / (alpha * weight of the check)): what its e-value must reach.
  double log_threshold(std::string_view check) const;
};

/// A finding with everything filled in that is known before the data.
Finding start_finding(const Context& context, std::string_view check);

/// Marks a finding as proved wrong by `sentence`.
void refute(Finding& finding, std::string sentence);
/// ... as proved right; `bound` says what that means.
void certify(Finding& finding, std::string sentence, std::string bound);
void leave_open(Finding& finding, std::string sentence);

/// Sets the e-value, and the verdict refuted with `sentence` where it reaches
/// the claim's own share of the alarm budget. Returns whether it did.
bool refute_by_e_value(Finding& finding, const Context& context, double log_e,
                       std::string sentence);

/// "row 3, column 5" for readers: index of an element in a shape.
std::string place_of(std::int64_t element, const impl::Shape& shape);

}  // namespace dropcheck::properties
