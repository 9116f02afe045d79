#include "faulty/draws.hpp"

namespace dropcheck::impl::faulty {
namespace {

using MaskShape = Shape (*)(const LayerConfig&, const Shape&);

Fault units(MaskShape shape) { return {.mask_shape = shape}; }

Shape per_element(const LayerConfig&, const Shape& shape) { return shape; }

Shape per_sample(const LayerConfig&, const Shape& shape) {
  Shape units(shape.size(), 1);
  if (!units.empty()) units[0] = shape[0];
  return units;
}

Shape per_tensor(const LayerConfig&, const Shape& shape) {
  return Shape(shape.size(), 1);
}

/// One decision per position of the first two axes, whatever they are.
Shape first_two_axes(const LayerConfig&, const Shape& shape) {
  Shape units = per_sample({}, shape);
  if (shape.size() > 1) units[1] = shape[1];
  return units;
}

/// Every shared axis one too far to the right, wrapping around.
Shape next_axis(const LayerConfig& config, const Shape& shape) {
  Shape units = shape;
  for (const int axis : config.shared_axes) {
    units[(static_cast<std::size_t>(axis) + 1) % shape.size()] = 1;
  }
  return units;
}

/// One decision per position of the first and the last axis.
Shape first_and_last_axis(const LayerConfig&, const Shape& shape) {
  Shape units = per_sample({}, shape);
  if (shape.size() > 1) units.back() = shape.back();
  return units;
}

Shape first_three_axes(const LayerConfig&, const Shape& shape) {
  Shape units = first_two_axes({}, shape);
  if (shape.size() > 2) units[2] = shape[2];
  return units;
}

Shape rows_of_last_axis(const LayerConfig&, const Shape& shape) {
  Shape units = shape;
  if (units.size() > 1) units.back() = 1;
  return units;
}

Shape last_axis_only(const LayerConfig&, const Shape& shape) {
  Shape units(shape.size(), 1);
  if (!units.empty()) units.back() = shape.back();
  return units;
}

/// One decision for all samples together.
Shape shared_by_first_axis(const LayerConfig&, const Shape& shape) {
  Shape units = shape;
  if (!units.empty()) units[0] = 1;
  return units;
}

/// One decision per channel for all samples together.
Shape shared_by_batch(const LayerConfig& config, const Shape& shape) {
  Shape units(shape.size(), 1);
  const std::size_t channel = config.channels_last ? shape.size() - 1 : 1;
  units[channel] = shape[channel];
  return units;
}

}  // namespace

std::vector<Specimen> unit_faults() {
  return {
      {"channel_as_element", "dropout2d", "granularity",
       "drops single elements instead of channels",
       "Spatial dropout falls back on dropout; keras #18802.",
       units(per_element)},
      {"sample_as_channel", "dropout2d", "granularity",
       "one decision for all channels of a sample",
       "The mask has the shape (N, 1, 1, 1).", units(per_sample)},
      {"channels_shared_by_batch", "dropout2d", "granularity",
       "one decision per channel for all samples",
       "Masks shared over the batch; broadcast_dropout of Flax attention.",
       units(shared_by_batch)},
      {"channels_last_ignored",
       "dropout2d",
       "granularity",
       "reads (N, H, W, C) as (N, C, H, W)",
       "Only one data format is implemented; keras #18802.",
       units(first_two_axes),
       {{.layer = "dropout2d", .channels_last = true}}},
      {"rows_for_channels", "dropout3d", "granularity",
       "takes the unbatched (C, D, H, W) for a batch",
       "pytorch #69801: rows are dropped where channels should be.",
       units(first_two_axes)},
      {"droppath_batch_for_row", "drop_path", "granularity",
       "one decision for the whole batch",
       "NAFNet #32: drop path drops the whole batch.", units(per_tensor)},
      {"droppath_element_for_row", "drop_path", "granularity",
       "drops single elements instead of samples",
       "Drop path is wired to dropout.", units(per_element)},
      {"length_for_channel", "dropout1d", "granularity",
       "drops positions of the sequence instead of channels",
       "(N, L, C) is taken for (N, C, L).", units(first_and_last_axis)},
      {"dropout1d_as_element", "dropout1d", "granularity",
       "drops single elements instead of channels",
       "Dropout1d is wired to dropout; Oneflow #9808.", units(per_element)},
      {"depth_slices_for_volumes", "dropout3d", "granularity",
       "drops one depth slice of a channel at a time",
       "Dropout3d is Dropout2d under another name; pytorch #22879.",
       units(first_three_axes)},
      {"dropout_as_channel", "dropout", "granularity",
       "drops whole rows of the last axis",
       "noise_shape (N, 1) for every layer; keras #9841.",
       units(rows_of_last_axis)},
      {"dropout_shared_by_batch", "dropout", "granularity",
       "one mask for all samples",
       "Flax attention's broadcast_dropout is on by default.",
       units(shared_by_first_axis)},
      {"feature_alpha_as_element", "feature_alpha_dropout", "granularity",
       "drops single elements instead of channels",
       "Feature alpha dropout is wired to alpha dropout.", units(per_element)},
      {"alpha_as_feature", "alpha_dropout", "granularity",
       "drops whole rows of the last axis",
       "Alpha dropout is wired to its feature variant.",
       units(rows_of_last_axis)},
      {"droppath_by_channel", "drop_path", "granularity",
       "drops channels of samples instead of samples",
       "The mask has the shape (N, C, 1, ...).", units(first_two_axes)},
      {"droppath_by_last_axis", "drop_path", "granularity",
       "drops features of the whole batch instead of samples",
       "(1, ..., C) where (N, 1, ...) is meant.", units(last_axis_only)},
      {"broadcast_wrong_axis",
       "broadcast_dropout",
       "granularity",
       "shares decisions along the next axis",
       "noise_shape aligned from the other end; keras #9841.",
       units(next_axis),
       {{.layer = "broadcast_dropout", .shared_axes = {0}},
        {.layer = "broadcast_dropout", .shared_axes = {1}}}},
      {"spatial_data_format_ignored",
       "spatial_dropout",
       "granularity",
       "reads (N, ..., C) as (N, C, ...)",
       "data_format is not passed on; keras #18802.",
       units(first_two_axes),
       {{.layer = "spatial_dropout", .channels_last = true}}},
      {"spatial_always_channels_last", "spatial_dropout", "granularity",
       "reads (N, C, ...) as (N, ..., C)",
       "SpatialDropout1D knows one data format only; keras #18802.",
       units(first_and_last_axis)},
      {"variational_redrawn_each_step", "variational_dropout", "granularity",
       "draws a new mask for every time step",
       "The mask is reset inside a sequence; tensorflow #38922.",
       units(per_element)},
      {"variational_time_as_batch", "variational_dropout", "granularity",
       "shares decisions over the batch instead of the time",
       "(T, N, C) is taken for (N, T, C).", units(shared_by_first_axis)},
      {"token_features_dropped", "token_dropout", "granularity",
       "drops features of all tokens instead of tokens",
       "noise_shape (N, 1, C) where (N, T, 1) is meant; keras #9841.",
       units(first_and_last_axis)},
  };
}

}  // namespace dropcheck::impl::faulty
