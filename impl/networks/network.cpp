#include "networks/network.hpp"

#include <fmt/format.h>

#include <stdexcept>
#include <utility>

#include "dropcheck/impl/random_stream.hpp"
#include "networks/matrix.hpp"
#include "reference/layers.hpp"

namespace dropcheck::impl::networks {
namespace {

Shape with_batch(std::int64_t batch, std::span<const std::int64_t> sample) {
  Shape shape{batch};
  shape.insert(shape.end(), sample.begin(), sample.end());
  return shape;
}

void require_plain(const Law& law, const LayerConfig& config) {
  const LayerConfig plain{.layer = config.layer,
                          .drop_probability = config.drop_probability,
                          .dtype = config.dtype,
                          .network = config.network};
  if (describe(config) != describe(plain)) {
    throw NotSupported(fmt::format("{} has no options, but is asked for {}",
                                   law.layer, describe(config)));
  }
  const bool known =
      config.dtype == DType::kFloat32 || config.dtype == DType::kFloat64;
  if (known) return;
  throw NotSupported(fmt::format("{} runs in f32 and f64, not in {}", law.layer,
                                 name_of(config.dtype)));
}

/// Calls `function` with a null pointer to the element type.
template <class Function>
void with_type(DType dtype, const Function& function) {
  if (dtype == DType::kFloat64) {
    function(static_cast<double*>(nullptr));
  } else {
    function(static_cast<float*>(nullptr));
  }
}

}  // namespace

Network::Network(const Law& law, const LayerConfig& config, Wiring wiring)
    : law_(law),
      network_(network_law(law, config)),
      dtype_(config.dtype),
      wiring_(std::move(wiring)),
      points_(network_.taps()),
      taps_(points_.size()) {
  require_plain(law, config);
  for (std::size_t tap = 0; tap < points_.size(); ++tap) {
    make_point(config, tap);
  }
  seed_layers();
}

void Network::make_point(const LayerConfig& config, std::size_t tap) {
  const NetworkLaw& network = network_;
  const std::size_t branches = network.branches.size();
  const Place place{network.block_of(tap), network.blocks,
                    static_cast<int>(tap % branches)};
  const double rate = config.drop_probability;
  LayerConfig here;
  here.dtype = config.dtype;
  here.layer =
      wiring_.drop_layer.empty() ? network.drop_layer : wiring_.drop_layer;
  here.drop_probability = wiring_.rate
                              ? wiring_.rate(rate, place)
                              : scheduled_rate(network, rate, place.block);
  here.scale_by_keep = !wiring_.scale;
  Point& point = points_[tap];
  try {
    point.layer = reference::make_layer(here);
  } catch (const std::domain_error& error) {
    throw LayerError(fmt::format("block {} of {}, from 0: {}", place.block,
                                 place.blocks, error.what()));
  }
  point.keep = 1 - here.drop_probability;
  if (wiring_.scale) {
    point.scale = wiring_.scale(rate, here.drop_probability);
  }
}

void Network::seed_layers() {
  for (std::size_t tap = 0; tap < points_.size(); ++tap) {
    std::uint64_t number = tap;
    if (wiring_.seeds == Seeds::kOneForAll) number = 0;
    if (wiring_.seeds == Seeds::kOneForABlock) {
      number = static_cast<std::uint64_t>(network_.block_of(tap));
    }
    points_[tap].layer->reseed(keyed_word(seed_, 1, number));
  }
}

void Network::reseed(std::uint64_t seed) {
  seed_ = seed;
  seed_layers();
  begin(seed);
}

void Network::begin(std::uint64_t) {}

TensorView Network::forward(const Call& call) {
  try {
    return call.repeat == 1 ? once(call.input, call.training) : repeated(call);
  } catch (const LayerError&) {
    throw;
  } catch (const std::bad_alloc&) {
    throw;  // Out of memory is no refusal of the network.
  } catch (const std::exception& error) {
    throw LayerError(error.what());
  }
}

TensorView Network::backward(const TensorView&) {
  throw NotSupported(fmt::format("{} has no backward pass", law_.layer));
}

TensorView Network::once(const TensorView& input, bool training) {
  take(input);
  if (training && wiring_.seeds == Seeds::kEveryCallAgain) seed_layers();
  return std::as_const(pass(input_, training)).view();
}

TensorView Network::repeated(const Call& call) {
  TensorView stacked;
  for (std::int64_t i = 0; i < call.repeat; ++i) {
    const TensorView result = once(call.input, call.training);
    if (i == 0) {
      stacked = results_.results(result.shape, dtype_, call.repeat);
    }
    copy(result, detail::slice(stacked, result.shape, i));
  }
  return stacked;
}

void Network::take(const TensorView& input) {
  const std::int64_t batch = input.shape.empty() ? 0 : input.shape[0];
  if (input.dtype != dtype_ ||
      input.shape != with_batch(batch, network_.sample)) {
    throw std::invalid_argument(fmt::format(
        "{} takes {} of shape (batch, {}), but got {} {}", law_.layer,
        name_of(dtype_), fmt::join(network_.sample, ", "), name_of(input.dtype),
        to_string(input.shape)));
  }
  if (input_.shape() != input.shape || input_.dtype() != dtype_) {
    input_ = Tensor(dtype_, input.shape);
    const Shape shape = with_batch(batch, network_.tap);
    for (Point& point : points_) {
      point.branch = Tensor(dtype_, shape);
      point.scaled = Tensor(dtype_, shape);
      point.output = Tensor(dtype_, shape);
    }
  }
  copy(input, input_.view());
}

TensorView Network::dropped(Point& point, const Tensor& input, bool training) {
  const bool masked = training || wiring_.evaluation == AtEvaluation::kDrops;
  const TensorView result =
      point.layer->forward({.input = input.view(), .training = masked});
  double factor = masked ? point.scale : 1;
  if (!training && wiring_.evaluation == AtEvaluation::kScaledByKeep) {
    factor = point.keep;
  }
  if (factor == 1) return result;
  with_type(dtype_, [&](auto* type) {
    using T = std::remove_pointer_t<decltype(type)>;
    vector<T>(point.scaled.view()) = static_cast<T>(factor) * vector<T>(result);
  });
  return point.scaled.view();
}

const Tensor& Network::join(std::size_t tap, const Tensor* residual,
                            bool training) {
  Point& point = points_[tap];
  with_type(dtype_, [&](auto* type) {
    using T = std::remove_pointer_t<decltype(type)>;
    auto output = vector<T>(point.output.view());
    const auto branch = vector<T>(point.branch.view());
    if (residual == nullptr) {
      output = vector<T>(dropped(point, point.branch, training));
    } else if (wiring_.join == Join::kRight) {
      output = vector<T>(residual->view()) +
               vector<T>(dropped(point, point.branch, training));
    } else if (wiring_.join == Join::kSwapped) {
      output = branch + vector<T>(dropped(point, *residual, training));
    } else {
      output = vector<T>(residual->view()) + branch;
      output = vector<T>(dropped(point, point.output, training));
    }
  });
  taps_[tap] = {residual == nullptr ? TensorView{} : residual->view(),
                std::as_const(point.branch).view(),
                std::as_const(point.output).view()};
  return point.output;
}

}  // namespace dropcheck::impl::networks
