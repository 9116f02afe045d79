// Compiled once per instruction set by Highway; the best one is chosen when
// the program runs.

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "spectrum_kernels.cpp"
#include "spectrum_kernels.hpp"

#include <hwy/foreach_target.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace dropcheck::properties::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using Doubles = hn::ScalableTag<double>;

/// Real parts in one vector, imaginary parts in the other.
template <class D>
HWY_INLINE void add_products(D d, const double* a, const double* b,
                             double* sum) {
  hn::Vec<D> a_real, a_imaginary, b_real, b_imaginary, real, imaginary;
  hn::LoadInterleaved2(d, a, a_real, a_imaginary);
  hn::LoadInterleaved2(d, b, b_real, b_imaginary);
  hn::LoadInterleaved2(d, sum, real, imaginary);
  real = hn::Add(real, hn::Add(hn::Mul(a_real, b_real),
                               hn::Mul(a_imaginary, b_imaginary)));
  imaginary = hn::Add(imaginary, hn::Sub(hn::Mul(a_real, b_imaginary),
                                         hn::Mul(a_imaginary, b_real)));
  hn::StoreInterleaved2(real, imaginary, d, sum);
}

void add_conjugate_products_of(const double* earlier, const double* later,
                               std::size_t count, double* sum) {
  const Doubles d;
  std::size_t k = 0;
  for (; k + hn::Lanes(d) <= count; k += hn::Lanes(d)) {
    add_products(d, earlier + 2 * k, later + 2 * k, sum + 2 * k);
  }
  for (; k < count; ++k) {
    const double* const a = earlier + 2 * k;
    const double* const b = later + 2 * k;
    sum[2 * k] += a[0] * b[0] + a[1] * b[1];
    sum[2 * k + 1] += a[0] * b[1] - a[1] * b[0];
  }
}

}  // namespace dropcheck::properties::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace dropcheck::properties {

HWY_EXPORT(add_conjugate_products_of);

void add_conjugate_products(const double* earlier, const double* later,
                            std::size_t count, double* sum) {
  HWY_DYNAMIC_DISPATCH(add_conjugate_products_of)(earlier, later, count, sum);
}

}  // namespace dropcheck::properties
#endif  // HWY_ONCE
