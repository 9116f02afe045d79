#pragma once

#include <concepts>
#include <memory>
#include <stdexcept>
#include <type_traits>
#include <utility>
#include <vector>

#include "dropcheck/impl/registry.hpp"
#include "dropcheck/impl/simple_layer.hpp"

namespace dropcheck::impl {

/// Makes a layer from all that is known of it.
template <class F>
concept MakesByConfig = requires(const F& make, const LayerConfig& config) {
  { make(config) } -> InProcessLayer;
};

/// Makes a layer from its drop probability.
template <class F>
concept MakesByProbability = requires(const F& make, double drop) {
  { make(drop) } -> InProcessLayer;
};

/// A function that makes layers. It is called on several threads at once, also
/// for probabilities that a layer must refuse.
template <class F>
concept LayerFactory = std::copy_constructible<F> &&
    (MakesByConfig<F> || MakesByProbability<F>);

namespace detail {

template <LayerFactory Make>
auto make_layer(const Make& make, const LayerConfig& config) {
  if constexpr (MakesByConfig<Make>) {
    return make(config);
  } else {
    return make(config.drop_probability);
  }
}

Description describe_in_process(const SubjectEntry& entry,
                                std::vector<DType> dtypes);

}  // namespace detail

/// Completes `entry` (name, layer, and what it promises) by a way to open it:
/// layers made by `make` in this process, under guard. What the layers offer
/// beside `forward` is seen from their type; in place is offered where a
/// variant asks for it.
template <LayerFactory Make>
SubjectEntry in_process(SubjectEntry entry, Make make,
                        std::vector<DType> dtypes = {DType::kFloat32}) {
  using Made = std::remove_cvref_t<decltype(detail::make_layer(make, {}))>;
  Description description =
      detail::describe_in_process(entry, std::move(dtypes));
  description.reseed = ReseedableLayer<Made>;
  description.backward = DifferentiableLayer<Made>;
  description.clone = ClonableLayer<Made>;
  const auto wrapped = [make = std::move(make)](const LayerConfig& config) {
    return std::make_unique<SimpleLayer<Made>>(detail::make_layer(make, config),
                                               config.in_place);
  };
  entry.open = [description, wrapped]() -> std::unique_ptr<Subject> {
    return std::make_unique<InProcessSubject<decltype(wrapped)>>(description,
                                                                 wrapped);
  };
  entry.guard = true;
  return entry;
}

/// A factory of copies of one layer, which drops with probability `drop`; it
/// refuses other probabilities as not supported. A copy of a generator draws
/// the same masks, so the layer must take a seed.
template <InProcessLayer T>
requires std::copy_constructible<T> && ReseedableLayer<T>
auto copies_of(T layer, double drop) {
  return [layer = std::move(layer), drop](const LayerConfig& config) {
    if (config.drop_probability != drop) {
      throw NotSupported("one layer has one drop probability");
    }
    return layer;
  };
}

/// A factory by the constructor that takes a LayerConfig, or else the drop
/// probability.
template <InProcessLayer T>
requires std::constructible_from<T, const LayerConfig&> ||
    std::constructible_from<T, double>
auto factory_of() {
  if constexpr (std::constructible_from<T, const LayerConfig&>) {
    return [](const LayerConfig& config) { return T(config); };
  } else {
    return [](double drop) { return T(drop); };
  }
}

}  // namespace dropcheck::impl
