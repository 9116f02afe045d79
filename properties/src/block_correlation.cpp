#include "block_correlation.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <numbers>
#include <stdexcept>

namespace dropcheck::properties {
namespace {

bool bit_at(const std::uint64_t* words, std::size_t index) {
  return ((words[index / 64] >> (index % 64)) & 1U) != 0;
}

void add_bits_to(const std::uint64_t* words,
                 std::vector<std::uint32_t>& counters) {
  for (std::size_t i = 0; i < counters.size(); i += 64) {
    for (std::uint64_t word = words[i / 64]; word != 0; word &= word - 1) {
      ++counters[i + static_cast<std::size_t>(std::countr_zero(word))];
    }
  }
}

/// before[i] is the sum of the first i.
std::vector<std::uint64_t> sums_before(
    const std::vector<std::uint32_t>& values) {
  std::vector<std::uint64_t> before{0};
  before.reserve(values.size() + 1);
  for (const std::uint32_t value : values) {
    before.push_back(before.back() + value);
  }
  return before;
}

}  // namespace

void BlockCorrelation::Numbers::resize(std::size_t count) {
  real.resize(count);
  imaginary.resize(count);
}

BlockCorrelation::BlockCorrelation(std::size_t bits) : bits_(bits) {
  if (bits < 64 || !std::has_single_bit(bits)) {
    throw std::invalid_argument(fmt::format(
        "bits of a block are {}, but must be a power of two of at least 64",
        bits));
  }
  rows_ = std::size_t{1} << (static_cast<unsigned>(std::countr_zero(bits)) / 2);
  columns_ = bits / rows_;
  room_.resize(rows_ * (columns_ + kGap));
  const auto roots = [](std::size_t count, Numbers& numbers) {
    numbers.resize(roots_for(count));
    fill_roots(count, numbers.real.data(), numbers.imaginary.data());
  };
  roots(rows_, row_roots_);
  roots(columns_, column_roots_);
  // Angles in parts of 4 * bits of the circle.
  const auto set = [bits](std::size_t angle, std::size_t i, Numbers& numbers) {
    const double turns =
        static_cast<double>(angle % (4 * bits)) / static_cast<double>(4 * bits);
    numbers.real[i] = std::cos(2 * std::numbers::pi * turns);
    numbers.imaginary[i] = std::sin(2 * std::numbers::pi * turns);
  };
  row_weights_.resize(rows_);
  factors_.resize(bits);
  for (std::size_t row = 0; row < rows_; ++row) {
    set(row * columns_, row, row_weights_);
    const std::size_t frequency = frequency_of_row(row, rows_);
    for (std::size_t c = 0; c < columns_; ++c) {
      set(c * (4 * bits + 1 - 4 * frequency), row * columns_ + c, factors_);
    }
  }
}

ComplexMatrix BlockCorrelation::room() {
  return {room_.real.data(), room_.imaginary.data(), rows_, columns_,
          columns_ + kGap};
}

ComplexMatrix BlockCorrelation::matrix_of(Spectrum& spectrum) const {
  return {spectrum.data(), spectrum.data() + size(), columns_, rows_,
          rows_ + kGap};
}

void BlockCorrelation::transform(const std::uint64_t* words,
                                 Spectrum& spectrum) {
  spectrum.resize(2 * size());
  expand_weighted(words, row_weights_.view(), room());
  transform_columns(room(), row_roots_.view());
  multiply_and_transpose(room(), factors_.view(), matrix_of(spectrum));
  transform_columns(matrix_of(spectrum), column_roots_.view());
}

void BlockCorrelation::add_pairs(std::span<const Pair> pairs, std::size_t begin,
                                 std::size_t count, Spectrum& sum) {
  const auto part = [&](const Spectrum& spectrum) -> ComplexNumbers {
    return {spectrum.data() + begin, spectrum.data() + size() + begin};
  };
  pairs_.clear();
  for (const auto& [earlier, later] : pairs) {
    pairs_.push_back({part(*earlier), part(*later)});
  }
  add_conjugate_products(pairs_, count, sum.data() + begin,
                         sum.data() + size() + begin);
}

std::vector<std::uint64_t> BlockCorrelation::counts(const Spectrum& sum) {
  copy_ = sum;
  restore_columns(matrix_of(copy_), column_roots_.view());
  transpose_and_restore(matrix_of(copy_), factors_.view(), room());
  restore_columns(room(), row_roots_.view());
  std::vector<std::uint64_t> counts(2 * bits_);
  const auto rounded = [this](double value) {
    const double count = value / static_cast<double>(bits_);
    return static_cast<std::uint64_t>(std::llround(std::max(count, 0.0)));
  };
  for (std::size_t row = 0; row < rows_; ++row) {
    const double weight = row_weights_.real[row];
    const double weight_i = row_weights_.imaginary[row];
    for (std::size_t c = 0; c < columns_; ++c) {
      const std::size_t at = row * (columns_ + kGap) + c;
      const double re = room_.real[at];
      const double im = room_.imaginary[at];
      const std::size_t shift = row * columns_ + c;
      counts[shift] = rounded(re * weight + im * weight_i);
      counts[bits_ + shift] = rounded(re * weight_i - im * weight);
    }
  }
  return counts;
}

namespace {

/// Blocks that are taken together, and frequencies at a time: what is summed
/// stays in the cache.
constexpr std::size_t kTogether = 16;
constexpr std::size_t kFrequencies = 1024;

}  // namespace

LagCounter::LagCounter(std::size_t block_bits, std::size_t blocks)
    : correlation_(block_bits),
      blocks_(blocks),
      sums_(blocks + 1, BlockCorrelation::Spectrum(2 * correlation_.size())) {}

void LagCounter::add(const std::uint64_t* words) {
  words_.insert(words_.end(), words, words + correlation_.bits() / 64);
  BlockCorrelation::Spectrum newest;
  if (recent_.size() == blocks_ + kTogether) {
    newest = std::move(recent_.back());
    recent_.pop_back();
  }
  correlation_.transform(words, newest);
  recent_.push_front(std::move(newest));
  if (++pending_ == kTogether) add_pending();
}

void LagCounter::add_pending() {
  const std::size_t size = correlation_.size();
  std::vector<BlockCorrelation::Pair> pairs;
  for (std::size_t begin = 0; begin < size; begin += kFrequencies) {
    const std::size_t count = std::min(kFrequencies, size - begin);
    for (std::size_t d = 0; d <= blocks_; ++d) {
      pairs.clear();
      for (std::size_t k = 0; k < pending_ && k + d < recent_.size(); ++k) {
        pairs.emplace_back(&recent_[k + d], &recent_[k]);
      }
      correlation_.add_pairs(pairs, begin, count, sums_[d]);
    }
  }
  pending_ = 0;
}

std::vector<stats::ShiftCounts> LagCounter::lags() {
  add_pending();
  const std::size_t bits = correlation_.bits();
  const std::size_t n = 64 * words_.size();
  // A lag of d blocks and s decisions pairs blocks at distance d, and at
  // distance d + 1 shifted back.
  std::vector<std::uint64_t> both(bits * blocks_);
  for (std::size_t d = 0; d <= blocks_; ++d) {
    const std::vector<std::uint64_t> counts = correlation_.counts(sums_[d]);
    for (std::size_t s = 0; s < bits; ++s) {
      if (d < blocks_) both[bits * d + s] += counts[s];
      if (d > 0 && s > 0) both[bits * d - s] += counts[2 * bits - s];
    }
  }
  std::uint64_t drops = 0;
  for (const std::uint64_t word : words_) {
    drops += static_cast<std::uint64_t>(std::popcount(word));
  }
  std::uint64_t earlier = drops;
  std::uint64_t later = drops;
  std::vector<stats::ShiftCounts> lags;
  lags.reserve(both.size());
  for (std::size_t lag = 1; lag < std::min(both.size(), n); ++lag) {
    earlier -= bit_at(words_.data(), n - lag) ? 1U : 0U;
    later -= bit_at(words_.data(), lag - 1) ? 1U : 0U;
    lags.push_back({n - lag, earlier, later, both[lag]});
  }
  return lags;
}

CrossCounter::CrossCounter(std::size_t block_bits)
    : correlation_(block_bits),
      earlier_drops_(block_bits),
      later_drops_(block_bits) {}

void CrossCounter::add(const std::uint64_t* earlier,
                       const std::uint64_t* later) {
  correlation_.transform(earlier, earlier_);
  correlation_.transform(later, later_);
  sum_.resize(earlier_.size());
  const BlockCorrelation::Pair pair{&earlier_, &later_};
  correlation_.add_pairs({&pair, 1}, 0, correlation_.size(), sum_);
  add_bits_to(earlier, earlier_drops_);
  add_bits_to(later, later_drops_);
  ++pairs_;
}

std::vector<stats::ShiftCounts> CrossCounter::shifts() {
  const std::size_t bits = correlation_.bits();
  if (sum_.empty()) return {};
  const std::vector<std::uint64_t> counts = correlation_.counts(sum_);
  std::vector<std::uint64_t> both(2 * bits - 1);
  for (std::size_t s = 0; s < bits; ++s) {
    both[bits - 1 + s] = counts[s];
    if (s > 0) both[bits - 1 - s] = counts[2 * bits - s];
  }
  std::vector<stats::ShiftCounts> shifts = stats::cross_shifts(
      sums_before(earlier_drops_), sums_before(later_drops_), both);
  for (stats::ShiftCounts& shift : shifts) shift.pairs *= pairs_;
  return shifts;
}

}  // namespace dropcheck::properties
