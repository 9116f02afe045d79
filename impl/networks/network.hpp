#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "dropcheck/impl/law.hpp"
#include "dropcheck/impl/simple_layer.hpp"
#include "dropcheck/impl/subject.hpp"
#include "networks/wiring.hpp"

namespace dropcheck::impl::networks {

/// What all networks share: drop layers with their seeds, joins and taps.
///
/// Shape   input (batch, sample of the law), output as the network has it.
/// Dtype   f32 or f64, the configuration's.
/// Law     every drop layer has a stream of its own, keyed by (seed, tap).
/// Draws   those of the drop layers, in the order of the taps.
/// Throws  NotSupported for another dtype, an option or backward; LayerError
///         for a rate outside [0, 1] at any place, or a wrong input.
class Network : public Layer {
 public:
  TensorView forward(const Call& call) final;
  TensorView backward(const TensorView& grad_output) final;
  void reseed(std::uint64_t seed) final;
  std::span<const Tap> taps() const final { return taps_; }

 protected:
  Network(const Law& law, const LayerConfig& config, Wiring wiring);

  /// One call. The result lives as long as the network.
  virtual const Tensor& pass(const Tensor& input, bool training) = 0;
  /// The network has been given another seed.
  virtual void begin(std::uint64_t seed);

  /// Room for branch(h) of a tap, of the tap's shape; to be filled before...
  Tensor& branch(std::size_t tap) { return points_[tap].branch; }
  /// ... what follows the tap is made of it, and of h where there is one.
  const Tensor& join(std::size_t tap, const Tensor* residual, bool training);

  const NetworkLaw& law() const { return network_; }
  const Wiring& wiring() const { return wiring_; }

 private:
  struct Point {
    std::unique_ptr<Layer> layer;
    double keep = 1;
    double scale = 1;  ///< on top of the layer's
    Tensor branch;
    Tensor scaled;
    Tensor output;
  };

  void make_point(const LayerConfig& config, std::size_t tap);
  void seed_layers();
  TensorView once(const TensorView& input, bool training);
  TensorView repeated(const Call& call);
  void take(const TensorView& input);
  TensorView dropped(Point& point, const Tensor& input, bool training);

  const Law& law_;
  NetworkLaw network_;
  DType dtype_;
  Wiring wiring_;
  std::uint64_t seed_ = 0;
  std::vector<Point> points_;
  std::vector<Tap> taps_;
  Tensor input_;
  detail::CallBuffers results_;
};

/// The network of a law. Throws as the constructor.
std::unique_ptr<Layer> make_network(const Law& law, const LayerConfig& config,
                                    Wiring wiring = {});

}  // namespace dropcheck::impl::networks
