// Whether a network leaves every branch whole at evaluation.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "network_claims.hpp"
#include "oracle_input.hpp"
#include "value_comparison.hpp"

namespace dropcheck::properties {
namespace {

/// A tap that is not h + branch(h) at evaluation, and an element of it.
struct Breach {
  std::size_t tap;
  std::size_t element;
  double due;
  double seen;
  TapCopy copy;
};

/// A dropped branch tells most; else the first breach there is.
std::optional<Breach> find_breach(const std::vector<TapValues>& taps) {
  std::optional<Breach> first;
  for (std::size_t tap = 0; tap < taps.size(); ++tap) {
    const TapCopy copy(taps[tap]);
    for (std::size_t i = 0; i < copy.output.size(); ++i) {
      const double seen = copy.output[i];
      const double due =
          impl::rounded(copy.residual[i] + copy.branch[i], taps[tap].dtype);
      if (seen == due) continue;  // Not so where the output is NaN.
      const bool dropped = seen == copy.residual[i];
      if (!first || dropped) first = Breach{tap, i, due, seen, copy};
      if (dropped) return first;
    }
  }
  return first;
}

std::string cause_of(const Breach& breach, double rate) {
  const double branch = breach.copy.branch[breach.element];
  const double added = breach.seen - breach.copy.residual[breach.element];
  if (added == 0) return ": its branch is dropped";
  const double factor = added / branch;
  if (std::abs(factor - (1 - rate)) < 1e-3) {
    return ": its branch is multiplied by keep";
  }
  if (std::abs(factor * (1 - rate) - 1) < 1e-3) {
    return ": its branch is multiplied by 1/keep";
  }
  return {};
}

/// Evaluates, and compares the taps and the output with an earlier one.
class Evaluations {
 public:
  explicit Evaluations(const Context& context)
      : context_(context), layer_(context.subject().make(context.config())) {
    if (context.describe().reseed) {
      layer_->reseed(stream_seed(context.experiment, Stream::kEvaluation));
    }
  }

  /// What is wrong with one evaluation; empty if nothing is.
  std::string evaluate(const impl::Tensor& input, const char* when) {
    impl::Tensor given = input;
    const impl::Tensor result =
        copied(layer_->forward({given.view(), false, 1}));
    ++calls;
    std::vector<impl::Tensor> room;
    const NetworkEvidence& evidence = *context_.network;
    const auto taps = tap_values(*layer_, context_, evidence.plan, room);
    if (const auto breach = find_breach(taps)) {
      return fmt::format("{}, {} gives {:.6g} where h + branch(h) is {:.6g}{}",
                         when, evidence.tap_name(breach->tap), breach->seen,
                         breach->due,
                         cause_of(*breach, evidence.plan.rates[breach->tap]));
    }
    if (result_ && first_difference(result.view(), result_->view()) >= 0) {
      return fmt::format("{}, the output for the same input is another one",
                         when);
    }
    result_ = result;
    return {};
  }

  void train(const impl::Tensor& input) {
    impl::Tensor given = input;
    layer_->forward({given.view(), true, 1});
    ++calls;
  }

  std::uint64_t calls = 0;

 private:
  const Context& context_;
  std::unique_ptr<impl::Layer> layer_;
  std::optional<impl::Tensor> result_;
};

constexpr int kRounds = 16;

Finding check_block_evaluation(const Context& context) {
  Finding finding = start_finding(context, "block_evaluation");
  Evaluations evaluations(context);
  const impl::Tensor input =
      make_normal(context.config().dtype, context.plan.shape,
                  stream_seed(context.experiment, Stream::kEvaluation, 1));
  std::string wrong;
  for (int round = 0; round < kRounds && wrong.empty(); ++round) {
    if (round > 0) evaluations.train(input);
    wrong = evaluations.evaluate(
        input, round == 0 ? "at evaluation" : "at evaluation after training");
  }
  finding.calls = evaluations.calls;
  finding.n = evaluations.calls *
              static_cast<std::uint64_t>(context.plan.units_per_call) *
              impl::network_law(context.law(), context.config()).taps();
  if (!wrong.empty()) {
    refute(finding, wrong);
    return finding;
  }
  certify(finding, "every branch is whole at evaluation",
          fmt::format("each element at {} taps in {} evaluations, {} of them "
                      "after a training call",
                      impl::network_law(context.law(), context.config()).taps(),
                      kRounds, kRounds - 1));
  return finding;
}

}  // namespace

constinit const CheckDefinition block_evaluation_check{
    .info = {"block_evaluation", Evidence::kDeterministic,
             "evaluation adds every branch whole, and always the same",
             "Each element at each tap is compared with h + branch(h), bit for "
             "bit, in 16 evaluations of one input with training calls between "
             "them; all outputs must be equal.",
             kNoChance, "faulty:vit_active_at_eval"},
    .from_calls = check_block_evaluation,
    .reads_masks = false,
    .takes_chance = false,
    .of_networks = true};

}  // namespace dropcheck::properties
