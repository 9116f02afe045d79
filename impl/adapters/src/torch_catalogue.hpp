#pragma once

#include <array>
#include <string_view>

#include "dropcheck/impl/law.hpp"

namespace dropcheck::impl::adapters {

/// One function or module of libtorch. Host and worker share this list: the
/// host names the subjects even where no worker is built.
struct TorchEntry {
  std::string_view name;
  std::string_view layer;  ///< the law that it promises
  std::string_view summary;
  bool in_place = false;  ///< LayerConfig::in_place is understood
  bool can_be_unscaled = false;
  int spatial_axes = -1;  ///< of the law, where the module documents its own
  /// Other ranks than the law's get a result, as the Python page of Dropout2d
  /// says of deprecated ones.
  bool takes_any_rank = false;
  bool copies = false;  ///< evaluation returns a copy, not the input itself
  bool mask_output = false;  ///< returns its mask, too
  bool by_bernoulli = true;  ///< its mask is drawn by bernoulli_
};

/// What PyTorch's CPU path documents or shows
/// (aten/src/ATen/native/Dropout.cpp, _dropout_impl): input * noise with the
/// noise divided by keep in the input's dtype, and the input itself at
/// evaluation.
inline LawOptions options_of(const TorchEntry& entry) {
  LawOptions options;
  options.dropped_nonfinite = DroppedNonFinite::kNaN;
  options.dropped_zero = DroppedZero::kSigned;
  options.scale_rounding = ScaleRounding::kDType;
  if (!entry.copies) options.evaluation_return = EvaluationReturn::kAlias;
  options.rank_is_checked = !entry.takes_any_rank;
  return options;
}

inline constexpr std::array<TorchEntry, 15> kTorchEntries{{
    {"F.dropout", "dropout", "torch::dropout", true},
    {"F.dropout_", "dropout", "torch::dropout_, on a copy unless in place",
     true, false, -1, false, true},
    {"F.alpha_dropout", "alpha_dropout", "torch::alpha_dropout", true},
    {"F.feature_dropout", "dropout2d", "torch::feature_dropout on (N, C, H, W)",
     true, false, -1, true},
    {"F.feature_alpha_dropout", "feature_alpha_dropout",
     "torch::feature_alpha_dropout", true},
    {"F.native_dropout", "dropout", "at::native_dropout, mask included", false,
     false, -1, false, true, true},
    {"nn.Dropout", "dropout", "torch::nn::Dropout", true},
    {"nn.Dropout2d", "dropout2d",
     "torch::nn::Dropout2d; (C, H, W) is unbatched in C++", true, false, 2,
     true},
    {"nn.Dropout3d", "dropout3d", "torch::nn::Dropout3d", true, false, -1,
     true},
    {"nn.AlphaDropout", "alpha_dropout", "torch::nn::AlphaDropout", true},
    {"nn.FeatureAlphaDropout", "feature_alpha_dropout",
     "torch::nn::FeatureAlphaDropout", true},
    {"drop_path", "drop_path", "timm's drop_path, by bernoulli_", false, true},
    {"drop_path_floor", "drop_path",
     "the older drop_path, by floor(keep + rand)", false, false, -1, false,
     false, false, false},
    {"stochastic_depth", "stochastic_depth",
     "torchvision's stochastic_depth, mode batch"},
    {"scaled_dot_product_attention", "attention_dropout",
     "_scaled_dot_product_attention on scores, keys and values identity", false,
     false, -1, false, true},
}};

}  // namespace dropcheck::impl::adapters
