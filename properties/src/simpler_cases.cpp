#include <algorithm>
#include <array>
#include <exception>
#include <utility>

#include "dropcheck/properties/config_source.hpp"

namespace dropcheck::properties {
namespace {

/// The simplest first.
constexpr std::array kDTypes{impl::DType::kFloat32, impl::DType::kFloat64,
                             impl::DType::kFloat16, impl::DType::kBFloat16};
constexpr std::array kProbabilities{.5, .25, .75, .125, .875, .0625, 0.0, 1.0};

using Cases = std::vector<DrawnCase>;

/// The case with one member of its configuration set back.
template <class T>
void set_back(const DrawnCase& drawn, T impl::LayerConfig::*member,
              Cases& cases) {
  const T plain = impl::LayerConfig{}.*member;
  if (drawn.config.*member == plain) return;
  cases.push_back(drawn);
  cases.back().config.*member = plain;
}

template <class T>
void set_block_back(const DrawnCase& drawn, T impl::BlockOptions::*member,
                    Cases& cases) {
  const T plain = impl::BlockOptions{}.*member;
  if (drawn.config.block.*member == plain) return;
  cases.push_back(drawn);
  cases.back().config.block.*member = plain;
}

void set_network_back(const DrawnCase& drawn,
                      auto impl::NetworkOptions::*member, Cases& cases) {
  if (drawn.config.network.*member == 0) return;
  cases.push_back(drawn);
  cases.back().config.network.*member = 0;
}

void plainer_options(const DrawnCase& drawn, Cases& cases) {
  set_back(drawn, &impl::LayerConfig::in_place, cases);
  set_back(drawn, &impl::LayerConfig::channels_last, cases);
  set_back(drawn, &impl::LayerConfig::scale_by_keep, cases);
  set_back(drawn, &impl::LayerConfig::shared_axes, cases);
  set_back(drawn, &impl::LayerConfig::samples, cases);
  set_block_back(drawn, &impl::BlockOptions::size, cases);
  set_block_back(drawn, &impl::BlockOptions::whole_map, cases);
  set_block_back(drawn, &impl::BlockOptions::shared_by_channels, cases);
  set_block_back(drawn, &impl::BlockOptions::plain_gamma, cases);
  set_block_back(drawn, &impl::BlockOptions::fixed_scale, cases);
  set_network_back(drawn, &impl::NetworkOptions::depth, cases);
  set_network_back(drawn, &impl::NetworkOptions::width, cases);
  set_network_back(drawn, &impl::NetworkOptions::heads, cases);
}

void plainer_dtypes(const DrawnCase& drawn, Cases& cases) {
  for (const impl::DType dtype : kDTypes) {
    if (dtype == drawn.config.dtype) return;
    cases.push_back(drawn);
    cases.back().config.dtype = dtype;
  }
}

void rounder_probabilities(const DrawnCase& drawn, Cases& cases) {
  for (const double p : kProbabilities) {
    if (p == drawn.config.drop_probability) return;
    cases.push_back(drawn);
    cases.back().config.drop_probability = p;
  }
}

void fewer_axes(const DrawnCase& drawn, Cases& cases) {
  const auto with = [&](impl::Shape shape) {
    cases.push_back({drawn.config, std::move(shape)});
  };
  const auto rank = static_cast<std::ptrdiff_t>(drawn.shape.size());
  for (std::ptrdiff_t axis = 0; axis < rank; ++axis) {
    impl::Shape shape = drawn.shape;
    shape.erase(shape.begin() + axis);
    with(std::move(shape));
  }
  for (std::ptrdiff_t axis = 0; axis + 1 < rank; ++axis) {
    impl::Shape shape = drawn.shape;
    shape[static_cast<std::size_t>(axis)] *=
        shape[static_cast<std::size_t>(axis) + 1];
    shape.erase(shape.begin() + axis + 1);
    with(std::move(shape));
  }
}

void smaller_extents(const DrawnCase& drawn, Cases& cases) {
  for (std::size_t axis = 0; axis < drawn.shape.size(); ++axis) {
    const std::int64_t extent = drawn.shape[axis];
    // RapidCheck's way towards 1: extent - 1, then half of it, and so on.
    for (std::int64_t step = extent - 1; step > 0; step /= 2) {
      cases.push_back(drawn);
      cases.back().shape[axis] = extent - step;
    }
  }
}

}  // namespace

namespace {

bool is_batch_of_samples(const impl::Law& law, const DrawnCase& drawn) {
  const impl::Extents sample = impl::network_law(law, drawn.config).sample;
  return drawn.shape.size() == sample.size() + 1 && drawn.shape[0] > 0 &&
         std::equal(sample.begin(), sample.end(), drawn.shape.begin() + 1);
}

}  // namespace

bool has_meaning(const impl::Law& law, const DrawnCase& drawn) {
  try {
    const impl::Shape output =
        impl::output_shape(law, drawn.config, drawn.shape);
    impl::unit_shape(law, drawn.config, output);
    impl::unit_drop_probability(law, drawn.config, output);
    return law.network == nullptr || is_batch_of_samples(law, drawn);
  } catch (const std::exception&) {
    return false;
  }
}

std::vector<DrawnCase> simpler_cases(const impl::Law& law,
                                     const DrawnCase& drawn) {
  Cases cases;
  plainer_options(drawn, cases);
  plainer_dtypes(drawn, cases);
  rounder_probabilities(drawn, cases);
  fewer_axes(drawn, cases);
  smaller_extents(drawn, cases);
  std::erase_if(cases,
                [&](const DrawnCase& c) { return !has_meaning(law, c); });
  return cases;
}

}  // namespace dropcheck::properties
