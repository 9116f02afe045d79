#include "granularity.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <numeric>

namespace dropcheck::properties {
namespace {

std::string words_of(const std::vector<bool>& shared, const impl::Shape& shape,
                     bool channels_last) {
  const std::size_t rank = shape.size();
  const auto free_axes =
      static_cast<std::size_t>(std::count(shared.begin(), shared.end(), false));
  // Axes of extent 1 say nothing; they go with whatever makes the words short.
  bool none = true;
  bool all = true;
  bool sample = rank > 0;
  bool channel = rank > 1;
  const std::size_t channel_axis = channels_last ? rank - 1 : 1;
  for (std::size_t axis = 0; axis < rank; ++axis) {
    if (shape[axis] == 1) continue;
    none = none && !shared[axis];
    all = all && shared[axis];
    sample = sample && shared[axis] == (axis != 0);
    channel = channel && shared[axis] == (axis != 0 && axis != channel_axis);
  }
  if (none) return "per entry";
  if (all) return "for the whole tensor";
  if (sample) return "per sample";
  if (channel) return "per channel";
  if (free_axes == 1) {
    for (std::size_t axis = 0; axis < rank; ++axis) {
      if (!shared[axis]) return fmt::format("per index of axis {}", axis);
    }
  }
  std::vector<std::size_t> axes;
  for (std::size_t axis = 0; axis < rank; ++axis) {
    if (shared[axis]) axes.push_back(axis);
  }
  return fmt::format("for all of ax{} {}", axes.size() == 1 ? "is" : "es",
                     fmt::join(axes, " and "));
}

/// Number of elements of the commonest class size.
std::int64_t class_size(const Partition& partition) {
  std::map<std::int64_t, std::int64_t> sizes;
  for (const std::int64_t first : partition.representative) {
    if (first >= 0) ++sizes[first];
  }
  std::map<std::int64_t, std::int64_t> frequency;
  for (const auto& [first, size] : sizes) frequency[size] += size;
  return std::max_element(
             frequency.begin(), frequency.end(),
             [](const auto& a, const auto& b) { return a.second < b.second; })
      ->first;
}

}  // namespace

Partition infer_partition(const std::vector<std::vector<std::uint64_t>>& masks,
                          std::int64_t elements) {
  std::map<std::vector<std::uint64_t>, std::int64_t> first;
  Partition partition;
  partition.representative.reserve(static_cast<std::size_t>(elements));
  for (std::int64_t i = 0; i < elements; ++i) {
    std::vector<std::uint64_t> signature((masks.size() + 63) / 64);
    for (std::size_t t = 0; t < masks.size(); ++t) {
      const std::uint64_t bit =
          (masks[t][static_cast<std::size_t>(i / 64)] >> (i % 64)) & 1U;
      signature[t / 64] |= bit << (t % 64);
    }
    partition.representative.push_back(
        first.try_emplace(std::move(signature), i).first->second);
  }
  return partition;
}

std::vector<Sharing> axis_sharing(const Partition& partition,
                                  const impl::Shape& shape) {
  const impl::Shape strides = impl::compact_strides(shape);
  std::vector<Sharing> result;
  const auto elements =
      static_cast<std::int64_t>(partition.representative.size());
  for (std::size_t axis = 0; axis < shape.size(); ++axis) {
    std::int64_t same = 0;
    std::int64_t steps = 0;
    for (std::int64_t i = 0; i < elements; ++i) {
      if ((i / strides[axis]) % shape[axis] + 1 == shape[axis]) continue;
      const std::int64_t here =
          partition.representative[static_cast<std::size_t>(i)];
      const std::int64_t next =
          partition.representative[static_cast<std::size_t>(i + strides[axis])];
      if (here < 0 || next < 0) continue;
      ++steps;
      if (here == next) ++same;
    }
    result.push_back(same == steps ? Sharing::kShared
                     : same == 0   ? Sharing::kIndependent
                                   : Sharing::kMixed);
  }
  return result;
}

std::optional<std::vector<bool>> shared_axes_of(const Partition& partition,
                                                const impl::Shape& shape) {
  std::int64_t together = 1;
  std::vector<bool> shared;
  const std::vector<Sharing> sharing = axis_sharing(partition, shape);
  for (std::size_t axis = 0; axis < shape.size(); ++axis) {
    if (sharing[axis] == Sharing::kMixed) return std::nullopt;
    shared.push_back(sharing[axis] == Sharing::kShared);
    if (shared.back()) together *= shape[axis];
  }
  // Units that are spread over distant elements are no matter of axes.
  if (together != class_size(partition)) return std::nullopt;
  return shared;
}

Repetition count_repetition(
    const std::vector<std::vector<std::uint64_t>>& masks) {
  std::map<std::vector<std::uint64_t>, double> times;
  for (const auto& mask : masks) ++times[mask];
  Repetition repetition;
  repetition.distinct = times.size();
  for (const auto& [mask, count] : times) {
    repetition.pairs += count * (count - 1) / 2;
  }
  return repetition;
}

std::string unit_in_words(const Partition& partition,
                          const impl::LayerConfig& config,
                          const impl::Shape& shape) {
  if (const auto shared = shared_axes_of(partition, shape)) {
    return words_of(*shared, shape, config.channels_last);
  }
  return fmt::format("per group of {} elements", class_size(partition));
}

std::string shared_unit_in_words(const std::vector<bool>& shared,
                                 const impl::Shape& shape) {
  return words_of(shared, shape, false);
}

std::string declared_unit_in_words(const impl::Law& law,
                                   const impl::LayerConfig& config,
                                   const impl::Shape& shape) {
  if (!law.unit_words.empty()) return std::string(law.unit_words);
  return words_of(impl::shared_axes(law, config, shape), shape,
                  config.channels_last);
}

}  // namespace dropcheck::properties
