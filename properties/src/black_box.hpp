#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "dropcheck/impl/subject.hpp"
#include "sampler.hpp"

namespace dropcheck::properties {

/// Results of calls on one input, as numbers.
struct Responses {
  impl::Tensor input;
  impl::Shape shape;  ///< of one result
  std::int64_t calls = 0;
  std::vector<double> values;  ///< call after call

  std::int64_t size() const { return impl::element_count(shape); }
  std::span<const double> call(std::int64_t index) const {
    const auto n = static_cast<std::size_t>(size());
    return {values.data() + static_cast<std::size_t>(index) * n, n};
  }
};

/// A subject of which nothing is known but how to call it.
class BlackBox {
 public:
  BlackBox(impl::Subject& subject, impl::LayerConfig config, std::uint64_t seed)
      : subject_(subject), config_(std::move(config)), seed_(seed) {}

  const impl::LayerConfig& config() const { return config_; }
  bool reseeds() const { return subject_.describe().reseed; }
  std::unique_ptr<impl::Layer> make() { return subject_.make(config_); }

  /// A fresh seed for a layer; which one depends on the requests before.
  std::uint64_t next_seed();
  /// Values on which a mask can be read under any law: see `make_input`.
  impl::Tensor input(const impl::Shape& shape);

  /// Whether a call has written to its input, and whether it returned that.
  bool changes_input() const { return changes_input_; }
  bool works_in_place() const { return works_in_place_; }
  void note_memory(bool changed, bool in_place) {
    changes_input_ = changes_input_ || changed;
    works_in_place_ = works_in_place_ || in_place;
  }

  std::uint64_t calls() const { return calls_; }
  void count_calls(std::int64_t calls) {
    calls_ += static_cast<std::uint64_t>(calls);
  }

 private:
  impl::Subject& subject_;
  impl::LayerConfig config_;
  std::uint64_t seed_;
  std::uint64_t streams_ = 0;
  std::uint64_t calls_ = 0;
  bool changes_input_ = false;
  bool works_in_place_ = false;
};

/// One layer of a black box, called again and again on one input. The shape of
/// its results is learnt from the first call; whatever has another shape later
/// on, or another dtype than the input, is a LayerError.
class BoxedLayer {
 public:
  BoxedLayer(BlackBox& box, const impl::Tensor& input);

  /// Nothing where the subject cannot be reseeded.
  void reseed(std::uint64_t seed);

  /// Shape of one result. Makes a call if there was none.
  const impl::Shape& shape(bool training = true);

  /// Compact results, stacked on a new first axis.
  impl::TensorView stacked(std::int64_t repeat, bool training = true);

  /// Adds results of that many calls; with `seeds`, each after a reseed.
  void append(Responses& responses, std::int64_t calls, bool training = true,
              bool seeds = false);

 private:
  BlackBox& box_;
  const impl::Tensor& input_;
  std::unique_ptr<impl::Layer> layer_;
  Caller caller_;
  std::optional<impl::Shape> shape_;
};

/// Runs a step and returns why the layer refused it, in the layer's words, or
/// nothing. Passes on what is no answer of a layer: SubjectCrashed,
/// SubjectTimeout, AdapterError and a lack of memory.
std::optional<std::string> refusal_of(const std::function<void()>& step);

/// What evaluation returns, if it returns anything.
std::optional<Responses> evaluate_once(BlackBox& box,
                                       const impl::Tensor& input);

}  // namespace dropcheck::properties
