#include "stream_history.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>

#include "place_causes.hpp"

namespace dropcheck::properties {
namespace {

constexpr std::int64_t kParts = 256;
constexpr std::uint64_t kEven = 0x5555555555555555;

/// "2^16" where that is near, else the number.
std::string power_words(std::int64_t number) {
  const double exponent =
      std::log2(static_cast<double>(std::max<std::int64_t>(number, 1)));
  const double nearest = std::round(exponent);
  if (number > 1000 && std::abs(exponent - nearest) < 0.02) {
    return fmt::format("2^{:.0f}", nearest);
  }
  return fmt::format("{}", number);
}

}  // namespace

double StreamHistory::Neighbours::correlation() const {
  if (pairs == 0) return 0;
  const auto n = static_cast<double>(pairs);
  const double p = static_cast<double>(drops) / (2 * n);
  if (!(p > 0 && p < 1)) return 0;
  return (static_cast<double>(both) / n - p * p) / (p * (1 - p));
}

StreamHistory::StreamHistory(std::int64_t calls, std::int64_t units_per_call)
    : calls_(calls),
      units_(units_per_call),
      parts_(static_cast<std::size_t>(std::min(calls, kParts))) {}

void StreamHistory::add(const std::uint64_t* words) {
  const auto parts = static_cast<std::int64_t>(parts_.size());
  stats::Counts& part = parts_[static_cast<std::size_t>(
      std::min(call_ * parts / calls_, parts - 1))];
  for (std::int64_t begin = 0; begin < units_; begin += 64) {
    const std::uint64_t word = words[begin / 64];
    const std::int64_t bits = std::min<std::int64_t>(64, units_ - begin);
    const auto drops = static_cast<std::uint64_t>(std::popcount(word));
    part += {drops, static_cast<std::uint64_t>(bits)};
    const std::int64_t at = call_ * units_ + begin;
    add_run(drops, bits, at);
    // Pairs that a counter of decisions makes, whatever a call's length is.
    const std::uint64_t first = at % 2 == 0 ? kEven : kEven << 1;
    const std::uint64_t inside = bits == 64
                                     ? ~std::uint64_t{0} >> 1
                                     : (std::uint64_t{1} << (bits - 1)) - 1;
    const std::uint64_t earlier = first & inside;
    Neighbours& octave = octaves_[static_cast<std::size_t>(
        std::bit_width(static_cast<std::uint64_t>(at)))];
    octave.pairs += static_cast<std::uint64_t>(std::popcount(earlier));
    octave.drops += static_cast<std::uint64_t>(
        std::popcount(word & earlier) + std::popcount(word >> 1 & earlier));
    octave.both +=
        static_cast<std::uint64_t>(std::popcount(word & word >> 1 & earlier));
  }
  ++call_;
}

void StreamHistory::add_run(std::uint64_t drops, std::int64_t bits,
                            std::int64_t begin) {
  const bool none = drops == 0;
  const bool all = drops == static_cast<std::uint64_t>(bits);
  if (!(none || all) || (begin > run_begin_ && all != run_drops_)) {
    run_begin_ = none || all ? begin : begin + bits;
    run_drops_ = all;
    if (!(none || all)) return;
  }
  run_drops_ = all;
  // Of runs of nearly one length, as a counter makes that wraps, the first.
  const std::int64_t longest = longest_end_ - longest_begin_;
  const std::int64_t length = begin + bits - run_begin_;
  if (run_begin_ == longest_begin_ || length > longest + longest / 8) {
    longest_begin_ = run_begin_;
    longest_end_ = begin + bits;
  }
}

std::optional<std::string> StreamHistory::drift() const {
  return cause_of_drift(parts_, static_cast<double>(calls_ * units_) /
                                    static_cast<double>(parts_.size()));
}

std::optional<std::string> StreamHistory::counter() const {
  stats::Counts all;
  for (const stats::Counts& part : parts_) all += part;
  const double p = static_cast<double>(all.drops) /
                   static_cast<double>(std::max<std::uint64_t>(all.n, 1));
  const std::int64_t length = longest_end_ - longest_begin_;
  // A rate that is low for a while has a longest run, too: not of this length.
  const bool at_end = longest_end_ == calls_ * units_;
  if (length >= 4096 && longest_begin_ > 0 && p > 1e-4 && p < 1 - 1e-4) {
    return fmt::format(
        "from {} decisions on all are one and the same{}: a counter stands "
        "still, because it saturates or turns negative there",
        power_words(longest_begin_),
        at_end ? "" : fmt::format(", up to {}", power_words(longest_end_)));
  }
  for (std::size_t k = 8; k + 1 < octaves_.size(); ++k) {
    if (octaves_[k + 1].pairs < 1000 || octaves_[k].pairs < 100) continue;
    if (octaves_[k].correlation() < 0.2 &&
        octaves_[k + 1].correlation() > 0.8) {
      return fmt::format(
          "from 2^{} decisions on neighbours share one random number: the "
          "offset loses its last bit there, as a float of {} bits does",
          k, k);
    }
  }
  return std::nullopt;
}

}  // namespace dropcheck::properties
