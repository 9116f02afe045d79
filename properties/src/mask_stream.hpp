#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "bit_sequence.hpp"
#include "context.hpp"

namespace dropcheck::properties {

/// The oracle's input of one shape and how masks are read from what comes back:
/// what several layers of one configuration may share.
class StreamSource {
 public:
  /// For the configuration of `context` with another input shape and drop
  /// probability.
  /// `variation` gives other inputs.
  StreamSource(const Context& context, impl::Shape shape,
               double drop_probability, std::uint64_t variation = 0);
  /// ... with the drop probability of the configuration.
  StreamSource(const Context& context, impl::Shape shape);

  std::int64_t units() const { return units_.units(); }
  std::int64_t elements() const { return units_.elements(); }
  bool readable() const { return reader_->readable(); }
  /// What the mask multiplies in an element.
  double base(std::int64_t element) const {
    return reader_->base(static_cast<std::size_t>(element));
  }
  std::uint32_t unit_of(std::int64_t element) const {
    return units_.unit_of(element);
  }
  double drop_probability() const {
    return experiment_.config.drop_probability;
  }

 private:
  friend class MaskStream;

  const Context& context_;
  Experiment experiment_;
  Inputs inputs_;
  std::unique_ptr<MaskReader> reader_;
  UnitReader units_;
};

/// One layer that is called again and again: the drop bits of its units. Torn
/// units and wrong values are the business of other checks; a unit counts as
/// its first element does.
class MaskStream {
 public:
  explicit MaskStream(const StreamSource& source);
  /// ... by the layer of another one.
  MaskStream(const StreamSource& source, const MaskStream& other);

  /// Does nothing for a subject that cannot be reseeded.
  void reseed(std::uint64_t seed);

  /// Makes `calls` training calls and gives the mask of each, ceil(units / 64)
  /// words with zeros past the end, valid during the call of `take`.
  void draw(std::int64_t calls,
            const std::function<void(const std::uint64_t*)>& take);

  /// The masks of `calls` calls end to end.
  BitSequence next(std::int64_t calls);

 private:
  MaskStream(const StreamSource& source, std::shared_ptr<impl::Layer> layer);

  const StreamSource& source_;
  std::shared_ptr<impl::Layer> layer_;
  Caller caller_;
  std::vector<std::uint64_t> element_bits_;
  std::vector<std::uint64_t> unit_bits_;
};

}  // namespace dropcheck::properties
