#include "reference/masking.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <span>
#include <stdexcept>

#include "dropcheck/impl/selu.hpp"
#include "reference/rows.hpp"
#include "reference/storage.hpp"

namespace dropcheck::impl::reference {
namespace {

// The three ways of keeping a value. Shift is apart from Scale because adding
// 0 turns -0 into +0, Copy because a product would quieten a signalling NaN.
template <class T>
struct Copy {
  T operator()(T x) const { return x; }
};

template <class T>
struct Scale {
  Arithmetic<T> scale;
  T operator()(T x) const {
    return static_cast<T>(static_cast<Arithmetic<T>>(x) * scale);
  }
};

template <class T>
struct ScaleAndShift {
  Arithmetic<T> scale;
  Arithmetic<T> offset;
  T operator()(T x) const {
    return static_cast<T>(static_cast<Arithmetic<T>>(x) * scale + offset);
  }
};

/// `kept` or `dropped` without a branch: a random branch costs more than all
/// the rest of the loop.
template <class T>
T select(std::uint8_t keep, T kept, T dropped) {
  const auto all = static_cast<Bits<T>>(-static_cast<std::int64_t>(keep));
  const auto one = std::bit_cast<Bits<T>>(kept);
  const auto other = std::bit_cast<Bits<T>>(dropped);
  return std::bit_cast<T>(static_cast<Bits<T>>((one & all) | (other & ~all)));
}

template <class T>
struct Row {
  const T* input;
  T* output;
  const std::uint8_t* kept;
  const Axis<3>& axis;

  bool dense() const { return axis.strides[0] == 1 && axis.strides[1] == 1; }
};

template <class T, class Keep>
void apply_row(const Row<T>& row, Keep keep, T dropped) {
  const auto [in, out, unit] = row.axis.strides;
  const std::int64_t extent = row.axis.extent;
  if (row.dense() && unit == 1) {
    for (std::int64_t i = 0; i < extent; ++i) {
      row.output[i] = select(row.kept[i], keep(row.input[i]), dropped);
    }
  } else if (row.dense() && unit == 0) {
    for (std::int64_t i = 0; i < extent; ++i) {
      row.output[i] = select(*row.kept, keep(row.input[i]), dropped);
    }
  } else {
    for (std::int64_t i = 0; i < extent; ++i) {
      row.output[i * out] =
          select(row.kept[i * unit], keep(row.input[i * in]), dropped);
    }
  }
}

template <class T, class Keep>
void apply_all(const Mask& mask, Keep keep, T dropped, const TensorView& input,
               const TensorView& output) {
  const Shape unit_strides = broadcast_strides(mask.shape);
  for_each_row<3>(
      output.shape, {&input.strides, &output.strides, &unit_strides},
      [&](const std::array<std::int64_t, 3>& offset, const Axis<3>& axis) {
        const Row<T> row{static_cast<const T*>(input.data) + offset[0],
                         static_cast<T*>(output.data) + offset[1],
                         mask.kept.data() + offset[2], axis};
        apply_row(row, keep, dropped);
      });
}

template <class T>
void apply_as(const Mask& mask, const Response& response,
              const TensorView& input, const TensorView& output) {
  const auto scale = static_cast<Arithmetic<T>>(response.scale);
  const auto offset = static_cast<Arithmetic<T>>(response.offset);
  T dropped{};
  store(response.dropped, &dropped, output.dtype);
  if (response.offset != 0) {
    apply_all(mask, ScaleAndShift<T>{scale, offset}, dropped, input, output);
  } else if (response.scale != 1) {
    apply_all(mask, Scale<T>{scale}, dropped, input, output);
  } else {
    apply_all(mask, Copy<T>{}, dropped, input, output);
  }
}

}  // namespace

Response inverse_keep(const LayerConfig& config) {
  const auto probability = Probability::from_drop(config.drop_probability);
  if (probability.keep() == 0) return {.scale = 0};
  return {.scale = config.scale_by_keep ? 1 / probability.keep() : 1};
}

Response selu_preserving(const LayerConfig& config) {
  const auto probability = Probability::from_drop(config.drop_probability);
  if (probability.keep() == 0) return {.scale = 0};
  // Each constant is rounded once, as the law's.
  const long double keep = probability.keep();
  const long double drop = probability.drop();
  const long double c = kSeluSaturation;
  const long double exact = 1 / std::sqrt(keep * (1 + drop * c * c));
  const auto a = static_cast<double>(exact);
  const auto b = static_cast<double>(-exact * drop * c);
  return {.scale = a, .offset = b, .dropped = a * kSeluSaturation + b};
}

void draw_mask(const Shape& shape, Probability probability,
               RandomStream& stream, Mask& mask) {
  mask.shape = shape;
  mask.kept.resize(static_cast<std::size_t>(element_count(shape)));
  std::array<std::uint64_t, 64> kept;
  for (std::size_t i = 0; i < mask.kept.size(); i += 64 * kept.size()) {
    const std::size_t count = std::min(64 * kept.size(), mask.kept.size() - i);
    stream.decide(probability, count, kept.data());
    for (std::size_t j = 0; j < count; ++j) {
      mask.kept[i + j] = kept[j / 64] >> (j % 64) & 1U;
    }
  }
}

void apply_mask(const Mask& mask, const Response& response,
                const TensorView& input, const TensorView& output) {
  if (input.shape != output.shape || input.dtype != output.dtype) {
    throw std::invalid_argument(fmt::format(
        "input is {} {}, but the other tensor is {} {}: they must agree",
        name_of(input.dtype), to_string(input.shape), name_of(output.dtype),
        to_string(output.shape)));
  }
  with_storage(input.dtype, [&](auto storage) {
    apply_as<typename decltype(storage)::Type>(mask, response, input, output);
  });
}

std::vector<std::uint8_t> expanded(const Mask& mask, const Shape& shape) {
  std::vector<std::uint8_t> entries(
      static_cast<std::size_t>(element_count(shape)));
  const Shape own = compact_strides(shape);
  const Shape shared = broadcast_strides(mask.shape);
  for_each_row<2>(
      shape, {&own, &shared},
      [&](const std::array<std::int64_t, 2>& offset, const Axis<2>& axis) {
        auto* to = entries.data() + offset[0];
        const auto* from = mask.kept.data() + offset[1];
        for (std::int64_t i = 0; i < axis.extent; ++i) {
          to[i * axis.strides[0]] = from[i * axis.strides[1]];
        }
      });
  return entries;
}

void apply_mask_backward(const Mask& mask, const Response& response,
                         const TensorView& grad_output,
                         const TensorView& grad_input) {
  apply_mask(mask, {.scale = response.scale}, grad_output, grad_input);
}

void pass_through(const TensorView& input, const TensorView& output) {
  if (input.data != output.data) copy(input, output);
}

void require_rank(const RankRule& rule, const Shape& shape) {
  if (shape.size() >= rule.minimum && shape.size() <= rule.maximum) return;
  throw std::invalid_argument(fmt::format(
      "{} got an input of rank {} ({}), but takes rank {} to {}", rule.layer,
      shape.size(), to_string(shape), rule.minimum, rule.maximum));
}

}  // namespace dropcheck::impl::reference
