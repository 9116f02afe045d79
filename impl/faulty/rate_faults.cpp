#include <cmath>

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
      {"rate_squared_channels", "dropout2d", "drop_rate",
       "drops channels with drop^2",
       "Dropout is applied twice and the masks are combined by or.",
       rate_changed([](double drop) { return drop * drop; })},
  };
}

}  // namespace dropcheck::impl::faulty
