#pragma once

#include <string>
#include <vector>

#include "dropcheck/properties/plan.hpp"
#include "dropcheck/properties/run_result.hpp"
#include "dropcheck/properties/settings.hpp"

namespace dropcheck::properties {

/// Carries a plan out. What the subjects do wrong is a finding, never an
/// exception. Fills findings, run e-value and subjects of the result; the
/// caller fills command, start and environment.
RunResult verify(const Plan& plan, const Progress& progress = {});

/// What a replay token says.
struct ReplayToken {
  std::string version;
  std::string subject;
  std::string check;
  impl::LayerConfig config;
  impl::Shape shape;
  bool own_shape = false;  ///< the user asked for that shape
  Profile profile = Profile::kPr;
  double delta = 0;
  double margin = 0;
  std::uint64_t rate_n_max = 0;  ///< decisions, at most, for the rate
  double alpha = 1e-9;
  double weight = 1;
  std::uint64_t seed = 0;
  std::uint64_t reduced_n = 0;    ///< as planned for the check
  bool generated = false;         ///< sample sizes of a generated configuration
  std::uint64_t structure_n = 0;  ///< in place of the profile's; 0: that one
};

/// "dc1,subject=faulty:drops_nothing,check=drop_rate,layer=dropout,p=0.1,..."
/// No blanks and no character that a shell reads; '%XX' for the others.
std::string encode(const ReplayToken& token);

/// Throws std::invalid_argument that names the field, its value and the rule.
ReplayToken decode_token(const std::string& text);

/// Plan for one finding: the same configuration, seed, alpha and weight.
/// Throws std::invalid_argument for a check without meaning for the layer.
Plan replay_plan(const ReplayToken& token, const impl::SubjectEntry& subject,
                 double call_timeout_seconds = Settings{}.call_timeout_seconds);

}  // namespace dropcheck::properties
