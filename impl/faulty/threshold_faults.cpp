// Rates that a coarse uniform number cannot meet: right to the eye of every
// statistic at f32, and wrong by an exact fraction.
#include "dropcheck/impl/threshold_idioms.hpp"
#include "faulty/draws.hpp"

namespace dropcheck::impl::faulty {
namespace {

/// Decides as the idiom of that name does in the layer's dtype.
Fault idiom(const char* name) {
  return {
      .draw =
          [name](const Draw& draw) {
            const ThresholdIdiom& idiom = find_idiom(name, draw.dtype);
            const auto probability = Probability::from_drop(draw.drop);
            const auto unused = static_cast<unsigned>(64 - idiom.word_bits);
            for (std::uint8_t& kept : draw.mask.kept) {
              const std::uint64_t word = draw.stream.next() >> unused;
              kept = keeps(idiom, probability, word) ? 1 : 0;
            }
          },
      .word_bits =
          [name](DType dtype) { return find_idiom(name, dtype).word_bits; }};
}

}  // namespace

std::vector<Specimen> threshold_faults() {
  return {
      {"floor_keep_plus_rand", "drop_path", "resolution",
       "floor(keep + uniform) in the dtype of the input",
       "timm's drop_path until 2021 and its many copies: off by 2.4e-8 at f32, "
       "where nothing but enumeration sees it, and by 1.6e-3 at bf16.",
       idiom("floor_keep_plus_rand")},
      {"rand_above_drop", "dropout", "resolution",
       "keeps where uniform > drop, which is never true of 0 at p = 0",
       "boltz #553: one element in 2^8 (bf16) to 2^24 (f32) is dropped at p = "
       "0.",
       idiom("rand_above_drop")},
      {"tensorflow_uniform", "dropout", "resolution",
       "keeps where a uniform number of 23 bits >= rate",
       "TensorFlow fills the stored bits of the significand: k/2^23 at f32, "
       "k/2^7 at bf16; jax #28017.",
       idiom("tensorflow_uniform")},
      {"cuda_fused_dropout", "dropout", "resolution",
       "keeps where a float in (0, 1] < keep",
       "PyTorch's fused CUDA dropout: curand rounds to float, off by 5e-8.",
       idiom("cuda_fused_dropout")},
      {"threshold_16bit", "dropout", "resolution",
       "compares 16 bits with floor(65535 * keep)",
       "The 8-bit threshold of fused attention, made finer: off by 6e-6.",
       idiom("threshold_16bit")},
  };
}

}  // namespace dropcheck::impl::faulty
