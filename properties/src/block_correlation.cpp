#include "block_correlation.hpp"

#include <fmt/format.h>

#include <bit>
#include <cmath>
#include <stdexcept>
#include <unsupported/Eigen/FFT>

#include "spectrum_kernels.hpp"

namespace dropcheck::properties {
namespace {

bool bit_at(const std::uint64_t* words, std::size_t index) {
  return ((words[index / 64] >> (index % 64)) & 1U) != 0;
}

void add_bits_to(const std::uint64_t* words,
                 std::vector<std::uint32_t>& counters) {
  for (std::size_t i = 0; i < counters.size(); ++i) {
    counters[i] += bit_at(words, i) ? 1U : 0U;
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

struct BlockCorrelation::Transform {
  Eigen::FFT<double> fft{Eigen::FFT<double>::impl_type(),
                         Eigen::FFT<double>::HalfSpectrum};
  std::vector<double> room;
};

BlockCorrelation::BlockCorrelation(std::size_t bits)
    : bits_(bits), transform_(std::make_unique<Transform>()) {
  if (bits < 64 || !std::has_single_bit(bits)) {
    throw std::invalid_argument(fmt::format(
        "bits of a block are {}, but must be a power of two of at least 64",
        bits));
  }
}
BlockCorrelation::~BlockCorrelation() = default;
BlockCorrelation::BlockCorrelation(BlockCorrelation&&) noexcept = default;
BlockCorrelation& BlockCorrelation::operator=(BlockCorrelation&&) noexcept =
    default;

/// As many zeros follow, so that nothing wraps around.
void BlockCorrelation::transform(const std::uint64_t* words,
                                 Spectrum& spectrum) {
  std::vector<double>& room = transform_->room;
  room.assign(2 * bits_, 0);
  for (std::size_t w = 0; w < bits_ / 64; ++w) {
    std::uint64_t word = words[w];
    while (word != 0) {
      room[64 * w + static_cast<std::size_t>(std::countr_zero(word))] = 1;
      word &= word - 1;
    }
  }
  spectrum.resize(bits_ + 1);
  transform_->fft.fwd(spectrum.data(), room.data(),
                      static_cast<Eigen::Index>(2 * bits_));
}

void BlockCorrelation::add_pair(std::span<const std::complex<double>> earlier,
                                std::span<const std::complex<double>> later,
                                std::span<std::complex<double>> sum) {
  // As arrays of doubles: a product of std::complex looks for infinities.
  add_conjugate_products(reinterpret_cast<const double*>(earlier.data()),
                         reinterpret_cast<const double*>(later.data()),
                         sum.size(), reinterpret_cast<double*>(sum.data()));
}

std::vector<std::uint64_t> BlockCorrelation::counts(const Spectrum& sum) {
  std::vector<double>& room = transform_->room;
  room.assign(2 * bits_, 0);
  transform_->fft.inv(room.data(), sum.data(),
                      static_cast<Eigen::Index>(2 * bits_));
  std::vector<std::uint64_t> counts(room.size());
  for (std::size_t i = 0; i < room.size(); ++i) {
    counts[i] =
        static_cast<std::uint64_t>(std::llround(std::max(room[i], 0.0)));
  }
  return counts;
}

namespace {

/// Blocks that are taken together, and frequencies at a time: what is summed
/// stays in the cache.
constexpr std::size_t kTogether = 8;
constexpr std::size_t kFrequencies = 2048;

}  // namespace

LagCounter::LagCounter(std::size_t block_bits, std::size_t blocks)
    : correlation_(block_bits),
      blocks_(blocks),
      sums_(blocks + 1, BlockCorrelation::Spectrum(block_bits + 1)) {}

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
  const std::size_t size = sums_.front().size();
  for (std::size_t begin = 0; begin < size; begin += kFrequencies) {
    const std::size_t count = std::min(kFrequencies, size - begin);
    const auto part = [&](BlockCorrelation::Spectrum& spectrum) {
      return std::span(spectrum).subspan(begin, count);
    };
    for (std::size_t d = 0; d <= blocks_; ++d) {
      for (std::size_t k = 0; k < pending_ && k + d < recent_.size(); ++k) {
        BlockCorrelation::add_pair(part(recent_[k + d]), part(recent_[k]),
                                   part(sums_[d]));
      }
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
  BlockCorrelation::add_pair(earlier_, later_, sum_);
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
