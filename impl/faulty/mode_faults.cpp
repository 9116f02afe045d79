#include "faulty/draws.hpp"

namespace dropcheck::impl::faulty {
namespace {

void draw_until_evaluated(const Draw& draw) {
  if (!draw.was_evaluated) draw_right(draw);
}

std::vector<LayerConfig> in_place() {
  return {{.layer = "dropout", .in_place = true}};
}

std::vector<Specimen> evaluation_faults() {
  return {
      {"active_at_eval",
       "dropout",
       "eval_identity",
       "drops at evaluation too",
       "A functional call without the training flag; nanoGPT #240.",
       {.evaluation = Evaluation::kDrops}},
      {"eval_scales",
       "dropout",
       "eval_identity",
       "multiplies by keep at evaluation",
       "The original dropout's test-time factor on top of inverted dropout.",
       {.evaluation = Evaluation::kScales}},
      {"sticky_eval",
       "dropout",
       "eval_identity",
       "drops nothing once it has been evaluated",
       "Megatron-LM #318: forward overwrites the drop probability.",
       {.draw = draw_until_evaluated}},
      {"active_at_eval_alpha",
       "alpha_dropout",
       "eval_identity",
       "drops at evaluation too",
       "training=True is hard-coded; awd-lstm-lm #72.",
       {.evaluation = Evaluation::kDrops}},
      {"active_at_eval_channels",
       "dropout2d",
       "eval_identity",
       "drops channels at evaluation too",
       "No mode check; thinc #355.",
       {.evaluation = Evaluation::kDrops}},
      {"eval_scales_path",
       "drop_path",
       "eval_identity",
       "multiplies by keep at evaluation",
       "Test-time multiplication; composer #376.",
       {.evaluation = Evaluation::kScales}},
      {"sticky_eval_path",
       "drop_path",
       "eval_identity",
       "drops nothing once it has been evaluated",
       "Megatron-LM #411: the rate is overwritten with 0.",
       {.draw = draw_until_evaluated}},
      {"active_at_eval_path",
       "drop_path",
       "eval_identity",
       "drops samples at evaluation too",
       "training=True is the default; pytorch/vision #7103.",
       {.evaluation = Evaluation::kDrops}},
  };
}

std::vector<Specimen> memory_faults() {
  return {
      {"in_place_ignored",
       "dropout",
       "in_place",
       "returns a copy and leaves the input alone",
       "The flag is accepted and never read.",
       {.memory = Memory::kNeverInPlace},
       in_place()},
      {"in_place_off_modifies_input",
       "dropout",
       "in_place",
       "overwrites its input without being asked",
       "The result is written through the input's buffer; pytorch #727.",
       {.memory = Memory::kAlsoInput},
       in_place()},
  };
}

std::vector<Specimen> gradient_faults() {
  return {
      {"backward_new_mask",
       "dropout",
       "backward_mask",
       "the gradient uses a fresh mask",
       "Recomputation without the random state; pytorch #190717.",
       {.gradient = Gradient::kNewMask}},
      {"backward_unscaled",
       "dropout",
       "backward_mask",
       "the gradient misses 1/keep",
       "The scale is applied forward only.",
       {.gradient = Gradient::kUnscaled}},
      {"backward_scaled_by_p",
       "dropout",
       "backward_mask",
       "the gradient is multiplied by drop",
       "apex #816: a typo in the scale.",
       {.gradient = Gradient::kScaledByDrop}},
      {"backward_mask_inverted",
       "dropout",
       "backward_mask",
       "the gradient passes where the input was dropped",
       "The mask is stored as drops and read as keeps; trident #89.",
       {.gradient = Gradient::kInvertedMask}},
      {"backward_double_scaled",
       "dropout",
       "backward_mask",
       "the gradient is divided by keep twice",
       "The saved mask is scaled already.",
       {.gradient = Gradient::kScaledTwice}},
      {"backward_identity",
       "dropout",
       "backward_mask",
       "the gradient passes whole",
       "A straight-through estimator where none is asked for.",
       {.gradient = Gradient::kIdentity}},
      {"backward_first_1024",
       "dropout",
       "backward_mask",
       "the gradient is zero from element 1024 on",
       "Paddle #31455: a launch of 1024 threads.",
       {.gradient = Gradient::kFirst1024}},
      {"backward_mask_shifted",
       "dropout",
       "backward_mask",
       "the gradient uses the mask of the neighbour",
       "The saved mask is read with an offset of one; Paddle #26837.",
       {.gradient = Gradient::kShiftedMask}},
      {"backward_new_mask_channels",
       "dropout2d",
       "backward_mask",
       "the gradient uses a fresh mask of channels",
       "Checkpointing without the random state; guided-diffusion #167.",
       {.gradient = Gradient::kNewMask}},
      {"backward_new_mask_path",
       "drop_path",
       "backward_mask",
       "the gradient uses a fresh mask of samples",
       "Checkpointing without the random state; OLMo-core #828.",
       {.gradient = Gradient::kNewMask}},
      {"backward_unscaled_alpha",
       "alpha_dropout",
       "backward_mask",
       "the gradient misses a",
       "The affine map is applied forward only.",
       {.gradient = Gradient::kUnscaled}},
      {"backward_from_output",
       "dropout",
       "backward_mask",
       "the gradient takes output 0 for dropped",
       "The mask is not saved; wrong where a kept input was 0.",
       {.gradient = Gradient::kFromOutput}},
  };
}

std::vector<Specimen> mask_output_faults() {
  return {
      {"mask_inverted",
       "dropout",
       "mask_output",
       "hands out 1 for what it dropped",
       "The mask is stored as drops and documented as keeps.",
       {.mask_output = MaskOutput::kInverted}},
      {"mask_of_call_before",
       "dropout",
       "mask_output",
       "hands out the mask of the call before",
       "A buffer that is filled after it has been returned.",
       {.mask_output = MaskOutput::kOfCallBefore}},
      {"mask_says_nothing_dropped",
       "drop_path",
       "mask_output",
       "hands out a mask of ones",
       "The mask output is initialised and never written.",
       {.mask_output = MaskOutput::kAllKept}},
      {"mask_one_late",
       "dropout",
       "mask_output",
       "hands out its mask one element late",
       "Packed bits are unpacked from the wrong end of a word.",
       {.mask_output = MaskOutput::kShifted}},
      {"mask_of_channels",
       "dropout2d",
       "mask_output",
       "hands out one entry for each channel",
       "The mask keeps the shape in which it was drawn.",
       {.mask_output = MaskOutput::kOfUnits}},
      {"mask_kept_at_evaluation",
       "dropout",
       "mask_output",
       "hands out the training mask after evaluation",
       "ONNX Dropout: all true is due where training_mode is false.",
       {.mask_output = MaskOutput::kKeptAtEvaluation}},
  };
}

}  // namespace

std::vector<Specimen> mode_faults() {
  std::vector<Specimen> all = evaluation_faults();
  for (Specimen& specimen : memory_faults()) all.push_back(std::move(specimen));
  for (const auto group : {gradient_faults, mask_output_faults}) {
    for (Specimen& specimen : group()) all.push_back(std::move(specimen));
  }
  return all;
}

}  // namespace dropcheck::impl::faulty
