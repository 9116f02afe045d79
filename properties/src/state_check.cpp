// state: sequences of training, evaluation, reseeds, gradients, sizes and
// instances, against a model of what may stick.
#include <fmt/format.h>

#include "check_definition.hpp"
#include "context.hpp"
#include "own_draws.hpp"
#include "state_commands.hpp"
#include "state_trial.hpp"

namespace dropcheck::properties {
namespace {

constexpr std::size_t kLongest = 12;
/// Comparisons that chance can fool: of each training call with those before.
constexpr double kTries = 1e5;

std::size_t random_count(Profile profile) {
  return by_profile<std::size_t>(profile, 8, 24, 400);
}

/// All that is tried, the shortest first.
std::vector<Commands> sequences_of(const Context& context,
                                   const Abilities& abilities) {
  std::vector<Commands> all;
  if (!context.plan.generated) {
    all = pair_sequences(abilities);
    for (Commands& commands : clone_sequences(abilities)) {
      all.push_back(std::move(commands));
    }
  }
  for (Commands& commands : random_sequences(
           abilities, random_count(context.settings.profile), kLongest,
           stream_seed(context.experiment, Stream::kState, 99))) {
    all.push_back(std::move(commands));
  }
  return all;
}

std::string sentence_of(const Commands& commands, const Breach& breach) {
  return fmt::format("{} {}", words_of(commands), breach.words);
}

/// The smallest sequence with a breach at its end, and that breach.
void refute_smallest(Finding& finding, const Context& context,
                     StateTrial& trial, Commands commands,
                     const Breach& first) {
  commands.resize(trial.reached());
  const Commands small = shrunk(commands, [&](const Commands& candidate) {
    return trial.run(candidate, true).has_value();
  });
  // A subject that cannot be repeated may not show it again.
  const auto again = trial.run(small, true);
  const std::string sentence =
      again ? sentence_of(small, *again) : sentence_of(commands, first);
  if (first.log_e) {
    refute_by_e_value(finding, context, *first.log_e, sentence);
  } else {
    refute(finding, sentence);
  }
}

}  // namespace

static Finding check_state(const Context& context) {
  Finding finding = start_finding(context, "state");
  if (!context.reader->readable()) {
    leave_open(finding, "the mask cannot be read");
    return finding;
  }
  StateTrial trial(context, kTries);
  const std::vector<Commands> sequences =
      sequences_of(context, trial.abilities());
  for (const Commands& commands : sequences) {
    const auto breach = trial.run(commands);
    finding.calls = trial.calls();
    if (!breach) continue;
    refute_smallest(finding, context, trial, commands, *breach);
    return finding;
  }
  if (context.plan.generated) {
    const std::size_t letters = alphabet(trial.abilities()).size();
    certify(finding,
            "nothing sticks: every call is as it would be without the others",
            fmt::format("in {} random sequences of up to {} of {} commands",
                        sequences.size(), kLongest, letters));
    return finding;
  }
  Abilities paired = trial.abilities();
  paired.clone = false;
  const std::size_t letters = alphabet(paired).size();
  certify(
      finding,
      "nothing sticks: every call is as it would be without the others",
      fmt::format(
          "in {} sequences: every two of {} commands (training, "
          "evaluation{}{}{}{}) before training calls, {}and {} of up to {}{}",
          sequences.size(), letters, trial.abilities().reseed ? ", reseed" : "",
          trial.abilities().backward ? ", gradient" : "",
          trial.abilities().sizes > 1 ? ", two sizes" : "",
          trial.abilities().instances > 1 ? ", other instances" : "",
          trial.abilities().clone ? "each before and after a clone, " : "",
          random_count(context.settings.profile), kLongest,
          trial.tells_masks_apart()
              ? ""
              : "; masks hold too few drops to tell that one returns"));
  return finding;
}

namespace {

/// Once for each set of options: nothing of it depends on p or dtype.
std::string_view later_rate_or_dtype(const PlannedConfiguration&,
                                     const Occasion& occasion) {
  const bool first = occasion.first_probability && occasion.first_dtype;
  return first ? "" : "the first drop probability and dtype are enough";
}

}  // namespace

namespace {

/// Of a generated configuration: sequences, and their training calls alone.
void plan_state(const PlannedConfiguration& planned, const Settings&, double,
                PlannedCheck& check) {
  if (!planned.generated) return;
  constexpr double kCalls = 300;
  const double units = static_cast<double>(planned.units_per_call);
  const double repeat =
      units < StateTrial::kFewDecisions
          ? std::ceil(StateTrial::most_decisions(planned) / units)
          : 1;
  const impl::Shape output =
      impl::output_shape(*planned.law, planned.config, planned.shape);
  check.elements =
      kCalls * repeat * static_cast<double>(impl::element_count(output));
}

}  // namespace

constinit const CheckDefinition state_check{
    .info = {"state", Evidence::kDeterministic,
             "evaluation, sizes, reseeds, gradients and other instances leave "
             "nothing behind",
             "Sequences of commands: training and evaluation of two sizes, "
             "gradients, reseeds, two instances and one of another drop "
             "probability; every two commands before two training calls, each "
             "one before and after a clone where layers can be cloned, and "
             "random ones of up to 12. A model says what must hold after each: "
             "evaluation is the plain function; masks and gradients are bit "
             "for bit those of the same training calls alone after the same "
             "seed; no mask of one seed returns; something is dropped; no "
             "result changes while another instance is called; a clone goes on "
             "as its original would, and neither hears of the other. A "
             "sequence that "
             "fails is made as small as it gets. Without reseeding, masks are "
             "compared with each other only.",
             "False alarm: at most weight * alpha, the chance that one of 1e5 "
             "pairs of masks agrees, or one mask has no drop; none where a "
             "seed decides. False pass: what no sequence tried shows; each is "
             "the same for the same run seed.",
             "faulty:sticky_eval_after_resize"},
    .from_calls = check_state,
    .knows_limits = true,
    .left_out = later_rate_or_dtype,
    .plan = plan_state};

}  // namespace dropcheck::properties
