#include "reference/gaussian_dropout.hpp"

#include <fmt/format.h>

#include <Random123/boxmuller.hpp>
#include <cmath>
#include <stdexcept>

#include "dropcheck/impl/probability.hpp"

namespace dropcheck::impl::reference {

void fill_normal(RandomStream& stream, std::span<double> numbers) {
  for (std::size_t i = 0; i < numbers.size(); i += 2) {
    const std::uint64_t angle = stream.next();
    const std::uint64_t radius = stream.next();
    const r123::double2 pair = r123::boxmuller(angle, radius);
    numbers[i] = pair.x;
    if (i + 1 < numbers.size()) numbers[i + 1] = pair.y;
  }
}

NoiseRule gaussian_dropout(const LayerConfig& config) {
  const auto probability = Probability::from_drop(config.drop_probability);
  if (probability.keep() == 0) {
    throw std::domain_error(
        "drop probability is 1, but gaussian dropout needs less: its variance "
        "drop / keep has no bound there");
  }
  const double deviation = std::sqrt(probability.drop() / probability.keep());
  return {.draw =
              [deviation](RandomStream& stream, std::span<double> factors) {
                fill_normal(stream, factors);
                for (double& factor : factors) factor = 1 + deviation * factor;
              },
          .combine = [](double x, double factor) { return x * factor; }};
}

}  // namespace dropcheck::impl::reference
