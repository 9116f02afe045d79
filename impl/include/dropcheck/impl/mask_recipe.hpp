#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "dropcheck/impl/dtype.hpp"
#include "dropcheck/impl/dyadic_fraction.hpp"

namespace dropcheck::impl {

/// Where the 32-bit words of a recipe come from.
enum class WordGenerator {
  kMt19937,       ///< init_genrand(seed), as std::mt19937
  kPcg64,         ///< PCG64 (XSL RR 128/64) seeded by NumPy's SeedSequence
  kPhilox4x32,    ///< ten rounds; the key is the seed, the counter begins at 0
  kThreefry2x32,  ///< twenty rounds, as jax.random
  /// dropcheck's own layers: Philox4x32-10, decisions drawn bit by bit.
  kPhiloxPlanes,
};

/// When a unit is kept, by its uniform number U.
enum class KeptWhere {
  kBelowKeep,     ///< U < 1 - p
  kNotBelowDrop,  ///< U >= p
  kAboveDrop,     ///< U > p
};

/// Where the words of a call come from.
enum class CallWords {
  kContinue,  ///< from where the call before ended
  kSplit,     ///< JAX: key, used = split(key), and the call draws from `used`
  kFoldIn,    ///< JAX: the call draws from fold_in(key, its number)
};

/// How each mask follows from the seed, to the last bit: what a subject may
/// declare of itself, so that its masks can be recomputed.
///
/// Units are decided in row-major order. Each has one or two 32-bit words, of
/// which some bits are taken as k; U = k * 2^-bits is held against p or 1 - p.
struct MaskRecipe {
  WordGenerator generator = WordGenerator::kMt19937;
  int seed_bits = 64;            ///< the low ones, which the generator gets
  std::uint64_t offset = 0;      ///< words passed over after a reseed
  int words = 2;                 ///< 32-bit words a decision, 1 or 2
  bool high_word_first = false;  ///< of two words
  int bits = 53;                 ///< of U, at most 32 * words
  bool high_bits = true;         ///< U is the highest of the bits, or lowest
  KeptWhere kept = KeptWhere::kBelowKeep;
  DType threshold = DType::kFloat64;  ///< which p or 1 - p is rounded to
  CallWords calls = CallWords::kContinue;
  std::uint64_t first_call = 0;  ///< number of the first one, for kFoldIn
  /// kThreefry2x32: the key is fold_in(key(low half of the seed), high half),
  /// as dropcheck's Python door makes keys; otherwise PRNGKey(seed).
  bool folded_key = false;
  /// kThreefry2x32: word i is that of the counter i, both halves xored
  /// (jax_threefry_partitionable); otherwise a call's counters are cut in two
  /// halves.
  bool by_counter = true;

  bool operator==(const MaskRecipe&) const = default;
};

/// A part of a recipe in words: {"bits", "53"}.
using RecipePart = std::pair<std::string, std::string>;

/// The recipes that have a name: "torch.bernoulli" (PyTorch on the CPU without
/// MKL), "numpy.random" and "numpy.random.f32" (Generator.random of
/// default_rng), "jax.bernoulli" (by the key that a layer behind dropcheck's
/// Python door gets), "philox4x32-10", "dropcheck".
std::vector<std::string_view> recipe_names();

/// Throws std::invalid_argument for an unknown name.
MaskRecipe recipe_called(std::string_view name);

/// Changes a part. Keys: generator, seed_bits, offset, words, first_word (low,
/// high), bits, taken (high, low), kept (u<keep, u>=drop, u>drop), threshold
/// (f64, f32), calls (continue, split, fold_in), first_call, key (seed,
/// folded), order (counter, halves).
/// Throws std::invalid_argument that names key, value and rule.
void set_part(MaskRecipe& recipe, const RecipePart& part);

/// A recipe by its parts: "like" is the name of the one to begin with, and the
/// others change it; without it there must be a generator. Throws
/// std::invalid_argument, also for parts that contradict each other.
MaskRecipe recipe_of(const std::vector<RecipePart>& parts);

/// All parts, in the order above.
std::vector<RecipePart> parts_of(const MaskRecipe& recipe);

/// Throws std::invalid_argument for parts that contradict each other.
void require_possible(const MaskRecipe& recipe);

/// "MT19937 by the low 32 bits of the seed, two words a decision, the high one
/// first; a unit is kept where the low 53 bits, as a fraction U, give
/// U < 1 - p".
std::string in_words(const MaskRecipe& recipe);

/// Number of the 2^bits values of k that keep a unit, as a threshold: those
/// below it for kBelowKeep, all but those below it otherwise.
struct KeptRange {
  std::uint64_t threshold = 0;  ///< where `all` is false
  bool all = false;             ///< the threshold is 2^bits
  bool below = true;            ///< values below it are kept

  bool operator==(const KeptRange&) const = default;
};
KeptRange kept_range(const MaskRecipe& recipe, double drop);

/// The exact drop probability, given uniform words.
DyadicFraction exact_drop(const MaskRecipe& recipe, double drop);

}  // namespace dropcheck::impl
