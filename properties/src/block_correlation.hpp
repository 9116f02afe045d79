#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <span>
#include <utility>
#include <vector>

#include "dropcheck/stats/shift_counts.hpp"
#include "spectrum_kernels.hpp"

namespace dropcheck::properties {

/// Joint counts of blocks of decisions at every shift, by Fourier transforms in
/// double. Counts are integers below 2^40, where the rounding error is below
/// 1e-3: rounded they are exact.
///
/// A block of n decisions is a polynomial, taken at the n numbers t with
/// t^n = i. There the product of one with the conjugate of another holds the
/// counts of shifts of either sign: in real and in imaginary parts.
class BlockCorrelation {
 public:
  /// Real parts, then as many imaginary ones, in an order of their own.
  using Spectrum = std::vector<double>;

  /// `bits` decisions a block, a power of two of at least 64. Throws
  /// std::invalid_argument otherwise.
  explicit BlockCorrelation(std::size_t bits);

  std::size_t bits() const { return bits_; }
  /// Complex numbers of a spectrum.
  std::size_t size() const { return columns_ * (rows_ + kGap); }

  void transform(const std::uint64_t* words, Spectrum& spectrum);

  /// Adds what `counts` needs of pairs of blocks, earlier and later: `count`
  /// numbers of their spectra from `begin` on.
  using Pair = std::pair<const Spectrum*, const Spectrum*>;
  void add_pairs(std::span<const Pair> pairs, std::size_t begin,
                 std::size_t count, Spectrum& sum);

  /// At s and at 2 * bits() - s: over all pairs added, the number of i with a
  /// drop at i of the earlier block and at i + s, and i - s, of the later one.
  std::vector<std::uint64_t> counts(const Spectrum& sum);

 private:
  struct Numbers {
    std::vector<double> real;
    std::vector<double> imaginary;
    void resize(std::size_t count);
    ComplexNumbers view() const { return {real.data(), imaginary.data()}; }
  };

  /// Between rows: columns of a power of two would share lines of the cache.
  static constexpr std::size_t kGap = 8;

  ComplexMatrix room();
  ComplexMatrix matrix_of(Spectrum& spectrum) const;

  std::size_t bits_;
  // The block as a matrix: decision i stands in row i / columns_.
  std::size_t rows_;
  std::size_t columns_;
  Numbers row_roots_;
  Numbers column_roots_;
  Numbers row_weights_;  ///< exp(i pi n / (2 bits)) of the first of each row
  Numbers factors_;      ///< between the transforms of columns and of rows
  Numbers room_;
  Spectrum copy_;
  std::vector<SpectrumPair> pairs_;  // of a call of add_pairs
};

/// Counts of one sequence against itself at every lag up to some number of
/// blocks. Only as many blocks as that are held.
class LagCounter {
 public:
  LagCounter(std::size_t block_bits, std::size_t blocks);

  std::size_t block_bits() const { return correlation_.bits(); }

  /// The next block of the sequence, which must not end before the longest lag.
  void add(const std::uint64_t* words);

  /// Entry k is lag k + 1; the last lag is blocks * block_bits - 1.
  std::vector<stats::ShiftCounts> lags();

 private:
  void add_pending();

  BlockCorrelation correlation_;
  std::size_t blocks_;
  std::deque<BlockCorrelation::Spectrum> recent_;  ///< newest first
  std::size_t pending_ = 0;  ///< of them that are not in the sums yet
  /// For blocks at distance 0, 1, ...
  std::vector<BlockCorrelation::Spectrum> sums_;
  std::vector<std::uint64_t> words_;  ///< of the whole sequence
};

/// Counts of pairs of blocks from two streams at every shift, added over the
/// pairs.
class CrossCounter {
 public:
  explicit CrossCounter(std::size_t block_bits);

  std::size_t block_bits() const { return correlation_.bits(); }

  void add(const std::uint64_t* earlier, const std::uint64_t* later);

  /// Entry k is shift k - (block_bits - 1) of the later block.
  std::vector<stats::ShiftCounts> shifts();

 private:
  BlockCorrelation correlation_;
  BlockCorrelation::Spectrum earlier_;
  BlockCorrelation::Spectrum later_;
  BlockCorrelation::Spectrum sum_;
  std::uint64_t pairs_ = 0;
  std::vector<std::uint32_t> earlier_drops_;  ///< by position
  std::vector<std::uint32_t> later_drops_;
};

}  // namespace dropcheck::properties
