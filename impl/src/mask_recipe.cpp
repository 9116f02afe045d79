#include "dropcheck/impl/mask_recipe.hpp"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <cmath>
#include <span>
#include <stdexcept>

namespace dropcheck::impl {
namespace {

constexpr std::array<std::string_view, 5> kGenerators{
    "mt19937", "pcg64", "philox4x32-10", "threefry2x32", "philox4x32-10-bits"};
constexpr std::array<std::string_view, 5> kGeneratorTitles{
    "MT19937", "PCG64 by NumPy's SeedSequence", "Philox4x32-10",
    "Threefry2x32 as jax.random", "Philox4x32-10, drawn bit by bit,"};
constexpr std::array<std::string_view, 2> kFirstWord{"low", "high"};
constexpr std::array<std::string_view, 2> kTaken{"low", "high"};
constexpr std::array<std::string_view, 3> kKept{"u<keep", "u>=drop", "u>drop"};
constexpr std::array<std::string_view, 3> kKeptWords{"U < 1 - p", "U >= p",
                                                     "U > p"};
constexpr std::array<std::string_view, 2> kThreshold{"f64", "f32"};
constexpr std::array<std::string_view, 3> kCalls{"continue", "split",
                                                 "fold_in"};
constexpr std::array<std::string_view, 2> kKey{"seed", "folded"};
constexpr std::array<std::string_view, 2> kOrder{"halves", "counter"};

struct Named {
  std::string_view name;
  MaskRecipe recipe;
};

// Sources. PyTorch: ATen/core/DistributionsHelper.h and MT19937RNGEngine.h, and
// PERFORMANCE 6d. NumPy: random/src/distributions, _common.pxd. JAX:
// jax/_src/prng.py and random.py (bernoulli, _uniform).
constexpr std::array<Named, 6> kNamed{
    {{"torch.bernoulli",
      {.generator = WordGenerator::kMt19937,
       .seed_bits = 32,
       .high_word_first = true,
       .high_bits = false}},
     {"numpy.random", {.generator = WordGenerator::kPcg64}},
     {"numpy.random.f32",
      {.generator = WordGenerator::kPcg64,
       .words = 1,
       .bits = 24,
       .threshold = DType::kFloat32}},
     {"jax.bernoulli",
      {.generator = WordGenerator::kThreefry2x32,
       .words = 1,
       .bits = 23,
       .threshold = DType::kFloat32,
       .calls = CallWords::kFoldIn,
       .first_call = 1,
       .folded_key = true}},
     {"philox4x32-10", {.generator = WordGenerator::kPhilox4x32, .bits = 64}},
     {"dropcheck", {.generator = WordGenerator::kPhiloxPlanes, .bits = 64}}}};

[[noreturn]] void refuse(const RecipePart& part, std::string_view rule) {
  throw std::invalid_argument(fmt::format("recipe: {} is '{}', but must be {}",
                                          part.first, part.second, rule));
}

std::size_t choice(const RecipePart& part,
                   std::span<const std::string_view> values) {
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (values[i] == part.second) return i;
  }
  refuse(part, fmt::format("one of {}", fmt::join(values, ", ")));
}

std::uint64_t number(const RecipePart& part, std::uint64_t least,
                     std::uint64_t most) {
  const std::string& text = part.second;
  std::uint64_t value = 0;
  const auto [end, error] =
      std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() ||
      value < least || value > most) {
    refuse(part, fmt::format("a whole number from {} to {}", least, most));
  }
  return value;
}

/// `parts_of` writes what `set_part` reads.
struct Part {
  std::string_view key;
  void (*set)(MaskRecipe&, const RecipePart&);
  std::string (*get)(const MaskRecipe&);
};

constexpr std::uint64_t kLongestOffset = std::uint64_t{1} << 20;

constexpr std::array<Part, 13> kParts{{
    {"generator",
     [](MaskRecipe& recipe, const RecipePart& part) {
       recipe.generator = static_cast<WordGenerator>(choice(part, kGenerators));
     },
     [](const MaskRecipe& recipe) {
       return std::string(
           kGenerators[static_cast<std::size_t>(recipe.generator)]);
     }},
    {"seed_bits",
     [](MaskRecipe& recipe, const RecipePart& part) {
       recipe.seed_bits = static_cast<int>(number(part, 1, 64));
     },
     [](const MaskRecipe& recipe) { return std::to_string(recipe.seed_bits); }},
    {"offset",
     [](MaskRecipe& recipe, const RecipePart& part) {
       recipe.offset = number(part, 0, kLongestOffset);
     },
     [](const MaskRecipe& recipe) { return std::to_string(recipe.offset); }},
    {"words",
     [](MaskRecipe& recipe, const RecipePart& part) {
       recipe.words = static_cast<int>(number(part, 1, 2));
     },
     [](const MaskRecipe& recipe) { return std::to_string(recipe.words); }},
    {"first_word",
     [](MaskRecipe& recipe, const RecipePart& part) {
       recipe.high_word_first = choice(part, kFirstWord) == 1;
     },
     [](const MaskRecipe& recipe) {
       return std::string(kFirstWord[recipe.high_word_first ? 1 : 0]);
     }},
    {"bits",
     [](MaskRecipe& recipe, const RecipePart& part) {
       recipe.bits = static_cast<int>(number(part, 1, 64));
     },
     [](const MaskRecipe& recipe) { return std::to_string(recipe.bits); }},
    {"taken",
     [](MaskRecipe& recipe, const RecipePart& part) {
       recipe.high_bits = choice(part, kTaken) == 1;
     },
     [](const MaskRecipe& recipe) {
       return std::string(kTaken[recipe.high_bits ? 1 : 0]);
     }},
    {"kept",
     [](MaskRecipe& recipe, const RecipePart& part) {
       recipe.kept = static_cast<KeptWhere>(choice(part, kKept));
     },
     [](const MaskRecipe& recipe) {
       return std::string(kKept[static_cast<std::size_t>(recipe.kept)]);
     }},
    {"threshold",
     [](MaskRecipe& recipe, const RecipePart& part) {
       recipe.threshold =
           choice(part, kThreshold) == 0 ? DType::kFloat64 : DType::kFloat32;
     },
     [](const MaskRecipe& recipe) {
       return std::string(
           kThreshold[recipe.threshold == DType::kFloat64 ? 0 : 1]);
     }},
    {"calls",
     [](MaskRecipe& recipe, const RecipePart& part) {
       recipe.calls = static_cast<CallWords>(choice(part, kCalls));
     },
     [](const MaskRecipe& recipe) {
       return std::string(kCalls[static_cast<std::size_t>(recipe.calls)]);
     }},
    {"first_call",
     [](MaskRecipe& recipe, const RecipePart& part) {
       recipe.first_call = number(part, 0, 1);
     },
     [](const MaskRecipe& recipe) {
       return std::to_string(recipe.first_call);
     }},
    {"key",
     [](MaskRecipe& recipe, const RecipePart& part) {
       recipe.folded_key = choice(part, kKey) == 1;
     },
     [](const MaskRecipe& recipe) {
       return std::string(kKey[recipe.folded_key ? 1 : 0]);
     }},
    {"order",
     [](MaskRecipe& recipe, const RecipePart& part) {
       recipe.by_counter = choice(part, kOrder) == 1;
     },
     [](const MaskRecipe& recipe) {
       return std::string(kOrder[recipe.by_counter ? 1 : 0]);
     }},
}};

std::string seed_words(const MaskRecipe& recipe) {
  if (recipe.seed_bits == 64) return "";
  return fmt::format(" by the low {} bits of the seed", recipe.seed_bits);
}

std::string call_words(const MaskRecipe& recipe) {
  switch (recipe.calls) {
    case CallWords::kContinue:
      return "";
    case CallWords::kSplit:
      return ", its key split for each call";
    case CallWords::kFoldIn:
      return ", with the number of the call folded into its key";
  }
  return "";
}

}  // namespace

std::vector<std::string_view> recipe_names() {
  std::vector<std::string_view> names;
  for (const Named& named : kNamed) names.push_back(named.name);
  return names;
}

MaskRecipe recipe_called(std::string_view name) {
  for (const Named& named : kNamed) {
    if (named.name == name) return named.recipe;
  }
  throw std::invalid_argument(fmt::format(
      "recipe is '{}', but must be one of {}, or an object of its parts", name,
      fmt::join(recipe_names(), ", ")));
}

void set_part(MaskRecipe& recipe, const RecipePart& part) {
  std::vector<std::string_view> keys;
  for (const Part& known : kParts) {
    if (known.key == part.first) return known.set(recipe, part);
    keys.push_back(known.key);
  }
  throw std::invalid_argument(
      fmt::format("recipe has an unknown part '{}': there are {}", part.first,
                  fmt::join(keys, ", ")));
}

MaskRecipe recipe_of(const std::vector<RecipePart>& parts) {
  MaskRecipe recipe;
  bool begun = false;
  for (const auto& [key, value] : parts) {
    if (key == "like") recipe = recipe_called(value);
    begun = begun || key == "like" || key == "generator";
  }
  if (!begun) {
    throw std::invalid_argument(
        fmt::format("recipe has neither generator nor like, which must be one "
                    "of {}",
                    fmt::join(recipe_names(), ", ")));
  }
  for (const RecipePart& part : parts) {
    if (part.first != "like") set_part(recipe, part);
  }
  require_possible(recipe);
  return recipe;
}

std::vector<RecipePart> parts_of(const MaskRecipe& recipe) {
  std::vector<RecipePart> parts;
  for (const Part& known : kParts) {
    parts.emplace_back(known.key, known.get(recipe));
  }
  return parts;
}

void require_possible(const MaskRecipe& recipe) {
  if (recipe.bits > 32 * recipe.words) {
    throw std::invalid_argument(fmt::format(
        "recipe: bits is {}, but {} 32-bit {} have {}", recipe.bits,
        recipe.words, recipe.words == 1 ? "word" : "words", 32 * recipe.words));
  }
  const bool by_keys = recipe.calls != CallWords::kContinue;
  const bool threefry = recipe.generator == WordGenerator::kThreefry2x32;
  if (by_keys && !threefry) {
    throw std::invalid_argument(
        "recipe: calls is split or fold_in, which threefry2x32 alone has");
  }
  if (threefry && !by_keys) {
    throw std::invalid_argument(
        "recipe: calls is continue, but threefry2x32 has split and fold_in");
  }
  if (recipe.generator == WordGenerator::kMt19937 && recipe.seed_bits > 32) {
    throw std::invalid_argument(fmt::format(
        "recipe: seed_bits is {}, but mt19937 takes 32", recipe.seed_bits));
  }
  const bool planes = recipe.generator == WordGenerator::kPhiloxPlanes;
  if ((planes || threefry) && recipe.offset != 0) {
    throw std::invalid_argument(
        "recipe: offset is not 0, but this generator has none");
  }
  if (threefry && recipe.words != 1) {
    throw std::invalid_argument(
        "recipe: words is 2, but threefry2x32 gives 1 a decision");
  }
  if (planes && (recipe.bits != 64 || recipe.words != 2)) {
    throw std::invalid_argument(
        "recipe: words and bits of philox4x32-10-bits are 2 and 64");
  }
}

std::string in_words(const MaskRecipe& recipe) {
  std::string text(
      kGeneratorTitles[static_cast<std::size_t>(recipe.generator)]);
  text += seed_words(recipe) + call_words(recipe);
  if (recipe.offset > 0) text += fmt::format(" from word {} on", recipe.offset);
  if (recipe.words == 2 && recipe.generator != WordGenerator::kPhiloxPlanes) {
    text += fmt::format(", two words a decision, the {} one first",
                        recipe.high_word_first ? "high" : "low");
  }
  const bool all = recipe.bits == 32 * recipe.words;
  text += fmt::format(
      "; kept where {} bits, as a fraction U, give {}",
      all ? fmt::format("its {}", recipe.bits)
          : fmt::format("the {} {}", recipe.high_bits ? "highest" : "lowest",
                        recipe.bits),
      kKeptWords[static_cast<std::size_t>(recipe.kept)]);
  if (recipe.threshold == DType::kFloat32) text += " in f32";
  return text;
}

KeptRange kept_range(const MaskRecipe& recipe, double drop) {
  const bool below = recipe.kept == KeptWhere::kBelowKeep;
  double bound = below ? 1 - drop : drop;
  if (recipe.threshold == DType::kFloat32) {
    bound = static_cast<double>(static_cast<float>(bound));
  }
  // Exact: a power of two changes no digit.
  const double scaled = std::ldexp(bound, recipe.bits);
  const double first = recipe.kept == KeptWhere::kAboveDrop
                           ? std::floor(scaled) + 1
                           : std::ceil(scaled);
  if (first >= std::ldexp(1, recipe.bits)) return {0, true, below};
  return {static_cast<std::uint64_t>(first), false, below};
}

DyadicFraction exact_drop(const MaskRecipe& recipe, double drop) {
  const KeptRange range = kept_range(recipe, drop);
  DyadicFraction share = range.all
                             ? DyadicFraction{1, 0}
                             : DyadicFraction::of(range.threshold, recipe.bits);
  return range.below ? share.complement() : share;
}

}  // namespace dropcheck::impl
