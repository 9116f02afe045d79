#pragma once

#include <numeric>

namespace dropcheck::stats {

/// The last excluded value on the way from `outside`, a bound of the range, to
/// `inside`, a value not excluded: an endpoint that rounds outwards.
///
/// Values  `outside` itself where it is not excluded. `excluded` must be true
///         up to the endpoint and false from there to `inside`.
template <typename Excluded>
double outer_endpoint(double outside, double inside, const Excluded& excluded) {
  if (!excluded(outside)) return outside;
  for (int step = 0; step < 200; ++step) {
    const double middle = std::midpoint(outside, inside);
    if (middle == outside || middle == inside) break;
    (excluded(middle) ? outside : inside) = middle;
  }
  return outside;
}

}  // namespace dropcheck::stats
