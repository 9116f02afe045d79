#include "mask_stream.hpp"

#include <algorithm>

#include "dropcheck/impl/random_stream.hpp"
#include "interruption.hpp"

namespace dropcheck::properties {
namespace {

/// 1 MiB of f32, as the statistical checks ask for.
constexpr std::int64_t kElementsPerRequest = std::int64_t{1} << 18;
/// Elements that the way of rounding is found from.
constexpr std::int64_t kCalibrationElements = std::int64_t{1} << 13;

Experiment changed(const Context& context, impl::Shape shape, double drop,
                   std::uint64_t variation) {
  Experiment experiment = context.experiment;
  if (variation != 0) {
    experiment.key = impl::keyed_word(experiment.key, variation);
  }
  experiment.shape = std::move(shape);
  experiment.config.drop_probability = drop;
  return experiment;
}

std::size_t words_for(std::int64_t bits) {
  return static_cast<std::size_t>((bits + 63) / 64);
}

}  // namespace

StreamSource::StreamSource(const Context& context, impl::Shape shape,
                           double drop_probability, std::uint64_t variation)
    : context_(context),
      experiment_(
          changed(context, std::move(shape), drop_probability, variation)),
      inputs_(make_inputs(context.subject(), experiment_)),
      units_(*experiment_.law, experiment_.config, inputs_.base.shape()) {
  const std::int64_t calls = std::clamp<std::int64_t>(
      kCalibrationElements / std::max<std::int64_t>(1, elements()), 4, 4096);
  reader_ = std::make_unique<MaskReader>(
      context.law(), experiment_.config, inputs_.base,
      draw_outputs(context.subject(), experiment_, inputs_.input,
                   stream_seed(experiment_, Stream::kStreamCalibration),
                   calls));
}

StreamSource::StreamSource(const Context& context, impl::Shape shape)
    : StreamSource(context, std::move(shape), context.p0()) {}

MaskStream::MaskStream(const StreamSource& source)
    : MaskStream(source,
                 source.context_.subject().make(source.experiment_.config)) {}

MaskStream::MaskStream(const StreamSource& source, const MaskStream& other)
    : MaskStream(source, other.layer_) {}

MaskStream::MaskStream(const StreamSource& source,
                       std::shared_ptr<impl::Layer> layer)
    : source_(source),
      layer_(std::move(layer)),
      caller_(*layer_, source.inputs_.input),
      element_bits_(words_for(source.elements()) + 1),
      unit_bits_(words_for(source.units()) + 1) {}

void MaskStream::reseed(std::uint64_t seed) {
  if (source_.context_.describe().reseed) layer_->reseed(seed);
}

void MaskStream::draw(std::int64_t calls,
                      const std::function<void(const std::uint64_t*)>& take) {
  const impl::Shape& shape = source_.inputs_.base.shape();
  const std::int64_t batch = std::max<std::int64_t>(
      1, kElementsPerRequest / std::max<std::int64_t>(1, source_.elements()));
  for (std::int64_t done = 0; done < calls; done += batch) {
    stop_if_interrupted(source_.context_);
    const std::int64_t repeat = std::min(batch, calls - done);
    const impl::TensorView result = caller_.stacked(shape, repeat);
    const std::size_t stride = static_cast<std::size_t>(source_.elements()) *
                               impl::size_of(result.dtype);
    const auto* values = static_cast<const std::byte*>(result.data);
    for (std::int64_t i = 0; i < repeat; ++i, values += stride) {
      std::uint64_t torn = 0;
      source_.reader_->read(values, element_bits_.data());
      source_.units_.read(element_bits_.data(), unit_bits_.data(), torn);
      take(unit_bits_.data());
    }
  }
}

BitSequence MaskStream::next(std::int64_t calls) {
  BitSequence masks;
  draw(calls, [&](const std::uint64_t* words) {
    masks.append(words, source_.units());
  });
  return masks;
}

}  // namespace dropcheck::properties
