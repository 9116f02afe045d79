#include <array>

#include "dropcheck/impl/law.hpp"

namespace dropcheck::impl {
namespace {

constexpr std::array<Law, 17> kLaws{{
    {.layer = "dropout",
     .summary = "Drops elements and multiplies the others by 1/keep.",
     .source = "Srivastava et al. 2014, JMLR 15; torch.nn.Dropout",
     .has_in_place = true},
    {.layer = "dropout1d",
     .summary = "Drops whole channels of (N, C, L) or (C, L).",
     .source = "Tompson et al. 2015, arXiv:1411.4280; torch.nn.Dropout1d",
     .unit = Unit::kChannel,
     .spatial_axes = 1,
     .minimum_rank = 2,
     .maximum_rank = 3,
     .has_in_place = true},
    // Rank 3 is documented as (N, C, L), not as an unbatched (C, H, W): any
    // number of spatial axes, always batched.
    {.layer = "dropout2d",
     .summary = "Drops whole channels of (N, C, H, W) or (N, C, L).",
     .source = "Tompson et al. 2015, arXiv:1411.4280; torch.nn.Dropout2d",
     .unit = Unit::kChannel,
     .minimum_rank = 3,
     .maximum_rank = 4,
     .has_in_place = true},
    {.layer = "dropout3d",
     .summary = "Drops whole channels of (N, C, D, H, W) or (C, D, H, W).",
     .source = "Tompson et al. 2015, arXiv:1411.4280; torch.nn.Dropout3d",
     .unit = Unit::kChannel,
     .spatial_axes = 3,
     .minimum_rank = 4,
     .maximum_rank = 5,
     .has_in_place = true},
    {.layer = "alpha_dropout",
     .summary = "Sets elements to SELU's saturation value and restores mean 0 "
                "and variance 1.",
     .source = "Klambauer et al. 2017, arXiv:1706.02515; torch.nn.AlphaDropout",
     .scaling = Scaling::kSelu,
     .has_in_place = true},
    {.layer = "feature_alpha_dropout",
     .summary = "Alpha dropout of whole channels of (N, C, ...).",
     .source = "Klambauer et al. 2017, arXiv:1706.02515; "
               "torch.nn.FeatureAlphaDropout",
     .unit = Unit::kChannel,
     .scaling = Scaling::kSelu,
     .minimum_rank = 2},
    {.layer = "drop_path",
     .summary = "Drops the whole residual branch of a sample.",
     .source = "Huang et al. 2016, arXiv:1603.09382; timm.layers.DropPath",
     .unit = Unit::kSample,
     .minimum_rank = 1},
    {.layer = "stochastic_depth",
     .summary = "Drops the residual branch of the whole batch at once.",
     .source = "Huang et al. 2016, arXiv:1603.09382; "
               "torchvision.ops.StochasticDepth, mode batch",
     .unit = Unit::kTensor},
    {.layer = "broadcast_dropout",
     .summary = "Dropout whose decisions are shared along chosen axes.",
     .source = "flax.linen.Dropout broadcast_dims; keras noise_shape",
     .unit = Unit::kSharedAxes},
    {.layer = "attention_dropout",
     .summary = "Drops attention weights after the softmax over keys.",
     .source = "Vaswani et al. 2017, arXiv:1706.03762; "
               "scaled_dot_product_attention dropout_p",
     .base = Base::kEvaluation,
     .minimum_rank = 2},
    {.layer = "drop_connect",
     .summary = "Drops weights, for each sample anew where samples is given.",
     .source = "Wan et al. 2013, ICML, PMLR 28(3)",
     .base = Base::kEvaluation,
     .minimum_rank = 1,
     .maximum_rank = 7},
    {.layer = "spatial_dropout",
     .summary = "Drops whole channels of a batch, in either data format.",
     .source = "Tompson et al. 2015, arXiv:1411.4280; "
               "keras.layers.SpatialDropout1D, 2D and 3D",
     .unit = Unit::kChannel,
     .minimum_rank = 3,
     .maximum_rank = 5},
    {.layer = "variational_dropout",
     .summary = "Drops features of (N, T, C) for all time steps at once.",
     .source = "Gal and Ghahramani 2016, arXiv:1512.05287; "
               "keras.layers.LSTM, dropout",
     .unit = Unit::kSharedAxes,
     .shared_axis = 1,
     .unit_words = "per feature of each sequence, for all time steps",
     .minimum_rank = 3},
    {.layer = "token_dropout",
     .summary = "Drops whole tokens of (N, T, C), with all their features.",
     .source = "Iyyer et al. 2015, ACL, P15-1162 (word dropout)",
     .unit = Unit::kSharedAxes,
     .shared_axis = 2,
     .unit_words = "per token",
     .minimum_rank = 3,
     .maximum_rank = 3},
    {.layer = "drop_block2d",
     .summary = "Drops blocks of (N, C, H, W) around random centres.",
     .source = "Ghiasi et al. 2018, arXiv:1810.12890; "
               "torchvision.ops.drop_block2d, timm.layers.DropBlock2d",
     .unit = Unit::kBlock,
     .spatial_axes = 2,
     .minimum_rank = 4,
     .maximum_rank = 4,
     .has_in_place = true,
     .options = {.at_one = AtOne::kFormula}},
    {.layer = "drop_block3d",
     .summary = "Drops blocks of (N, C, D, H, W) around random centres.",
     .source = "Ghiasi et al. 2018, arXiv:1810.12890; "
               "torchvision.ops.drop_block3d",
     .unit = Unit::kBlock,
     .spatial_axes = 3,
     .minimum_rank = 5,
     .maximum_rank = 5,
     .has_in_place = true,
     .options = {.at_one = AtOne::kFormula}},
    {.layer = "gaussian_dropout",
     .summary = "Multiplies elements by N(1, drop/keep).",
     .source = "Srivastava et al. 2014, JMLR 15; keras.layers.GaussianDropout",
     .factor = Factor::kNormal,
     .has_in_place = true,
     .options = {.at_one = AtOne::kError}},
}};

}  // namespace

std::span<const Law> laws() { return kLaws; }

const Law* find_law(std::string_view layer) {
  for (const std::span<const Law> all : {laws(), network_laws()}) {
    for (const Law& law : all) {
      if (law.layer == layer) return &law;
    }
  }
  return nullptr;
}

}  // namespace dropcheck::impl
