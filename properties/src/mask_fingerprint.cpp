#include "mask_fingerprint.hpp"

#include <algorithm>

#include "dropcheck/impl/random_stream.hpp"

namespace dropcheck::properties {
namespace {

constexpr std::uint64_t kPrime = (std::uint64_t{1} << 61U) - 1;

__extension__ using Wide = unsigned __int128;

std::uint64_t reduced(Wide value) {
  const auto low = static_cast<std::uint64_t>(value & kPrime);
  const auto high = static_cast<std::uint64_t>(value >> 61U);
  const std::uint64_t sum = low + high;
  return sum >= kPrime ? sum - kPrime : sum;
}

/// One more coefficient, which is below 2^32. Coefficients are one more than
/// half words, so that leading zeros count too.
std::uint64_t step(std::uint64_t value, std::uint64_t point,
                   std::uint64_t half) {
  return reduced(Wide{value} * point + half + 1);
}

}  // namespace

Fingerprinter::Fingerprinter(std::uint64_t key)
    : first_point_(impl::keyed_word(key, 1) >> 4U),
      second_point_(impl::keyed_word(key, 2) >> 4U) {}

Fingerprint Fingerprinter::of(const std::uint64_t* words,
                              std::size_t count) const {
  Fingerprint print;
  for (std::size_t i = 0; i < count; ++i) {
    for (const std::uint64_t half : {words[i] & 0xFFFFFFFF, words[i] >> 32U}) {
      print.first = step(print.first, first_point_, half);
      print.second = step(print.second, second_point_, half);
    }
  }
  return print;
}

Duplicates find_duplicates(const std::vector<Fingerprint>& fingerprints) {
  std::vector<std::pair<Fingerprint, std::size_t>> sorted;
  sorted.reserve(fingerprints.size());
  for (std::size_t i = 0; i < fingerprints.size(); ++i) {
    sorted.emplace_back(fingerprints[i], i);
  }
  std::sort(sorted.begin(), sorted.end());
  Duplicates duplicates;
  std::uint64_t alike = 0;
  for (std::size_t i = 1; i < sorted.size(); ++i) {
    alike = sorted[i].first == sorted[i - 1].first ? alike + 1 : 0;
    duplicates.pairs += alike;
    if (alike != 1) continue;
    const std::pair pair{sorted[i - 1].second, sorted[i].second};
    if (!duplicates.first || pair.second < duplicates.first->second) {
      duplicates.first = pair;
    }
  }
  return duplicates;
}

}  // namespace dropcheck::properties
