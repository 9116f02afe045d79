#pragma once

#include <cstddef>

namespace dropcheck::properties {

/// sum[k] += conjugate(earlier[k]) * later[k] for `count` complex numbers, each
/// its real part and then its imaginary part. Product by product and sum by
/// sum rounded as in the plain loop: the same bits on every processor.
void add_conjugate_products(const double* earlier, const double* later,
                            std::size_t count, double* sum);

}  // namespace dropcheck::properties
