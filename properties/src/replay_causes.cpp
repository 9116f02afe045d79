#include "replay_causes.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <optional>
#include <stdexcept>

#include "dropcheck/impl/mask_replay.hpp"

namespace dropcheck::properties {
namespace {

using impl::MaskRecipe;
using impl::MaskReplay;
using impl::RecipePart;
using Words = std::vector<std::uint64_t>;

/// Further than this nobody looks for the place where a call begins.
constexpr std::size_t kFurthest = std::size_t{1} << 26;
/// Information that a coincidence does not have.
constexpr double kTellingBits = 60;

bool bit(const Words& words, std::size_t i) {
  return (words[i / 64] >> (i % 64) & 1U) != 0;
}

std::size_t words_for(std::size_t bits) { return (bits + 63) / 64; }

bool is_possible(const MaskRecipe& recipe) {
  try {
    impl::require_possible(recipe);
    return true;
  } catch (const std::invalid_argument&) {
    return false;
  }
}

/// Values of a part that are seen in the wild.
std::vector<RecipePart> other_values(const MaskRecipe& recipe) {
  std::vector<RecipePart> parts;
  const auto add = [&](const char* key,
                       std::initializer_list<const char*> all) {
    for (const char* value : all) parts.emplace_back(key, value);
  };
  add("seed_bits", {"32", "31", "16", "64"});
  add("first_word", {"low", "high"});
  add("taken", {"high", "low"});
  add("kept", {"u<keep", "u>=drop", "u>drop"});
  add("threshold", {"f64", "f32"});
  add("words", {"1", "2"});
  add("bits", {"8", "16", "23", "24", "31", "32", "52", "53", "63", "64"});
  add("calls", {"split", "fold_in"});
  add("first_call", {"0", "1"});
  add("key", {"seed", "folded"});
  add("order", {"counter", "halves"});
  add("generator", {"mt19937", "pcg64", "philox4x32-10"});
  for (const std::uint64_t skipped : {1U, 2U, 3U, 4U}) {
    parts.emplace_back("offset", std::to_string(recipe.offset + skipped));
    if (recipe.offset < skipped) continue;
    parts.emplace_back("offset", std::to_string(recipe.offset - skipped));
  }
  return parts;
}

double information(double drop) {
  if (drop <= 0 || drop >= 1) return 0;
  return -drop * std::log2(drop) - (1 - drop) * std::log2(1 - drop);
}

/// Whether a recipe gives the mask that was seen, and before it those that are
/// due, which were seen as well.
bool explains(const MaskRecipe& other, const MaskRecipe& recipe, double drop,
              const ReplayMismatch& mismatch) {
  MaskReplay replay(other, drop, mismatch.seed);
  MaskReplay due(recipe, drop, mismatch.seed);
  Words mask(mismatch.observed.size());
  Words due_mask(mask.size());
  for (std::size_t call = 0; call < mismatch.call; ++call) {
    replay.next(mismatch.units, mask.data());
    due.next(mismatch.units, due_mask.data());
    if (mask != due_mask) return false;
  }
  replay.next(mismatch.units, mask.data());
  return mask == mismatch.observed;
}

/// ": it is that of the recipe with bits 24, where 53 is declared".
std::string of_neighbour(const MaskRecipe& recipe, double drop,
                         const ReplayMismatch& mismatch) {
  for (const MaskRecipe& other : neighbours(recipe)) {
    if (!explains(other, recipe, drop, mismatch)) continue;
    const auto due = impl::parts_of(recipe);
    const auto seen = impl::parts_of(other);
    for (std::size_t i = 0; i < due.size(); ++i) {
      if (due[i] == seen[i]) continue;
      return fmt::format(
          ": it is that of the recipe with {} {}, where {} is "
          "declared",
          seen[i].first, seen[i].second, due[i].second);
    }
  }
  return "";
}

std::uint64_t window(const Words& words, std::size_t begin) {
  const std::size_t shift = begin % 64;
  const std::uint64_t low = words[begin / 64] >> shift;
  return shift == 0 ? low : low | words[begin / 64 + 1] << (64 - shift);
}

/// Where `length` bits from `begin` of `part` stand in the first `bits` of
/// `all`, which has a word behind them.
std::optional<std::size_t> find(const Words& all, std::size_t bits,
                                const Words& part, std::size_t begin,
                                std::size_t length) {
  Words key(words_for(length), 0);
  for (std::size_t i = 0; i < length; ++i) {
    if (bit(part, begin + i)) key[i / 64] |= std::uint64_t{1} << (i % 64);
  }
  const std::size_t whole = length / 64;
  for (std::size_t at = 0; at + length <= bits; ++at) {
    std::size_t same = 0;
    while (same < whole && window(all, at + 64 * same) == key[same]) ++same;
    if (same == whole) return at;
  }
  return std::nullopt;
}

/// Where in the seed's stream of words a decision is read, and should be.
struct Shift {
  std::size_t seen = 0;
  std::size_t due = 0;
  bool whole_call = false;
  bool first_call = false;
};

std::string shift_words(const Shift& shift) {
  if (shift.whole_call && !shift.first_call && shift.seen == 0) {
    return ": every call begins anew";
  }
  const bool late = shift.seen > shift.due;
  return fmt::format(
      ": {} it reads its words {} too {} (word {} of the seed's, where {} is "
      "due)",
      shift.whole_call ? "in that call" : "from there on",
      late ? shift.seen - shift.due : shift.due - shift.seen,
      late ? "late" : "early", shift.seen, shift.due);
}

/// The mask stands elsewhere in the seed's stream, from its first difference
/// on.
std::string of_another_place(const MaskRecipe& recipe, double drop,
                             const ReplayMismatch& mismatch) {
  if (recipe.calls != impl::CallWords::kContinue) return "";
  const std::size_t first = mismatch.first();
  const std::size_t due = mismatch.call * mismatch.units + first;
  const std::size_t length =
      std::min<std::size_t>(mismatch.units - first, 1024) / 64 * 64;
  if (static_cast<double>(length) * information(drop) < kTellingBits) return "";
  const std::size_t bits = due + mismatch.units + 65536;
  if (bits > kFurthest) return "";
  for (std::size_t extra = 0; extra < static_cast<std::size_t>(recipe.words);
       ++extra) {
    MaskRecipe shifted = recipe;
    shifted.offset += extra;
    if (!is_possible(shifted)) continue;
    Words stream(words_for(bits) + 2, 0);
    MaskReplay(shifted, drop, mismatch.seed).next(bits, stream.data());
    const auto found = find(stream, bits, mismatch.observed, first, length);
    if (!found) continue;
    // What came before may only have agreed by chance.
    std::size_t back = 0;
    while (back < std::min(first, *found) &&
           bit(mismatch.observed, first - back - 1) ==
               bit(stream, *found - back - 1)) {
      ++back;
    }
    const bool whole = back == first;
    if (!whole) back = 0;
    const auto width = static_cast<std::size_t>(recipe.words);
    return shift_words({(*found - back) * width + extra, (due - back) * width,
                        whole, mismatch.call == 0});
  }
  return "";
}

/// Whether unit `at(i)` was decided as unit i should be, for the first `count`.
template <class At>
bool is_permuted(const ReplayMismatch& mismatch, std::size_t count,
                 const At& at) {
  for (std::size_t i = 0; i < count; ++i) {
    if (bit(mismatch.observed, at(i)) != bit(mismatch.expected, i))
      return false;
  }
  return true;
}

std::string of_another_order(const ReplayMismatch& mismatch) {
  for (std::size_t lanes = 2; lanes <= 64; lanes *= 2) {
    const std::size_t rows = mismatch.units / lanes;
    const std::size_t count = rows * lanes;
    if (rows == 0) break;
    if (is_permuted(mismatch, count, [&](std::size_t i) {
          return i / lanes * lanes + (lanes - 1 - i % lanes);
        })) {
      return fmt::format(
          ": each {} neighbours are decided in the reverse order", lanes);
    }
    if (is_permuted(
            mismatch, count,
            [&](std::size_t i) { return i % lanes * rows + i / lanes; }) ||
        is_permuted(mismatch, count, [&](std::size_t i) {
          return i % rows * lanes + i / rows;
        })) {
      return fmt::format(
          ": the words of {} lanes are dealt out in another order", lanes);
    }
  }
  return "";
}

/// One threshold, but another one.
std::string of_another_threshold(const MaskRecipe& recipe, double drop,
                                 const ReplayMismatch& mismatch) {
  MaskReplay replay(recipe, drop, mismatch.seed);
  Words skipped(mismatch.observed.size());
  for (std::size_t call = 0; call < mismatch.call; ++call) {
    replay.next(mismatch.units, skipped.data());
  }
  const Words values = replay.next_values(mismatch.units);
  if (values.empty()) return "";
  const bool below = recipe.kept == impl::KeptWhere::kBelowKeep;
  std::uint64_t highest_below = 0;
  std::uint64_t lowest_above = ~std::uint64_t{0};
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (bit(mismatch.observed, i) == below) {
      highest_below = std::max(highest_below, values[i]);
    } else {
      lowest_above = std::min(lowest_above, values[i]);
    }
  }
  if (highest_below >= lowest_above) return "";
  const auto share = [&](std::uint64_t value) {
    const double part = std::ldexp(static_cast<double>(value), -recipe.bits);
    return below ? 1 - part : part;
  };
  const double one = share(highest_below);
  const double other = share(lowest_above);
  return fmt::format(
      ": the words are right, but the threshold is that of a drop probability "
      "between {:.10g} and {:.10g}",
      std::min(one, other), std::max(one, other));
}

std::string of_strangers(double drop, const ReplayMismatch& mismatch) {
  const auto units = static_cast<double>(mismatch.units);
  const double strangers = 2 * drop * (1 - drop) * units;
  if (mismatch.units < 1000 ||
      static_cast<double>(mismatch.count()) < 0.7 * strangers) {
    return "";
  }
  return ": they have nothing in common, as if another generator or seed were "
         "used";
}

}  // namespace

std::size_t ReplayMismatch::first() const {
  for (std::size_t i = 0; i < observed.size(); ++i) {
    const std::uint64_t differs = observed[i] ^ expected[i];
    if (differs != 0) {
      return 64 * i + static_cast<std::size_t>(std::countr_zero(differs));
    }
  }
  return units;
}

std::size_t ReplayMismatch::count() const {
  std::size_t count = 0;
  for (std::size_t i = 0; i < observed.size(); ++i) {
    count += static_cast<std::size_t>(std::popcount(observed[i] ^ expected[i]));
  }
  return count;
}

std::vector<MaskRecipe> neighbours(const MaskRecipe& recipe) {
  std::vector<MaskRecipe> all;
  if (recipe.generator == impl::WordGenerator::kPhiloxPlanes) return all;
  for (const RecipePart& part : other_values(recipe)) {
    MaskRecipe other = recipe;
    impl::set_part(other, part);
    if (other == recipe || !is_possible(other)) continue;
    all.push_back(other);
  }
  return all;
}

std::string cause_of_mismatch(const MaskRecipe& recipe, double drop,
                              const ReplayMismatch& mismatch) {
  if (mismatch.count() == mismatch.units) {
    return ": it keeps what is to be dropped, and the other way round";
  }
  for (std::string cause :
       {of_neighbour(recipe, drop, mismatch),
        of_another_place(recipe, drop, mismatch), of_another_order(mismatch),
        of_another_threshold(recipe, drop, mismatch)}) {
    if (!cause.empty()) return cause;
  }
  return of_strangers(drop, mismatch);
}

}  // namespace dropcheck::properties
