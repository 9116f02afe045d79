#pragma once

#include <Random123/philox.h>

#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "dropcheck/impl/block_law.hpp"
#include "dropcheck/impl/registry.hpp"

namespace dropcheck::impl::testing {

inline const SubjectEntry& entry(const std::vector<SubjectEntry>& entries,
                                 const std::string& name) {
  for (const SubjectEntry& candidate : entries) {
    if (candidate.name == name) return candidate;
  }
  throw std::invalid_argument("no subject called " + name);
}

/// A shape that the law of that name takes: rank 4 wherever it may be.
inline Shape shape_for(std::string_view layer) {
  if (layer == "drop_block3d") return {2, 3, 4, 5, 6};
  return layer == "dropout1d" || layer == "token_dropout" ? Shape{2, 3, 4}
                                                          : Shape{2, 3, 4, 5};
}

/// Words that a reference layer reads for one call: one a unit, or one for
/// every centre where a block may lie.
inline std::int64_t words_a_call(const LayerConfig& config,
                                 const Shape& input) {
  const Law& law = *find_law(config.layer);
  const Shape output = output_shape(law, config, input);
  if (law.unit != Unit::kBlock) {
    return element_count(unit_shape(law, config, output));
  }
  const std::int64_t channels = config.block.shared_by_channels ? 1 : output[1];
  return output[0] * channels * block_law(law, config, output).centres();
}

/// All 64 bits of the word of a decision, from the definition (decisions.hpp).
inline std::uint64_t decision_word(std::uint64_t seed, std::uint64_t decision) {
  const std::uint64_t group = decision / 128;
  const std::size_t bit = decision % 128;
  std::uint64_t word = 0;
  for (std::uint32_t j = 0; j < 64; ++j) {
    const auto out = r123::Philox4x32()(
        {{static_cast<std::uint32_t>(group),
          static_cast<std::uint32_t>(group >> 32U), j + 1, 0}},
        {{static_cast<std::uint32_t>(seed),
          static_cast<std::uint32_t>(seed >> 32U)}});
    word = word << 1U | (out[bit / 32] >> (bit % 32) & 1U);
  }
  return word;
}

/// The reference layer of `config.layer`.
inline std::unique_ptr<Layer> builtin(const LayerConfig& config) {
  return entry(builtin_subjects(), "builtin:" + config.layer)
      .open()
      ->make(config);
}

inline std::unique_ptr<Layer> faulty(const std::string& name,
                                     LayerConfig config = {}) {
  const SubjectEntry& found = entry(faulty_subjects(), "faulty:" + name);
  config.layer = found.layer;
  return found.open()->make(config);
}

inline std::vector<double> values_of(const TensorView& view) {
  std::vector<double> values;
  for (std::int64_t i = 0; i < view.size(); ++i) {
    values.push_back(view.value(i));
  }
  return values;
}

/// 1, 2, 3, ... in the given shape: no two elements can be confused.
inline Tensor counting(DType dtype, const Shape& shape) {
  Tensor tensor(dtype, shape);
  for (std::int64_t i = 0; i < tensor.size(); ++i) {
    tensor.view().set(i, static_cast<double>(i + 1));
  }
  return tensor;
}

inline Tensor filled(DType dtype, const Shape& shape, double value) {
  Tensor tensor(dtype, shape);
  for (std::int64_t i = 0; i < tensor.size(); ++i) tensor.view().set(i, value);
  return tensor;
}

}  // namespace dropcheck::impl::testing
