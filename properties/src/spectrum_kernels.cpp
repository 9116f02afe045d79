// Compiled once per instruction set by Highway; the best one is chosen when
// the program runs.

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "spectrum_kernels.cpp"
#include "spectrum_kernels.hpp"

#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include <bit>
#include <cmath>
#include <numbers>

HWY_BEFORE_NAMESPACE();
namespace dropcheck::properties::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using Doubles = hn::CappedTag<double, 8>;
using Vector = hn::Vec<Doubles>;

/// One complex number in each lane.
struct Complex {
  Vector re;
  Vector im;
};

HWY_INLINE Complex plus(Complex a, Complex b) {
  return {hn::Add(a.re, b.re), hn::Add(a.im, b.im)};
}
HWY_INLINE Complex minus(Complex a, Complex b) {
  return {hn::Sub(a.re, b.re), hn::Sub(a.im, b.im)};
}
HWY_INLINE Complex times(Complex a, Complex b) {
  return {hn::Sub(hn::Mul(a.re, b.re), hn::Mul(a.im, b.im)),
          hn::Add(hn::Mul(a.re, b.im), hn::Mul(a.im, b.re))};
}
/// Times the conjugate of b.
HWY_INLINE Complex times_conjugate(Complex a, Complex b) {
  return {hn::Add(hn::Mul(a.re, b.re), hn::Mul(a.im, b.im)),
          hn::Sub(hn::Mul(a.im, b.re), hn::Mul(a.re, b.im))};
}
HWY_INLINE Complex times_i(Complex a) { return {hn::Neg(a.im), a.re}; }

/// As many columns of a matrix as a vector has lanes.
struct Strip {
  double* re;
  double* im;
  std::size_t stride;

  HWY_INLINE Complex load(std::size_t row) const {
    const Doubles d;
    return {hn::LoadU(d, re + row * stride), hn::LoadU(d, im + row * stride)};
  }
  HWY_INLINE void store(std::size_t row, Complex value) const {
    const Doubles d;
    hn::StoreU(value.re, d, re + row * stride);
    hn::StoreU(value.im, d, im + row * stride);
  }
};

HWY_INLINE Complex root_at(const ComplexNumbers& roots, std::size_t i) {
  const Doubles d;
  return {hn::Set(d, roots.real[i]), hn::Set(d, roots.imaginary[i])};
}

/// One number of each of four parts.
struct Four {
  Complex of[4];
};

/// `f(numbers, roots)` gives what four numbers become that are a quarter of
/// `size` rows apart; the root of the first of them is 1.
template <class F>
HWY_INLINE void for_each_four(const Strip& strip, std::size_t rows,
                              std::size_t size, const ComplexNumbers& roots,
                              const F& f) {
  const std::size_t quarter = size / 4;
  for (std::size_t j = 0; j < quarter; ++j) {
    const Complex w1 = root_at(roots, 3 * j);
    const Complex w2 = root_at(roots, 3 * j + 1);
    const Complex w3 = root_at(roots, 3 * j + 2);
    for (std::size_t at = j; at < rows; at += size) {
      const Four four =
          f(Four{{strip.load(at), strip.load(at + quarter),
                  strip.load(at + 2 * quarter), strip.load(at + 3 * quarter)}},
            w1, w2, w3);
      for (std::size_t k = 0; k < 4; ++k) {
        strip.store(at + k * quarter, four.of[k]);
      }
    }
  }
}

/// Four parts of `size` numbers become the transforms of those of every fourth
/// frequency.
HWY_INLINE void part_by_four(const Strip& strip, std::size_t rows,
                             std::size_t size, const ComplexNumbers& roots) {
  for_each_four(
      strip, rows, size, roots,
      [](const Four& x, Complex w1, Complex w2, Complex w3) HWY_ATTR {
        const Complex even = plus(x.of[0], x.of[2]);
        const Complex even_odd = minus(x.of[0], x.of[2]);
        const Complex odd = plus(x.of[1], x.of[3]);
        const Complex turned = times_i(minus(x.of[1], x.of[3]));
        return Four{{plus(even, odd), times(minus(even_odd, turned), w1),
                     times(minus(even, odd), w2),
                     times(plus(even_odd, turned), w3)}};
      });
}

/// Undoes part_by_four, but for a factor of 4.
HWY_INLINE void join_four(const Strip& strip, std::size_t rows,
                          std::size_t size, const ComplexNumbers& roots) {
  for_each_four(strip, rows, size, roots,
                [](const Four& y, Complex w1, Complex w2, Complex w3) HWY_ATTR {
                  const Complex y1 = times_conjugate(y.of[1], w1);
                  const Complex y2 = times_conjugate(y.of[2], w2);
                  const Complex y3 = times_conjugate(y.of[3], w3);
                  const Complex sum = plus(y.of[0], y2);
                  const Complex difference = minus(y.of[0], y2);
                  const Complex other = plus(y1, y3);
                  const Complex turned = times_i(minus(y1, y3));
                  return Four{{plus(sum, other), plus(difference, turned),
                               minus(sum, other), minus(difference, turned)}};
                });
}

/// Neighbours by two: the last pass where the number of rows is no power of 4,
/// and its own inverse.
HWY_INLINE void pair_neighbours(const Strip& strip, std::size_t rows) {
  for (std::size_t at = 0; at < rows; at += 2) {
    const Complex a = strip.load(at);
    const Complex b = strip.load(at + 1);
    strip.store(at, plus(a, b));
    strip.store(at + 1, minus(a, b));
  }
}

template <class F>
HWY_INLINE void for_each_strip(const ComplexMatrix& matrix, const F& f) {
  for (std::size_t c = 0; c < matrix.columns; c += hn::Lanes(Doubles())) {
    f(Strip{matrix.real + c, matrix.imaginary + c, matrix.stride});
  }
}

void transform_columns_of(const ComplexMatrix& matrix,
                          const ComplexNumbers& roots) {
  for_each_strip(matrix, [&](const Strip& strip) HWY_ATTR {
    std::size_t used = 0;
    std::size_t size = matrix.rows;
    for (; size >= 4; size /= 4) {
      part_by_four(strip, matrix.rows, size,
                   {roots.real + used, roots.imaginary + used});
      used += 3 * (size / 4);
    }
    if (size == 2) pair_neighbours(strip, matrix.rows);
  });
}

void restore_columns_of(const ComplexMatrix& matrix,
                        const ComplexNumbers& roots) {
  for_each_strip(matrix, [&](const Strip& strip) HWY_ATTR {
    std::size_t used = roots_for(matrix.rows);
    // Rows of a power of 2 that is none of 4.
    const bool odd = std::countr_zero(matrix.rows) % 2 == 1;
    std::size_t size = odd ? 8 : 4;
    if (odd) pair_neighbours(strip, matrix.rows);
    for (; size <= matrix.rows; size *= 4) {
      used -= 3 * (size / 4);
      join_four(strip, matrix.rows, size,
                {roots.real + used, roots.imaginary + used});
    }
  });
}

void expand_weighted_of(const std::uint64_t* bits,
                        const ComplexNumbers& weights,
                        const ComplexMatrix& matrix) {
  const Doubles d;
  for (std::size_t row = 0; row < matrix.rows; ++row) {
    const Complex weight = root_at(weights, row);
    for (std::size_t c = 0; c < matrix.columns; c += hn::Lanes(d)) {
      const std::size_t i = row * matrix.columns + c;
      const std::uint64_t word = bits[i / 64] >> (i % 64);
      const auto set =
          hn::LoadMaskBits(d, reinterpret_cast<const std::uint8_t*>(&word));
      double* const to = matrix.real + row * matrix.stride + c;
      double* const to_i = matrix.imaginary + row * matrix.stride + c;
      hn::StoreU(hn::IfThenElseZero(set, weight.re), d, to);
      hn::StoreU(hn::IfThenElseZero(set, weight.im), d, to_i);
    }
  }
}

/// Squares of the matrices that are transposed at a time.
constexpr std::size_t kSide = 8;

struct Square {
  HWY_ALIGN double re[kSide * kSide];
  HWY_ALIGN double im[kSide * kSide];
};

HWY_INLINE Complex load_factors(const ComplexNumbers& factors, std::size_t i) {
  const Doubles d;
  return {hn::LoadU(d, factors.real + i), hn::LoadU(d, factors.imaginary + i)};
}

HWY_INLINE Strip strip_of(const ComplexMatrix& matrix, std::size_t row,
                          std::size_t column) {
  const std::size_t at = row * matrix.stride + column;
  return {matrix.real + at, matrix.imaginary + at, matrix.stride};
}

void multiply_and_transpose_of(const ComplexMatrix& from,
                               const ComplexNumbers& factors,
                               const ComplexMatrix& to) {
  const Doubles d;
  Square square;
  for (std::size_t r = 0; r < from.rows; r += kSide) {
    for (std::size_t c = 0; c < from.columns; c += kSide) {
      const Strip strip = strip_of(from, r, c);
      for (std::size_t i = 0; i < kSide; ++i) {
        for (std::size_t j = 0; j < kSide; j += hn::Lanes(d)) {
          const Strip part{strip.re + j, strip.im + j, strip.stride};
          const Complex product =
              times(part.load(i),
                    load_factors(factors, (r + i) * from.columns + c + j));
          hn::StoreU(product.re, d, square.re + kSide * i + j);
          hn::StoreU(product.im, d, square.im + kSide * i + j);
        }
      }
      const Strip out = strip_of(to, c, r);
      for (std::size_t j = 0; j < kSide; ++j) {
        for (std::size_t i = 0; i < kSide; ++i) {
          out.re[j * out.stride + i] = square.re[kSide * i + j];
          out.im[j * out.stride + i] = square.im[kSide * i + j];
        }
      }
    }
  }
}

void transpose_and_restore_of(const ComplexMatrix& from,
                              const ComplexNumbers& factors,
                              const ComplexMatrix& to) {
  const Doubles d;
  Square square;
  for (std::size_t r = 0; r < to.rows; r += kSide) {
    for (std::size_t c = 0; c < to.columns; c += kSide) {
      const Strip in = strip_of(from, c, r);
      for (std::size_t j = 0; j < kSide; ++j) {
        for (std::size_t i = 0; i < kSide; ++i) {
          square.re[kSide * i + j] = in.re[j * in.stride + i];
          square.im[kSide * i + j] = in.im[j * in.stride + i];
        }
      }
      const Strip out = strip_of(to, r, c);
      for (std::size_t i = 0; i < kSide; ++i) {
        for (std::size_t j = 0; j < kSide; j += hn::Lanes(d)) {
          const Complex value{hn::LoadU(d, square.re + kSide * i + j),
                              hn::LoadU(d, square.im + kSide * i + j)};
          const Strip part{out.re + j, out.im + j, out.stride};
          part.store(i, times_conjugate(
                            value, load_factors(factors,
                                                (r + i) * to.columns + c + j)));
        }
      }
    }
  }
}

void add_conjugate_products_of(std::span<const SpectrumPair> pairs,
                               std::size_t count, double* sum_real,
                               double* sum_imaginary) {
  const Doubles d;
  std::size_t k = 0;
  for (; k + hn::Lanes(d) <= count; k += hn::Lanes(d)) {
    Complex sum{hn::LoadU(d, sum_real + k), hn::LoadU(d, sum_imaginary + k)};
    for (const SpectrumPair& pair : pairs) {
      sum = plus(sum, times_conjugate(load_factors(pair.later, k),
                                      load_factors(pair.earlier, k)));
    }
    hn::StoreU(sum.re, d, sum_real + k);
    hn::StoreU(sum.im, d, sum_imaginary + k);
  }
  for (; k < count; ++k) {
    for (const auto& [earlier, later] : pairs) {
      const double a = earlier.real[k];
      const double ai = earlier.imaginary[k];
      const double b = later.real[k];
      const double bi = later.imaginary[k];
      sum_real[k] += b * a + bi * ai;
      sum_imaginary[k] += bi * a - b * ai;
    }
  }
}

}  // namespace dropcheck::properties::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace dropcheck::properties {

HWY_EXPORT(transform_columns_of);
HWY_EXPORT(restore_columns_of);
HWY_EXPORT(expand_weighted_of);
HWY_EXPORT(multiply_and_transpose_of);
HWY_EXPORT(transpose_and_restore_of);
HWY_EXPORT(add_conjugate_products_of);

std::size_t roots_for(std::size_t rows) {
  std::size_t count = 0;
  for (std::size_t size = rows; size >= 4; size /= 4) count += 3 * (size / 4);
  return count;
}

void fill_roots(std::size_t rows, double* real, double* imaginary) {
  for (std::size_t size = rows; size >= 4; size /= 4) {
    for (std::size_t j = 0; j < size / 4; ++j) {
      for (std::size_t power = 1; power <= 3; ++power) {
        const double angle = -2 * std::numbers::pi *
                             static_cast<double>(power * j) /
                             static_cast<double>(size);
        *real++ = std::cos(angle);
        *imaginary++ = std::sin(angle);
      }
    }
  }
}

std::size_t frequency_of_row(std::size_t row, std::size_t rows) {
  std::size_t frequency = 0;
  std::size_t weight = 1;
  for (std::size_t size = rows; size >= 2;) {
    const std::size_t parts = size >= 4 ? 4 : 2;
    size /= parts;
    frequency += weight * (row / size);
    row %= size;
    weight *= parts;
  }
  return frequency;
}

void transform_columns(const ComplexMatrix& matrix,
                       const ComplexNumbers& roots) {
  HWY_DYNAMIC_DISPATCH(transform_columns_of)(matrix, roots);
}

void restore_columns(const ComplexMatrix& matrix, const ComplexNumbers& roots) {
  HWY_DYNAMIC_DISPATCH(restore_columns_of)(matrix, roots);
}

void expand_weighted(const std::uint64_t* bits, const ComplexNumbers& weights,
                     const ComplexMatrix& matrix) {
  HWY_DYNAMIC_DISPATCH(expand_weighted_of)(bits, weights, matrix);
}

void multiply_and_transpose(const ComplexMatrix& from,
                            const ComplexNumbers& factors,
                            const ComplexMatrix& to) {
  HWY_DYNAMIC_DISPATCH(multiply_and_transpose_of)(from, factors, to);
}

void transpose_and_restore(const ComplexMatrix& from,
                           const ComplexNumbers& factors,
                           const ComplexMatrix& to) {
  HWY_DYNAMIC_DISPATCH(transpose_and_restore_of)(from, factors, to);
}

void add_conjugate_products(std::span<const SpectrumPair> pairs,
                            std::size_t count, double* sum_real,
                            double* sum_imaginary) {
  HWY_DYNAMIC_DISPATCH(add_conjugate_products_of)
  (pairs, count, sum_real, sum_imaginary);
}

}  // namespace dropcheck::properties
#endif  // HWY_ONCE
