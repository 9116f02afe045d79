#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace dropcheck::properties {

// The same bits on every processor: each product and each sum is rounded as in
// a plain loop, and none depends on the width of a vector.

/// A matrix of complex numbers, by rows that begin `stride` numbers apart:
/// real and imaginary parts in memory of their own. A whole number of eight
/// columns.
struct ComplexMatrix {
  double* real = nullptr;
  double* imaginary = nullptr;
  std::size_t rows = 0;
  std::size_t columns = 0;
  std::size_t stride = 0;
};

/// Complex numbers that are read.
struct ComplexNumbers {
  const double* real = nullptr;
  const double* imaginary = nullptr;
};

/// The roots of unity that transforms of columns of `rows` numbers need, a
/// power of two.
std::size_t roots_for(std::size_t rows);
void fill_roots(std::size_t rows, double* real, double* imaginary);

/// Transforms every column. The frequencies stand in an order of their own.
void transform_columns(const ComplexMatrix& matrix,
                       const ComplexNumbers& roots);

/// What transform_columns undoes, times the number of rows.
void restore_columns(const ComplexMatrix& matrix, const ComplexNumbers& roots);

/// The frequency that transform_columns leaves in a row.
std::size_t frequency_of_row(std::size_t row, std::size_t rows);

/// Number i, row-major, becomes that of its row in `weights` where bit i is
/// set, and 0 elsewhere.
void expand_weighted(const std::uint64_t* bits, const ComplexNumbers& weights,
                     const ComplexMatrix& matrix);

/// to = transposed(from times factors), and back: to = transposed(from) times
/// the conjugate factors. Factors are those of the matrix that is not
/// transposed, by rows without gaps; it has a whole number of eight rows.
void multiply_and_transpose(const ComplexMatrix& from,
                            const ComplexNumbers& factors,
                            const ComplexMatrix& to);
void transpose_and_restore(const ComplexMatrix& from,
                           const ComplexNumbers& factors,
                           const ComplexMatrix& to);

/// sum[k] += conjugate(earlier[k]) * later[k] for `count` numbers, pair of
/// spectra by pair.
struct SpectrumPair {
  ComplexNumbers earlier;
  ComplexNumbers later;
};
void add_conjugate_products(std::span<const SpectrumPair> pairs,
                            std::size_t count, double* sum_real,
                            double* sum_imaginary);

}  // namespace dropcheck::properties
