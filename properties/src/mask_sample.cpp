#include "mask_sample.hpp"

#include <algorithm>
#include <exception>
#include <numeric>
#include <stdexcept>

#include "mask_stream.hpp"

namespace dropcheck::properties {

double MaskSample::rate() const {
  if (drops.empty()) return 0;
  return static_cast<double>(
             std::accumulate(drops.begin(), drops.end(), std::int64_t{0})) /
         static_cast<double>(drops.size());
}

MaskSample sample_masks(const Context& context) {
  constexpr std::int64_t kDecisions = std::int64_t{1} << 19;
  if (!context.lease) throw std::runtime_error("no subject to draw from");
  const StreamSource source(context, context.plan.shape);
  MaskStream stream(source);
  stream.reseed(stream_seed(context.experiment, Stream::kDiagnosis));
  MaskSample sample;
  sample.units = source.units();
  sample.calls = std::clamp<std::int64_t>(
      kDecisions / std::max<std::int64_t>(source.elements(), 1), 64, 2048);
  sample.grid = impl::unit_shape(context.law(), context.config(),
                                 context.inputs.base.shape());
  sample.drops.reserve(static_cast<std::size_t>(sample.calls * sample.units));
  stream.draw(sample.calls, [&](const std::uint64_t* mask) {
    for (std::int64_t unit = 0; unit < sample.units; ++unit) {
      sample.drops.push_back(mask[unit / 64] >> (unit % 64) & 1U);
    }
  });
  return sample;
}

void add_cause(Finding& finding,
               const std::function<std::optional<std::string>()>& cause) {
  try {
    if (const auto words = cause()) finding.sentence += ": " + *words;
  } catch (const std::exception&) {
    // The finding stands without it.
  }
}

}  // namespace dropcheck::properties
