#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "dropcheck/impl/law.hpp"
#include "dropcheck/impl/registry.hpp"
#include "dropcheck/properties/config_source.hpp"
#include "dropcheck/properties/settings.hpp"

namespace dropcheck::properties {

/// A run may ask for the drop probabilities 0 and 1, and for those that are at
/// least so far from both: what is rarer would take more than any profile has.
inline constexpr double kSmallestProbability = 0x1p-30;

/// One check of one configuration, before any data.
struct PlannedCheck {
  std::string id;
  std::string check;
  double weight = 0;  ///< share of the alarm budget; 0: no chance
  double detectable_effect = 0;
  /// What is refuted but for `miss_probability`, a noun phrase that names the
  /// alternative: "a correlation of 0.0041 at any one lag".
  std::string detectable;
  double miss_probability = 0;  ///< 0: no chance is involved
  double expected_n = 0;
  double worst_n = 0;
  bool shares_masks = false;  ///< with the other statistical checks
  double elements = 0;        ///< drawn by this check alone
  /// Units that the speed of the subject allows, where these are fewer than the
  /// profile asks for; else 0.
  std::uint64_t reduced_n = 0;
  /// Not asked for, but run because a certificate that was asked for rests on
  /// it; not reported, and without a share of the alarm budget.
  bool hidden = false;
  /// Why it cannot decide at this size or drop probability; empty: it can.
  std::string undecidable;
};

/// A check with a meaning for the law that a configuration is not asked for.
struct LeftOut {
  std::string check;
  std::string reason;
};

/// One configuration of one subject, with everything that is fixed before the
/// first mask is drawn.
struct PlannedConfiguration {
  std::string subject;
  const impl::Law* law = nullptr;
  impl::LayerConfig config;
  impl::Shape shape;       ///< input shape of the statistical calls
  bool own_shape = false;  ///< the user asked for that shape
  double rate = 0;         ///< probability that a unit is dropped
  std::int64_t units_per_call = 0;
  std::int64_t calls_per_block = 1;
  double delta = 0;                   ///< tolerance for the rate, as afforded
  double margin = 0;                  ///< r of the structure checks
  std::uint64_t rate_n_max = 0;       ///< units
  std::uint64_t structure_n = 0;      ///< units, planned for structure checks
  std::uint64_t own_structure_n = 0;  ///< not the profile's; 0: it is
  std::vector<PlannedCheck> checks;
  double seconds_per_call = 0;  ///< of the layer alone, as measured
  /// The same for masks that checks share: in pieces, if the layer gives them.
  double seconds_per_shared_call = 0;
  /// Drawing, reading and counting, on all threads.
  double seconds_per_element = 0;
  double expected_seconds = 0;  ///< at the measured speed
  double worst_seconds = 0;
  std::string configuration;  ///< "p=0.1,f32,65536"
  std::string note;           ///< e.g. why delta is larger than asked
  /// Of the sample sizes; generated configurations have the shortest.
  Profile profile = Profile::kPr;
  bool generated = false;
  /// Too few units for a claim about rates: only values are checked.
  bool values_only = false;
  std::vector<LeftOut> left_out;
};

/// A subject as it described itself when the plan was made.
struct PlannedSubject {
  impl::SubjectEntry entry;
  std::shared_ptr<const impl::Law> law;  ///< with what the entry declares
  impl::Description description;
  std::string failure;  ///< why it could not be opened; empty if it could
  bool in_this_process = false;  ///< code under test, under guard

  /// Whether the same seed gives the same masks on any thread.
  bool repeatable() const {
    return description.reseed && description.own_state;
  }
};

struct Plan {
  Settings settings;
  double delta = 0;
  double margin = 0;
  std::vector<PlannedSubject> subjects;
  std::vector<PlannedConfiguration> configurations;
  double expected_seconds = 0;
  double worst_seconds = 0;
  std::vector<std::string> warnings;
};

/// What several threads do with a subject: "2 worker processes, one for each
/// thread"; "one generator for each thread"; "one call after the other, because
/// its layers share a generator".
std::string parallel_words(const PlannedSubject& subject, unsigned threads);

/// Fixes configurations, sample sizes and weights. Opens every subject once to
/// ask what it is and to time a few calls; draws nothing that enters a
/// statistic. A subject that cannot be opened is in the plan with its failure.
/// With a source, each subject also gets Settings::generated cases of it (a
/// network an eighth of them), drawn by the run's seed; each check has for all
/// of them together the weight that it has in one other configuration.
Plan make_plan(const std::vector<impl::SubjectEntry>& subjects,
               const Settings& settings, const ConfigSource* source = nullptr);

}  // namespace dropcheck::properties
