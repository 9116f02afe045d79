#include <utility>

#include "faulty/network_fault.hpp"

namespace dropcheck::impl::faulty {
namespace {

using networks::AtEvaluation;
using networks::Join;
using networks::Place;
using networks::Seeds;

double linear(double rate, Place place) {
  return rate * place.block / (place.blocks - 1);
}

double counter_stuck(double rate, Place place) {
  return rate * 0 / place.blocks;
}

double constant(double rate, Place) { return rate; }

double divided_by_blocks(double rate, Place place) {
  return rate * place.block / place.blocks;
}

double counted_from_one(double rate, Place place) {
  return rate * (place.block + 1) / place.blocks;
}

/// The number of blocks before a depth coefficient of 2.2 was applied.
double blocks_not_scaled(double rate, Place place) {
  return rate * place.block / (place.blocks / 2.2);
}

double falling(double rate, Place place) { return rate - linear(rate, place); }

double attention_only(double rate, Place place) {
  return place.branch == 0 ? linear(rate, place) : 0;
}

std::vector<NetworkSpecimen> value_faults() {
  return {
      {"vit_branch_and_residual_swapped",
       "vit_encoder",
       "block_output",
       "drops the residual and keeps the branch",
       "out = branch(h) + drop_path(h): the arguments changed places.",
       {.join = Join::kSwapped}},
      {"vit_drop_path_after_addition",
       "vit_encoder",
       "block_output",
       "drops the sum of residual and branch",
       "drop_path(h + branch(h)): a dropped sample is lost for good.",
       {.join = Join::kAfterAddition}},
      {"vit_no_scale",
       "vit_encoder",
       "block_moments",
       "adds the branch without 1/keep",
       "Stochastic depth without scaling and without the test-time factor; "
       "felixgwu/img_classification_pk_pytorch #3.",
       {.scale = [](double, double) { return 1.0; }}},
      {"vit_scaled_by_last_block",
       "vit_encoder",
       "block_moments",
       "multiplies every branch by the last block's 1/keep",
       "The scale is computed once, from the rate of the network.",
       {.scale = [](double rate, double) { return 1 / (1 - rate); }}},
      {"linear_relu_no_scale",
       "linear_relu_drop_path",
       "block_output",
       "keeps samples without 1/keep",
       "scale_by_keep is off where the law has it on.",
       {.scale = [](double, double) { return 1.0; }}},
  };
}

std::vector<NetworkSpecimen> sharing_faults() {
  return {
      {"vit_one_mask_for_batch",
       "vit_encoder",
       "block_decisions",
       "one decision for all samples of the batch",
       "NAFNet #32: drop path drops the whole batch.",
       {.drop_layer = "stochastic_depth"}},
      {"vit_same_mask_on_both_branches",
       "vit_encoder",
       "block_decisions",
       "attention and MLP of a block share their decisions",
       "One drop path object with one seed serves both branches.",
       {.seeds = Seeds::kOneForABlock}},
      {"vit_drops_tokens",
       "vit_encoder",
       "block_decisions",
       "drops single elements of a branch",
       "Drop path is wired to dropout.",
       {.drop_layer = "dropout"}},
      {"vit_same_seed_in_every_block",
       "vit_encoder",
       "block_independence",
       "all blocks draw the same numbers",
       "flax #4950: a scan over layers does not split the seed.",
       {.seeds = Seeds::kOneForAll}},
      {"vit_same_masks_every_call",
       "vit_encoder",
       "block_independence",
       "every call draws the same numbers",
       "Paddle #7796: a constant seed.",
       {.seeds = Seeds::kEveryCallAgain}},
  };
}

std::vector<NetworkSpecimen> schedule_faults() {
  return {
      {"vit_rate_constant",
       "vit_encoder",
       "rate_schedule",
       "every block drops at the last block's rate",
       "The rate does not rise with depth.",
       {.rate = constant}},
      {"vit_block_counter_stuck",
       "vit_encoder",
       "rate_schedule",
       "the block counter is never incremented: rate * 0 / blocks",
       "keras #16144: EfficientNetV2 never drops.",
       {.rate = counter_stuck}},
      {"vit_rate_divided_by_blocks",
       "vit_encoder",
       "rate_schedule",
       "rate * i / L: the last block never reaches the rate",
       "Off by one in the divisor.",
       {.rate = divided_by_blocks},
       {.drop_probability = 0.5,
        .effect = "a rate off by 0.042 in the last block"}},
      {"vit_rate_counted_from_one",
       "vit_encoder",
       "rate_schedule",
       "rate * (i + 1) / L: the first block drops too",
       "Off by one in the block.",
       {.rate = counted_from_one}},
      {"vit_rate_exceeds_one",
       "vit_encoder",
       "rate_schedule",
       "divides by the number of blocks before depth scaling",
       "tensorflow #40210: rates are 2.2 times too high and pass 1.",
       {.rate = blocks_not_scaled}},
      {"vit_rate_falls",
       "vit_encoder",
       "rate_schedule",
       "the rate falls with depth",
       "Blocks are numbered from the output.",
       {.rate = falling}},
      {"vit_mlp_never_dropped",
       "vit_encoder",
       "rate_schedule",
       "drops the attention branch only",
       "tensorflow/tpu #381: the rate is not passed on.",
       {.rate = attention_only}},
      {"linear_relu_never_drops",
       "linear_relu_drop_path",
       "rate_schedule",
       "keeps every sample",
       "The rate is not passed on.",
       {.rate = [](double, Place) { return 0.0; }}},
  };
}

std::vector<NetworkSpecimen> mode_and_moment_faults() {
  return {
      {"vit_active_at_eval",
       "vit_encoder",
       "block_evaluation",
       "drops branches at evaluation too",
       "pytorch/vision #7103: training=True is the default.",
       {.evaluation = AtEvaluation::kDrops}},
      {"vit_eval_scales",
       "vit_encoder",
       "block_evaluation",
       "multiplies branches by keep at evaluation",
       "composer #376: the test-time factor on top of 1/keep.",
       {.evaluation = AtEvaluation::kScaledByKeep}},
      {"selu_network_plain_dropout",
       "selu_network",
       "selu_moments",
       "plain dropout in the place of alpha dropout",
       "Dropout sets values to 0, which is not SELU's saturation.",
       {.drop_layer = "dropout"}},
      {"selu_network_he_weights",
       "selu_network",
       "selu_moments",
       "weights of variance 2 / width",
       "He's initialisation where LeCun's is due.",
       {.weight_variance = 2}},
  };
}

}  // namespace

std::vector<NetworkSpecimen> network_faults() {
  std::vector<NetworkSpecimen> all;
  for (const auto group : {value_faults, sharing_faults, schedule_faults,
                           mode_and_moment_faults}) {
    for (NetworkSpecimen& specimen : group()) {
      all.push_back(std::move(specimen));
    }
  }
  return all;
}

}  // namespace dropcheck::impl::faulty
