#include "torch_subject.hpp"

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <ATen/Parallel.h>
#include <ATen/core/grad_mode.h>
#include <torch/csrc/autograd/autograd.h>
#include <torch/version.h>

#include <cstring>
#include <mutex>

#include "dropcheck/impl/piecewise.hpp"
#include "dropcheck/impl/subject.hpp"
#include "torch_catalogue.hpp"
#include "torch_layers.hpp"

namespace dropcheck::impl::adapters {
namespace {

using at::Tensor;

at::ScalarType scalar_type(DType dtype) {
  switch (dtype) {
    case DType::kFloat64:
      return at::kDouble;
    case DType::kFloat32:
      return at::kFloat;
    case DType::kFloat16:
      return at::kHalf;
    case DType::kBFloat16:
      return at::kBFloat16;
  }
  throw AdapterError("unknown dtype");
}

DType dtype_of(const Tensor& tensor) {
  for (const DType dtype :
       {DType::kFloat64, DType::kFloat32, DType::kFloat16, DType::kBFloat16}) {
    if (scalar_type(dtype) == tensor.scalar_type()) return dtype;
  }
  throw LayerError(std::string("the result has dtype ") +
                   at::toString(tensor.scalar_type()));
}

/// A torch tensor on the memory of a view.
Tensor tensor_on(const TensorView& view) {
  return at::from_blob(view.data, view.shape, view.strides,
                       at::TensorOptions().dtype(scalar_type(view.dtype)));
}

TensorView view_on(const Tensor& tensor) {
  return {tensor.data_ptr(), dtype_of(tensor), tensor.sizes().vec(),
          tensor.strides().vec()};
}

/// libtorch's functions share one generator. Each layer keeps its own state
/// and puts it into the generator when another layer used it in between.
class OwnedState {
 public:
  OwnedState() {
    take();
    // A fresh process seeds the generator with a constant; two replicas must
    // not draw the same masks.
    generator().seed();
  }
  ~OwnedState() {
    if (owner_ == this) owner_ = nullptr;
  }
  OwnedState(const OwnedState&) = delete;
  OwnedState& operator=(const OwnedState&) = delete;

  void take() {
    if (owner_ == this) return;
    if (owner_ != nullptr) owner_->state_ = generator().get_state();
    if (state_.defined()) generator().set_state(state_);
    owner_ = this;
  }
  void seed(std::uint64_t value) {
    take();
    generator().set_current_seed(value);
  }

 private:
  static at::Generator& generator() {
    static at::Generator shared = at::detail::getDefaultCPUGenerator();
    return shared;
  }

  inline static OwnedState* owner_ = nullptr;
  Tensor state_;
};

/// Errors of libtorch become errors of the layer.
template <class Function>
auto as_layer_error(Function function) {
  try {
    return function();
  } catch (const NotSupported&) {
    throw;
  } catch (const LayerError&) {
    throw;
  } catch (const c10::Error& error) {
    throw LayerError(error.what_without_backtrace());
  } catch (const std::exception& error) {
    throw LayerError(error.what());
  }
}

class TorchLayer final : public Layer, public PiecewiseLayer {
 public:
  TorchLayer(std::string_view name, const LayerConfig& config)
      : function_(make_torch_function(name, config, mask_)),
        in_place_(config.in_place) {}

  TensorView forward(const Call& call) override {
    return as_layer_error([&] {
      random_.take();
      return call.repeat == 1 ? once(call) : repeated(call);
    });
  }

  /// Each result where libtorch wrote it, as one piece.
  bool forward_in_pieces(const Call& call, const TakePiece& take) override {
    if (in_place_ || !call.training) return false;
    as_layer_error([&] {
      random_.take();
      const at::NoGradGuard guard;
      no_graph_ = false;
      leaf_ = output_ = result_ = Tensor();
      const Tensor given = tensor_on(call.input);
      for (std::int64_t i = 0; i < call.repeat; ++i) {
        const Tensor output = function_(given, true).contiguous();
        if (output.sizes() != given.sizes() ||
            output.scalar_type() != given.scalar_type()) {
          throw LayerError("returns another shape or dtype than its input's");
        }
        take({output.data_ptr(), i, 0, output.numel()});
      }
    });
    return true;
  }

  TensorView backward(const TensorView& grad_output) override {
    return as_layer_error([&] {
      if (no_graph_) {
        throw NotSupported("in place on strided memory keeps no graph here");
      }
      if (!leaf_.defined()) throw LayerError("backward before forward");
      const auto gradients = torch::autograd::grad(
          {output_}, {leaf_}, {tensor_on(grad_output)}, /*retain_graph=*/true);
      gradient_ = gradients.at(0);
      return view_on(gradient_);
    });
  }

  std::span<const std::uint8_t> mask() override {
    if (!mask_->defined()) return Layer::mask();
    return as_layer_error([&] {
      *mask_ = mask_->contiguous().to(at::kByte);
      return std::span(mask_->data_ptr<std::uint8_t>(),
                       static_cast<std::size_t>(mask_->numel()));
    });
  }

  void reseed(std::uint64_t seed) override { random_.seed(seed); }

 private:
  // The function gets a copy of a leaf: in-place functions refuse leaves, and
  // the graph must survive what happens to the caller's memory afterwards.
  TensorView once(const Call& call) {
    no_graph_ = false;
    const Tensor given = tensor_on(call.input);
    if (!plain(call.input)) return as_it_lies(call, given);
    leaf_ = given.detach().clone().requires_grad_();
    Tensor input = leaf_.clone();
    const auto untouched = input._version();
    output_ = function_(input, call.training);
    if (input._version() != untouched) given.copy_(input.detach());
    result_ = output_.detach();
    return is_same(result_, input) ? call.input : view_on(result_);
  }

  static bool is_same(const Tensor& result, const Tensor& input) {
    return result.is_alias_of(input) && result.data_ptr() == input.data_ptr() &&
           result.sizes() == input.sizes();
  }

  /// Row-major, and aligned as libtorch's own memory is at least.
  static bool plain(const TensorView& view) {
    constexpr std::uintptr_t kAlignment = 16;
    return view.compact() &&
           reinterpret_cast<std::uintptr_t>(view.data) % kAlignment == 0;
  }

  // A copy would have other strides, no gaps and another address.
  TensorView as_it_lies(const Call& call, const Tensor& given) {
    no_graph_ = in_place_;
    leaf_ = given.detach().requires_grad_(!in_place_);
    output_ = in_place_ ? without_graph(leaf_, call.training)
                        : function_(leaf_, call.training);
    result_ = output_.detach();
    return is_same(result_, given) ? call.input : view_on(result_);
  }

  Tensor without_graph(const Tensor& input, bool training) {
    const at::NoGradGuard guard;
    return function_(input, training);
  }

  TensorView repeated(const Call& call) {
    const at::NoGradGuard guard;
    no_graph_ = false;
    leaf_ = output_ = Tensor();
    const Tensor given = tensor_on(call.input);
    for (std::int64_t i = 0; i < call.repeat; ++i) {
      const Tensor output =
          function_(in_place_ ? given.clone() : given, call.training);
      if (i == 0) make_room(output, call.repeat);
      put_into_stack(output, i);
    }
    return view_on(result_);
  }

  // The dispatcher takes a microsecond to find the same memcpy.
  void put_into_stack(const Tensor& output, std::int64_t index) {
    const bool same = output.is_contiguous() &&
                      output.scalar_type() == result_.scalar_type() &&
                      output.numel() * result_.size(0) == result_.numel();
    if (!same) {
      result_[index].copy_(output);
      return;
    }
    std::memcpy(static_cast<char*>(result_.data_ptr()) +
                    static_cast<std::size_t>(index) * output.nbytes(),
                output.data_ptr(), output.nbytes());
  }

  /// Keeps `result_` where it fits, so that no call allocates.
  void make_room(const Tensor& output, std::int64_t repeat) {
    std::vector<std::int64_t> shape = output.sizes().vec();
    shape.insert(shape.begin(), repeat);
    const bool fits = stack_.defined() && stack_.sizes() == shape &&
                      stack_.scalar_type() == output.scalar_type();
    if (!fits) stack_ = at::empty(shape, output.options());
    result_ = stack_;
  }

  OwnedState random_;
  MaskPlace mask_ = std::make_shared<Tensor>();
  TorchFunction function_;
  bool in_place_;
  bool no_graph_ = false;  // of the latest call
  Tensor leaf_;
  Tensor output_;
  Tensor result_;
  Tensor stack_;
  Tensor gradient_;
};

class TorchSubject final : public Subject {
 public:
  explicit TorchSubject(const TorchEntry& entry) : entry_(entry) {
    at::set_num_threads(1);
    description_.name = "torch:" + std::string(entry.name);
    description_.version = "libtorch " TORCH_VERSION;
    description_.dtypes = {DType::kFloat32, DType::kFloat64, DType::kBFloat16};
    description_.in_place = entry.in_place;
    description_.mask_output = entry.mask_output;
    description_.strides = Strides::kNonNegative;
    description_.generator = "mt19937 (torch CPU, no MKL)";
    if (entry.by_bernoulli && !at::hasMKL()) {
      description_.recipe = recipe_called("torch.bernoulli");
    }
  }

  const Description& describe() const override { return description_; }

  std::unique_ptr<Layer> make(const LayerConfig& config) override {
    return as_layer_error([&]() -> std::unique_ptr<Layer> {
      return std::make_unique<TorchLayer>(entry_.name, config);
    });
  }

 private:
  const TorchEntry& entry_;
  Description description_;
};

}  // namespace

std::vector<SubjectEntry> torch_in_process() {
  std::vector<SubjectEntry> entries;
  for (const TorchEntry& torch : kTorchEntries) {
    SubjectEntry entry;
    entry.name = torch.name;
    entry.layer = torch.layer;
    entry.summary = torch.summary;
    entry.options = options_of(torch);
    entry.open = [&torch] { return std::make_unique<TorchSubject>(torch); };
    entries.push_back(std::move(entry));
  }
  return entries;
}

}  // namespace dropcheck::impl::adapters
