#include "reference/gaussian_dropout.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <stdexcept>

#include "dropcheck/impl/probability.hpp"
#include "normals.hpp"

namespace dropcheck::impl::reference {

void fill_normal(RandomStream& stream, std::span<double> numbers) {
  constexpr std::size_t kTogether = 1024;
  std::array<std::uint64_t, kTogether> words;
  for (std::size_t done = 0; done < numbers.size();) {
    const auto left = numbers.subspan(done);
    const std::size_t count = std::min(kTogether, left.size() / 2 * 2);
    if (count == 0) {  // half of a pair
      std::array<double, 2> pair{};
      stream.fill({words.data(), 2});
      normals_of_words(words.data(), 1, pair.data());
      left[0] = pair[0];
      return;
    }
    stream.fill({words.data(), count});
    normals_of_words(words.data(), count / 2, left.data());
    done += count;
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
