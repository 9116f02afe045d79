#include <cmath>
#include <numbers>

#include "faulty/draws.hpp"

namespace dropcheck::impl::faulty {
namespace {

/// keep iff byte <= floor(255 * keep), as in flash_api.cpp.
bool byte_at_most(double keep, std::uint64_t word) {
  return static_cast<double>(word >> 56U) <= std::floor(255 * keep);
}

/// drop iff byte < floor(256 * drop).
bool byte_below(double keep, std::uint64_t word) {
  return static_cast<double>(word >> 56U) >= std::floor(256 * (1 - keep));
}

/// A multiple of 1/16.
bool nibble(double keep, std::uint64_t word) {
  return static_cast<double>(word >> 60U) < std::round(16 * keep);
}

/// floor(keep + uniform) with the sum rounded to bfloat16.
bool floored_bfloat16(double keep, std::uint64_t word) {
  const double u = std::ldexp(static_cast<double>(word >> 56U), -8);
  return rounded(rounded(keep, DType::kBFloat16) + u, DType::kBFloat16) >= 1;
}

/// As if the word were a standard normal number.
bool below_as_normal(double keep, std::uint64_t word) {
  return uniform(word) < std::erfc(-keep / std::numbers::sqrt2) / 2;
}

bool below_as_mean(double keep, std::uint64_t word) {
  const auto first = static_cast<double>(word >> 32U);
  const auto second = static_cast<double>(word & 0xFFFFFFFFU);
  return std::ldexp(first + second, -33) < keep;
}

bool ten_bits(double keep, std::uint64_t word) {
  return static_cast<double>(word >> 54U) < std::round(1024 * keep);
}

/// floor(keep + uniform) with the sum rounded to half precision.
bool floored_half(double keep, std::uint64_t word) {
  const double u = std::ldexp(static_cast<double>(word >> 53U), -11);
  return rounded(rounded(keep, DType::kFloat16) + u, DType::kFloat16) >= 1;
}

/// Keeps by a rule that looks at the upper `bits` of a word only.
Fault coarse(int bits, bool (*keeps)(double, std::uint64_t)) {
  Fault fault = keeps_if(keeps);
  fault.word_bits = [bits](DType) { return bits; };
  return fault;
}

Fault rate_changed(double (*change)(double)) {
  return drops_with(
      [change](const Draw& draw, std::size_t) { return change(draw.drop); });
}

}  // namespace

std::vector<Specimen> rate_faults() {
  return {
      {"drops_nothing", "dropout", "drop_rate", "keeps every element",
       "The rate never reaches the kernel; keras #16144, pytorch #184126.",
       rate_changed([](double) { return 0.0; })},
      {"drops_everything", "dropout", "drop_rate", "drops every element",
       "The mask is never generated; AiDotNet.Tensors #732.",
       rate_changed([](double) { return 1.0; })},
      {"keep_drop_swapped", "dropout", "drop_rate",
       "drops with the keep probability",
       "Keep and drop are confused; electra #61. Invisible at 0.5.",
       rate_changed([](double drop) { return 1 - drop; })},
      {"keep_drop_swapped_drop_path", "drop_path", "drop_rate",
       "drops samples with the survival probability",
       "Survival and drop probability are confused; LBANN #1248.",
       rate_changed([](double drop) { return 1 - drop; })},
      {"threshold_8bit",
       "dropout",
       "drop_rate",
       "compares one byte with floor(255 * keep)",
       "flash-attention's 8-bit threshold: rate off by up to 0.004.",
       coarse(8, byte_at_most),
       {},
       {.profile = "pr", .effect = "a drop rate off by 0.0016"}},
      {"threshold_8bit_drop",
       "dropout",
       "expectation",
       "compares one byte with floor(256 * drop)",
       "TransformerEngine #2014: the scale stays 1/keep, so the mean is off.",
       coarse(8, byte_below),
       {},
       {.profile = "pr", .effect = "a drop rate off by -0.0023"}},
      {"threshold_4bit", "dropout", "drop_rate",
       "rounds the keep probability to a multiple of 1/16",
       "The hardware path of cuDNN's fused attention.", coarse(4, nibble)},
      {"threshold_bf16",
       "drop_path",
       "drop_rate",
       "floor(keep + uniform) in bfloat16",
       "timm's drop_path until 2021: the rate depends on the dtype.",
       coarse(8, floored_bfloat16),
       {},
       {.profile = "pr", .effect = "a drop rate off by 0.0016"}},
      {"rate_off_1e-3",
       "dropout",
       "drop_rate",
       "drops with drop + 0.001",
       "A threshold computed from a rounded constant.",
       rate_changed([](double drop) { return drop + 1e-3; }),
       {},
       {.profile = "pr", .effect = "a drop rate off by 0.001"}},
      {"keep_drop_swapped_channels", "dropout2d", "drop_rate",
       "drops channels with the keep probability",
       "retain probability against drop rate; deeplearning4j #9801.",
       rate_changed([](double drop) { return 1 - drop; })},
      {"keep_drop_swapped_alpha", "alpha_dropout", "drop_rate",
       "drops with the keep probability",
       "TensorFlow 1 asks for keep_prob, TensorFlow 2 for rate; Self2Self #7.",
       rate_changed([](double drop) { return 1 - drop; })},
      {"rate_halved", "dropout", "drop_rate", "drops with drop / 2",
       "The rate is shared out among two layers, of which one is there.",
       rate_changed([](double drop) { return drop / 2; })},
      {"rate_in_percent", "dropout", "drop_rate", "drops with drop / 100",
       "The probability is taken for a percentage.",
       rate_changed([](double drop) { return drop / 100; })},
      {"rate_default", "dropout", "drop_rate", "drops with 0.5 whatever p is",
       "The argument is not passed on; EfficientNet-PyTorch #7.",
       rate_changed(
           [](double drop) { return drop == 0 || drop == 1 ? drop : 0.5; })},
      {"rate_default_path", "drop_path", "drop_rate",
       "drops samples with 0.2 whatever p is",
       "drop_connect_rate is never used; tensorflow/tpu #381.",
       rate_changed(
           [](double drop) { return drop == 0 || drop == 1 ? drop : 0.2; })},
      {"rate_above_normal_quantile", "dropout", "drop_rate",
       "keeps where a normal number is below keep",
       "randn where rand is meant: P(randn > 1 - p); Flux #656.",
       keeps_if(below_as_normal)},
      {"rate_of_two_uniforms", "dropout", "drop_rate",
       "keeps where the mean of two uniform numbers is below keep",
       "Uniform numbers are averaged to make them finer.",
       keeps_if(below_as_mean)},
      {"threshold_8bit_channels",
       "dropout2d",
       "drop_rate",
       "compares one byte with floor(255 * keep), a channel at a time",
       "apex #1614: 8-bit comparison in a fused kernel.",
       coarse(8, byte_at_most),
       {},
       {.profile = "pr", .effect = "a drop rate off by 0.0016"}},
      {"threshold_10bit",
       "dropout",
       "drop_rate",
       "rounds the keep probability to a multiple of 1/1024",
       "Ten bits of a packed word; composable_kernel #903 has eight.",
       coarse(10, ten_bits),
       {},
       {.profile = "nightly",
        .drop_probability = 0.3,
        .effect = "a drop rate off by 0.0002"}},
      {"threshold_float16",
       "drop_path",
       "drop_rate",
       "floor(keep + uniform) in half precision",
       "timm's drop_path until 2021, in half precision.",
       coarse(11, floored_half),
       {},
       {.profile = "nightly",
        .drop_probability = 0.3,
        .effect = "a drop rate off by 0.0002"}},
      {"rate_off_2e-3",
       "dropout",
       "drop_rate",
       "drops with drop - 0.002",
       "A threshold computed from a rounded constant.",
       rate_changed([](double drop) { return drop == 0 ? 0 : drop - 2e-3; }),
       {},
       {.profile = "pr", .effect = "a drop rate off by 0.002"}},
      {"rate_off_1e-2",
       "dropout",
       "drop_rate",
       "drops with drop + 0.02",
       "A rate schedule that has gone one step too far.",
       rate_changed([](double drop) {
         return drop == 0 || drop == 1 ? drop : drop + 2e-2;
       }),
       {},
       {.effect = "a drop rate off by 0.02"}},
      {"rate_squared_channels", "dropout2d", "drop_rate",
       "drops channels with drop^2",
       "Dropout is applied twice and the masks are combined by or.",
       rate_changed([](double drop) { return drop * drop; })},
  };
}

}  // namespace dropcheck::impl::faulty
