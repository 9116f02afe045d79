#include "overlap.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <unordered_map>

namespace dropcheck::properties {
namespace {

std::uint64_t word_from(const Row& row, std::int64_t begin) {
  const auto word = static_cast<std::size_t>(begin / 64);
  const int shift = static_cast<int>(begin % 64);
  std::uint64_t bits = row.words[word] >> shift;
  if (shift != 0 && word + 1 < row.words.size()) {
    bits |= row.words[word + 1] << (64 - shift);
  }
  return bits;
}

std::uint64_t hash_window(const Row& row, std::int64_t begin,
                          std::int64_t window) {
  std::uint64_t hash = 0x9E3779B97F4A7C15;
  for (std::int64_t i = 0; i < window; i += 64) {
    hash = (hash ^ word_from(row, begin + i)) * 0xD6E8FEB86659FD93;
    hash ^= hash >> 32U;
  }
  return hash;
}

bool same_window(const Row& a, std::int64_t i, const Row& b, std::int64_t k,
                 std::int64_t window) {
  for (std::int64_t done = 0; done < window; done += 64) {
    if (word_from(a, i + done) != word_from(b, k + done)) return false;
  }
  return true;
}

bool telling(const Row& row, std::int64_t begin, std::int64_t window,
             double p0) {
  std::int64_t drops = 0;
  for (std::int64_t i = 0; i < window; i += 64) {
    drops += std::popcount(word_from(row, begin + i));
  }
  const auto length = static_cast<double>(window);
  return static_cast<double>(drops) >= p0 * length / 4 &&
         static_cast<double>(window - drops) >= (1 - p0) * length / 4;
}

}  // namespace

std::optional<Overlap> find_overlap(std::span<const Row> calls, double p0,
                                    std::int64_t window) {
  struct Place {
    std::size_t call;
    std::int64_t position;
  };
  std::unordered_map<std::uint64_t, Place> seen;
  for (std::size_t call = 0; call < calls.size(); ++call) {
    const Row& row = calls[call];
    for (std::int64_t i = 0; !seen.empty() && i + window <= row.bits; ++i) {
      const auto hit = seen.find(hash_window(row, i, window));
      if (hit == seen.end()) continue;
      const auto [earlier, position] = hit->second;
      if (same_window(calls[earlier], position, row, i, window)) {
        return Overlap{earlier, position, call, i, window};
      }
    }
    for (std::int64_t i = 0; i + window <= row.bits; i += window) {
      if (telling(row, i, window, p0)) {
        seen.try_emplace(hash_window(row, i, window), Place{call, i});
      }
    }
  }
  return std::nullopt;
}

double log_overlap_pairs(std::size_t calls, std::int64_t bits,
                         std::int64_t window) {
  const double pairs_of_calls =
      static_cast<double>(calls) * static_cast<double>(calls - 1) / 2;
  const double starts = static_cast<double>(bits) / static_cast<double>(window);
  return std::log(
      std::max(1.0, pairs_of_calls * starts * static_cast<double>(bits)));
}

}  // namespace dropcheck::properties
