#pragma once

#include <span>
#include <string>
#include <string_view>

#include "dropcheck/properties/check_catalogue.hpp"
#include "dropcheck/properties/finding.hpp"
#include "dropcheck/properties/plan.hpp"

namespace dropcheck::properties {

struct Context;
struct StatisticalInput;

/// What a check is asked to run for, beside the configuration itself.
struct Occasion {
  const Settings& settings;
  bool first_probability = false;  ///< the first of the run's probabilities
  bool first_dtype = false;
  bool plain = false;            ///< no option of LayerConfig is set
  bool first_generated = false;  ///< the first of its subject that was drawn
  bool mask_output = false;      ///< the subject hands out its masks
  bool recipe = false;           ///< ... declares how they follow from a seed
  bool reseed = false;           ///< ... takes a seed
  /// One configuration a subject: where a check is dear and its answer does
  /// not depend on p, dtype or options.
  bool once() const { return first_probability && first_dtype && plain; }
};

/// A check with everything that the plan and the run need from it. Each check
/// defines one, in its own file; check_registry.cpp lists them.
struct CheckDefinition {
  CheckInfo info;
  /// Exactly one of these two. The first reads the masks that all statistical
  /// checks of a configuration share; the second draws its own.
  Finding (*from_battery)(const StatisticalInput&) = nullptr;
  Finding (*from_calls)(const Context&) = nullptr;
  /// Has no meaning where the drop probability is 0 or 1.
  bool needs_rate = true;
  /// Proves nothing where no mask can be read.
  bool reads_masks = true;
  /// Certificates of rates rest on it.
  bool structural = false;
  /// Can be wrong by chance, so has a share of the alarm budget.
  bool takes_chance = true;
  /// It reads the taps of networks, and has no meaning for layers; the others
  /// have none for networks.
  bool of_networks = false;
  /// Runs where no mask can be read, too: results of another shape or dtype are
  /// what it looks for.
  bool before_reading = false;
  /// It draws on shapes of its own choice, whatever the configuration's is.
  bool own_shapes = false;
  /// Its `plan` says where it cannot decide, and what it draws: so it may be
  /// asked at any size.
  bool knows_limits = false;
  /// Why it has no meaning for a law; empty if it has.
  std::string_view (*not_applicable)(const impl::Law&) = nullptr;
  /// Why it is left out here: another configuration of the subject answers it,
  /// or the dtype cannot. Empty where it is not.
  std::string_view (*left_out)(const PlannedConfiguration&,
                               const Occasion&) = nullptr;
  /// Fills what it detects, its n and the elements that it draws by itself.
  /// `threshold` is ln(1 / (alpha * weight)). Called where delta > 0.
  void (*plan)(const PlannedConfiguration&, const Settings&, double threshold,
               PlannedCheck&) = nullptr;
};

// One a check, each in the file of its check.
extern const CheckDefinition support_check;
extern const CheckDefinition granularity_check;
extern const CheckDefinition drop_rate_check;
extern const CheckDefinition expectation_check;
extern const CheckDefinition moments_check;
extern const CheckDefinition unit_counts_check;
extern const CheckDefinition homogeneity_check;
extern const CheckDefinition independence_within_check;
extern const CheckDefinition independence_calls_check;
extern const CheckDefinition independence_seeds_check;
extern const CheckDefinition long_stream_check;
extern const CheckDefinition drop_rate_robust_check;
extern const CheckDefinition dispersion_check;
extern const CheckDefinition independence_pairs_check;
extern const CheckDefinition higher_order_check;
extern const CheckDefinition value_independence_check;
extern const CheckDefinition rare_events_check;
extern const CheckDefinition eval_identity_check;
extern const CheckDefinition edge_probabilities_check;
extern const CheckDefinition seeding_check;
extern const CheckDefinition in_place_check;
extern const CheckDefinition backward_mask_check;
extern const CheckDefinition mask_output_check;
extern const CheckDefinition replay_check;
extern const CheckDefinition self_normalisation_check;
extern const CheckDefinition resolution_check;
extern const CheckDefinition block_output_check;
extern const CheckDefinition block_decisions_check;
extern const CheckDefinition block_moments_check;
extern const CheckDefinition rate_schedule_check;
extern const CheckDefinition block_independence_check;
extern const CheckDefinition block_evaluation_check;
extern const CheckDefinition selu_moments_check;
extern const CheckDefinition blocks_check;
extern const CheckDefinition position_rates_check;
extern const CheckDefinition distribution_check;
extern const CheckDefinition layout_check;
extern const CheckDefinition shape_check;
extern const CheckDefinition dtype_check;
extern const CheckDefinition special_values_check;
extern const CheckDefinition state_check;

/// All checks, in the order of the reports.
std::span<const CheckDefinition* const> check_definitions();

/// Throws std::out_of_range for an unknown name.
const CheckDefinition& definition_of(std::string_view check);

inline constexpr std::string_view kNoChance =
    "False alarm: none, no chance is involved. False pass: what is not among "
    "the cases listed in the finding.";
inline constexpr std::string_view kByEValue =
    "False alarm: at most weight * alpha, by Ville's inequality; the whole run "
    "at most alpha. False pass: a certificate is wrong with probability at "
    "most alpha; the finding names the effect it would have caught.";

}  // namespace dropcheck::properties
