#include "repeat_search.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>

#include "dropcheck/stats/granularity.hpp"

namespace dropcheck::properties {
namespace {

/// The window that begins `shift` bits into a word, word by word.
std::uint64_t word_of_window(const std::uint64_t* words, std::int64_t index,
                             int shift) {
  const std::uint64_t low = words[index] >> shift;
  return shift == 0 ? low : low | words[index + 1] << (64 - shift);
}

// The hash of a window is a polynomial of its words, so that it can be told
// from that of the window before; words are mixed first.
constexpr std::uint64_t kBase = 0x9E3779B97F4A7C15;

std::uint64_t mixed(std::uint64_t word) {
  word = (word ^ word >> 32U) * 0xD6E8FEB86659FD93;
  return word ^ word >> 32U;
}

std::uint64_t finished(std::uint64_t polynomial) {
  polynomial = (polynomial ^ polynomial >> 29U) * 0xBF58476D1CE4E5B9;
  return polynomial ^ polynomial >> 32U;
}

std::uint64_t polynomial_at(const std::uint64_t* words, std::int64_t count,
                            int shift) {
  std::uint64_t polynomial = 0;
  for (std::int64_t i = 0; i < count; ++i) {
    polynomial = polynomial * kBase + mixed(word_of_window(words, i, shift));
  }
  return polynomial;
}

constexpr std::size_t kFilterWords = std::size_t{1} << 16;

/// Hashes that are known before the first of them is looked up: the table is
/// larger than the caches.
constexpr std::int64_t kAhead = 64;

/// The bit of a hash in the filter.
std::size_t filter_word(std::uint64_t hash) {
  return (hash >> 6U) % kFilterWords;
}
std::uint64_t filter_bit(std::uint64_t hash) {
  return std::uint64_t{1} << (hash % 64);
}

}  // namespace

std::size_t HashTable::place_of(std::uint64_t hash) const {
  const std::size_t last = places_.size() - 1;  // of a power of two
  std::size_t place = hash & last;
  while (places_[place].number != 0 && places_[place].hash != hash) {
    place = (place + 1) & last;
  }
  return place;
}

void HashTable::put(std::uint64_t hash, std::uint64_t number) {
  if (2 * used_ >= places_.size()) {
    std::vector<Place> before(2 * places_.size());
    before.swap(places_);
    for (const Place& place : before) {
      if (place.number != 0) places_[place_of(place.hash)] = place;
    }
  }
  Place& place = places_[place_of(hash)];
  if (place.number != 0) return;
  place = {hash, number + 1};
  ++used_;
}

std::optional<std::uint64_t> HashTable::find(std::uint64_t hash) const {
  const Place& place = places_[place_of(hash)];
  if (place.number == 0) return std::nullopt;
  return place.number - 1;
}

RepeatPlan RepeatPlan::make(std::int64_t bits, std::int64_t head,
                            std::int64_t run, double p0, double threshold) {
  // As if every window were kept; fewer would be a word shorter at most.
  const double words = static_cast<double>(bits / 64 + 1);
  const double log_pairs = std::log(64 * words) + std::log(words);
  RepeatPlan plan;
  plan.head = head / 64;
  plan.window = (static_cast<std::int64_t>(
                     stats::overlap_window_bits(log_pairs, threshold, p0)) +
                 63) /
                64 * 64;
  // One of `step` windows that begin a word apart must be kept, and up to a
  // word is lost before the first that begins with a word.
  while (64 * (2 * plan.step + 1) + plan.window <= run) plan.step *= 2;
  return plan;
}

double RepeatPlan::log_chance(std::int64_t bits, double p0) const {
  const std::int64_t words = bits / 64 + 1;
  const std::int64_t kept = std::min(words, head + words / step + 1);
  return std::log(64 * static_cast<double>(kept)) +
         std::log(static_cast<double>(words)) +
         stats::log_chance_identical(p0, static_cast<std::uint64_t>(window));
}

RepeatSearch::RepeatSearch(const RepeatPlan& plan, double p0)
    : plan_(plan),
      p0_(p0),
      window_words_(plan.window / 64),
      leaving_(1),
      filter_(kFilterWords) {
  for (std::int64_t i = 1; i < window_words_; ++i) leaving_ *= kBase;
}

const std::uint64_t* RepeatSearch::at(std::int64_t word) const {
  return recent_.data() + (word - first_);
}

void RepeatSearch::add(std::span<const std::uint64_t> words) {
  if (found_ || window_words_ == 0) return;
  recent_.insert(recent_.end(), words.begin(), words.end());
  const std::int64_t end = first_ + std::ssize(recent_);
  std::array<std::uint64_t, kAhead> hashes{};
  while (next_ + window_words_ <= end && !found_) {
    const std::int64_t begin = next_;
    const std::int64_t count =
        std::min(kAhead, end - window_words_ - begin + 1);
    for (std::int64_t i = 0; i < count; ++i) {
      std::uint64_t& hash = hashes[static_cast<std::size_t>(i)];
      hash = rolled_hash(begin + i);
      if (may_be_kept(hash)) windows_.prefetch(hash);
    }
    while (next_ < begin + count && !found_) {
      visit(next_, hashes[static_cast<std::size_t>(next_ - begin)]);
      ++next_;
    }
  }
  const std::int64_t needed =
      std::max<std::int64_t>(first_, next_ - window_words_ - 1);
  recent_.erase(recent_.begin(), recent_.begin() + (needed - first_));
  first_ = needed;
}

/// A word is kept when the windows that begin in it lie behind us.
void RepeatSearch::visit(std::int64_t word, std::uint64_t hash) {
  const std::int64_t behind = word - window_words_ - 1;
  if (behind >= 0 && (behind < plan_.head || behind % plan_.step == 0)) {
    keep(behind);
  }
  look_up(word, hash);
}

bool RepeatSearch::telling(std::int64_t drops) const {
  const auto length = static_cast<double>(plan_.window);
  return static_cast<double>(drops) >= p0_ * length / 4 &&
         static_cast<double>(plan_.window - drops) >= (1 - p0_) * length / 4;
}

void RepeatSearch::keep(std::int64_t word) {
  const std::uint64_t number = kept_places_.size();
  kept_places_.push_back(word);
  const std::uint64_t* const words = at(word);
  kept_words_.insert(kept_words_.end(), words, words + window_words_ + 1);
  std::int64_t drops = 0;
  for (std::int64_t i = 0; i < window_words_; ++i) {
    drops += std::popcount(words[i]);
  }
  std::array<std::uint64_t, 64> hashes{};
  std::uint64_t told = 0;  // one bit a shift
  for (unsigned shift = 0; shift < 64; ++shift) {
    if (telling(drops)) {
      told |= std::uint64_t{1} << shift;
      hashes[shift] = finished(
          polynomial_at(words, window_words_, static_cast<int>(shift)));
      windows_.prefetch(hashes[shift]);
    }
    drops -= static_cast<std::int64_t>(words[0] >> shift & 1U);
    drops += static_cast<std::int64_t>(words[window_words_] >> shift & 1U);
  }
  for (unsigned shift = 0; shift < 64; ++shift) {
    if ((told >> shift & 1U) == 0) continue;
    const std::uint64_t hash = hashes[shift];
    filter_[filter_word(hash)] |= filter_bit(hash);
    windows_.put(hash, 64 * number + shift);
  }
}

std::uint64_t RepeatSearch::rolled_hash(std::int64_t word) {
  if (rolled_ < 0 || rolled_ + 1 != word) {
    rolling_ = polynomial_at(at(word), window_words_, 0);
  } else {
    const std::uint64_t* const before = at(word - 1);
    rolling_ = (rolling_ - mixed(before[0]) * leaving_) * kBase +
               mixed(before[window_words_]);
  }
  rolled_ = word;
  return finished(rolling_);
}

bool RepeatSearch::may_be_kept(std::uint64_t hash) const {
  return (filter_[filter_word(hash)] & filter_bit(hash)) != 0;
}

void RepeatSearch::look_up(std::int64_t word, std::uint64_t hash) {
  if (!may_be_kept(hash)) return;
  const auto hit = windows_.find(hash);
  if (!hit || !agrees(*hit, at(word))) return;
  found_ = Repeat{
      64 * kept_places_[*hit / 64] + static_cast<std::int64_t>(*hit % 64),
      64 * word};
}

bool RepeatSearch::agrees(std::uint64_t kept,
                          const std::uint64_t* words) const {
  const std::uint64_t* window =
      kept_words_.data() +
      (kept / 64) * static_cast<std::uint64_t>(window_words_ + 1);
  for (std::int64_t i = 0; i < window_words_; ++i) {
    if (word_of_window(window, i, static_cast<int>(kept % 64)) != words[i]) {
      return false;
    }
  }
  return true;
}

}  // namespace dropcheck::properties
