#include "torch_layers.hpp"

#include <torch/nn/modules/dropout.h>
#include <torch/torch.h>

#include <cmath>
#include <map>
#include <tuple>

#include "dropcheck/impl/subject.hpp"
#include "torch_catalogue.hpp"

namespace dropcheck::impl::adapters {
namespace {

using at::Tensor;

/// torch::dropout and its kin: one function, and one that works in place.
template <auto kPlain, auto kInPlace>
TorchFunction functional(const LayerConfig& config) {
  return [p = config.drop_probability, in_place = config.in_place](
             Tensor input, bool training) {
    return in_place ? kInPlace(input, p, training) : kPlain(input, p, training);
  };
}

Tensor dropout_of_a_copy(const Tensor& input, double p, bool training) {
  Tensor copy = input.clone();
  return torch::dropout_(copy, p, training);
}

TorchFunction native_dropout(const LayerConfig& config, const MaskPlace& mask) {
  return
      [p = config.drop_probability, mask](const Tensor& input, bool training) {
        const auto [output, kept] = torch::native_dropout(input, p, training);
        if (mask) *mask = kept;
        return output;
      };
}

template <class Module>
TorchFunction module(const LayerConfig& config) {
  Module layer(torch::nn::DropoutOptions()
                   .p(config.drop_probability)
                   .inplace(config.in_place));
  return [layer](Tensor input, bool training) mutable {
    layer->train(training);
    return layer->forward(std::move(input));
  };
}

std::vector<std::int64_t> one_per_sample(const Tensor& input) {
  // A scalar has no axis 0: timm's x.shape[0] raises.
  std::vector<std::int64_t> shape{input.size(0)};
  shape.resize(static_cast<std::size_t>(input.dim()), 1);
  return shape;
}

// pytorch-image-models, timm/layers/drop.py, drop_path.
TorchFunction drop_path(const LayerConfig& config) {
  return [p = config.drop_probability, scale = config.scale_by_keep](
             Tensor input, bool training) {
    if (p == 0 || !training) return input;
    const double keep = 1 - p;
    Tensor mask = input.new_empty(one_per_sample(input)).bernoulli_(keep);
    if (keep > 0 && scale) mask.div_(keep);
    return input * mask;
  };
}

// The form of earlier timm and of many copies:
// random = keep + rand(shape); random.floor_(); x.div(keep) * random.
TorchFunction drop_path_floor(const LayerConfig& config) {
  return [p = config.drop_probability](Tensor input, bool training) {
    if (p == 0 || !training) return input;
    const double keep = 1 - p;
    Tensor random = keep + torch::rand(one_per_sample(input), input.options());
    random.floor_();
    return input.div(keep) * random;
  };
}

// torchvision/ops/stochastic_depth.py with mode "batch". NaN passes its check.
TorchFunction stochastic_depth(const LayerConfig& config) {
  return [p = config.drop_probability](Tensor input, bool training) {
    TORCH_CHECK_VALUE(!(p < 0 || p > 1),
                      "drop probability has to be between 0 and 1, but got ",
                      p);
    if (!training || p == 0) return input;
    const double survival = 1 - p;
    const std::vector<std::int64_t> shape(static_cast<std::size_t>(input.dim()),
                                          1);
    Tensor noise = torch::empty(shape, input.options()).bernoulli_(survival);
    if (survival > 0) noise.div_(survival);
    return input * noise;
  };
}

/// torch::eye lacks the 16-bit types; 0 and 1 are exact in all of them.
Tensor identity_matrix(std::int64_t size, const Tensor& like) {
  const auto options = like.options().requires_grad(false);
  return torch::eye(size, options.dtype(torch::kFloat)).to(options);
}

// softmax(Q K^T / sqrt(d)) V with K = V = identity and Q = sqrt(d) * scores
// is softmax(scores), dropped. The input is (..., queries, keys).
TorchFunction attention(const LayerConfig& config) {
  return [p = config.drop_probability](const Tensor& scores, bool training) {
    TORCH_CHECK(scores.dim() >= 2, "scores need at least 2 dimensions");
    const std::int64_t keys = scores.size(-1);
    std::vector<std::int64_t> shape = scores.sizes().vec();
    shape[shape.size() - 2] = keys;
    const Tensor identity = identity_matrix(keys, scores).expand(shape);
    const Tensor query = scores * std::sqrt(static_cast<double>(keys));
    const double dropped = training ? p : 0;
    return std::get<0>(torch::_scaled_dot_product_attention(
        query, identity, identity, {}, dropped, false, false));
  };
}

using Maker = TorchFunction (*)(const LayerConfig&);

const std::map<std::string_view, Maker> kMakers = {
    {"F.dropout", functional<torch::dropout, torch::dropout_>},
    {"F.dropout_", functional<dropout_of_a_copy, torch::dropout_>},
    {"F.alpha_dropout",
     functional<torch::alpha_dropout, torch::alpha_dropout_>},
    {"F.feature_dropout",
     functional<torch::feature_dropout, torch::feature_dropout_>},
    {"F.feature_alpha_dropout",
     functional<torch::feature_alpha_dropout, torch::feature_alpha_dropout_>},
    {"nn.Dropout", module<torch::nn::Dropout>},
    {"nn.Dropout2d", module<torch::nn::Dropout2d>},
    {"nn.Dropout3d", module<torch::nn::Dropout3d>},
    {"nn.AlphaDropout", module<torch::nn::AlphaDropout>},
    {"nn.FeatureAlphaDropout", module<torch::nn::FeatureAlphaDropout>},
    {"drop_path", drop_path},
    {"drop_path_floor", drop_path_floor},
    {"stochastic_depth", stochastic_depth},
    {"scaled_dot_product_attention", attention},
};

void require_options(std::string_view name, const LayerConfig& config) {
  for (const TorchEntry& entry : kTorchEntries) {
    if (entry.name != name) continue;
    const bool fits = (!config.in_place || entry.in_place) &&
                      (config.scale_by_keep || entry.can_be_unscaled) &&
                      !config.channels_last && config.shared_axes.empty() &&
                      config.samples == 0;
    if (!fits) throw NotSupported("libtorch has no such option here");
  }
}

}  // namespace

TorchFunction make_torch_function(std::string_view name,
                                  const LayerConfig& config,
                                  const MaskPlace& mask) {
  require_options(name, config);
  if (name == "F.native_dropout") return native_dropout(config, mask);
  return kMakers.at(name)(config);
}

}  // namespace dropcheck::impl::adapters
