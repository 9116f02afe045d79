#include "word_driver.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <utility>

namespace dropcheck::properties {
namespace {

/// Small calls get more words than are due, so that a layer that takes them
/// can be told how many it took.
constexpr std::size_t kSpare = 64;
constexpr std::size_t kLargestSpared = 4096;

template <class Bits>
struct Code {
  using Type = Bits;
};

/// Calls `f` with the unsigned integer of an element's size.
template <class F>
auto with_code(impl::DType dtype, const F& f) {
  switch (impl::size_of(dtype)) {
    case sizeof(std::uint16_t):
      return f(Code<std::uint16_t>{});
    case sizeof(std::uint32_t):
      return f(Code<std::uint32_t>{});
    default:
      return f(Code<std::uint64_t>{});
  }
}

std::uint64_t code_of(double value, impl::DType dtype) {
  return with_code(dtype, [&](auto code) {
    typename decltype(code)::Type bits = 0;
    impl::store(value, &bits, dtype);
    return static_cast<std::uint64_t>(bits);
  });
}

double value_of(std::uint64_t code, impl::DType dtype) {
  return with_code(dtype, [&](auto type) {
    const auto bits = static_cast<typename decltype(type)::Type>(code);
    return impl::load(&bits, dtype);
  });
}

/// Calls `f(dropped)` for each of the first `count` elements.
template <class F>
void for_each_decision(const impl::TensorView& output, std::size_t count,
                       const WordDriver::Values& values, const F& f) {
  const bool two_values = with_code(output.dtype, [&](auto type) {
    using Bits = typename decltype(type)::Type;
    const auto* const codes = static_cast<const Bits*>(output.data);
    const auto kept = static_cast<Bits>(values.kept);
    const auto dropped = static_cast<Bits>(values.dropped);
    bool known = true;
    for (std::size_t i = 0; i < count; ++i) {
      known &= codes[i] == kept || codes[i] == dropped;
      f(codes[i] == dropped);
    }
    return known;
  });
  if (!two_values) {
    throw Undrivable("one input becomes more than two values");
  }
}

}  // namespace

WordDriver::WordDriver(std::unique_ptr<impl::Layer> layer, const impl::Law& law,
                       const impl::LayerConfig& config)
    : layer_(std::move(layer)),
      law_(law),
      config_(config),
      frame_(frame_of(law, config)),
      samples_(
          static_cast<std::size_t>(std::max<std::int64_t>(1, config.samples))),
      word_bits_(layer_->word_bits()) {
  if (word_bits_ == 0) {
    throw Undrivable("the layer does not take its random words from outside");
  }
  if (word_bits_ < 0 || word_bits_ > 64) {
    throw impl::AdapterError(
        fmt::format("word_bits is {}, but must be 0 to 64", word_bits_));
  }
}

// The axis is one whose places decide apart, the last of them: channels, not
// samples. Around a softmax it is the first, and the last has one key.
WordDriver::Frame WordDriver::frame_of(const impl::Law& law,
                                       const impl::LayerConfig& config) {
  int rank = std::max(1, law.minimum_rank);
  if (law.spatial_axes > 0) rank = law.spatial_axes + 2;
  rank = std::max(rank, law.shared_axis + 1);
  for (const int axis : config.shared_axes) rank = std::max(rank, axis + 1);
  for (; rank <= law.maximum_rank; ++rank) {
    Frame frame{impl::Shape(static_cast<std::size_t>(rank), 1)};
    const impl::Shape output = impl::output_shape(law, config, frame.shape);
    std::vector<bool> shared = impl::shared_axes(law, config, output);
    shared.erase(shared.begin(), shared.end() - rank);
    const auto first = std::find(shared.begin(), shared.end(), false);
    if (first != shared.end()) {
      const auto last = std::find(shared.rbegin(), shared.rend(), false);
      const auto chosen =
          law.base == impl::Base::kEvaluation ? first : last.base() - 1;
      frame.axis = static_cast<std::size_t>(chosen - shared.begin());
      return frame;
    }
    if (law.unit == impl::Unit::kTensor) {
      frame.by_repeat = true;
      return frame;
    }
  }
  throw Undrivable("no shape gives each unit one element");
}

std::size_t WordDriver::units(std::size_t count) const {
  return (count + samples_ - 1) / samples_ * samples_;
}

const impl::Tensor& WordDriver::input_for(std::size_t units) {
  impl::Shape shape = frame_.shape;
  if (!frame_.by_repeat) {
    shape[frame_.axis] = static_cast<std::int64_t>(units / samples_);
  }
  // In place, the last call has written to it.
  if (config_.in_place || input_.shape() != shape ||
      input_.dtype() != config_.dtype) {
    input_ = impl::Tensor(config_.dtype, shape);
    const impl::TensorView view = input_.view();
    for (std::int64_t i = 0; i < view.size(); ++i) view.set(i, 1);
  }
  return input_;
}

std::span<const std::uint64_t> WordDriver::padded(
    std::span<const std::uint64_t> words) {
  const std::size_t due = units(words.size());
  if (due > kLargestSpared && due == words.size()) return words;
  padded_.assign(words.begin(), words.end());
  padded_.resize(2 * due + kSpare, words.back());
  return padded_;
}

// A refusal is none of a valid call here: a layer that rejects some words may
// run out of them.
impl::Driven WordDriver::answer(std::span<const std::uint64_t> words) {
  const auto repeat = static_cast<std::int64_t>(units(words.size()));
  const impl::Tensor& input = input_for(units(words.size()));
  try {
    return layer_->drive({input.view(), true, frame_.by_repeat ? repeat : 1},
                         padded(words));
  } catch (const impl::LayerError& error) {
    throw Undrivable(fmt::format("a driven call fails: {}", error.what()));
  }
}

impl::TensorView WordDriver::drive(std::span<const std::uint64_t> words) {
  const std::size_t due = units(words.size());
  const impl::Driven driven = answer(words);
  if (driven.words_read != due) {
    throw Undrivable(fmt::format("{} decision{} read {} random words", due,
                                 due == 1 ? "" : "s", driven.words_read));
  }
  const impl::TensorView& output = driven.output;
  if (output.dtype != config_.dtype ||
      output.size() != static_cast<std::int64_t>(due)) {
    throw impl::LayerError(fmt::format(
        "returns {} {} for {} decisions in {}", impl::name_of(output.dtype),
        impl::to_string(output.shape), due, impl::name_of(config_.dtype)));
  }
  if (output.compact()) return output;
  compact_ = impl::Tensor(output.dtype, output.shape);
  impl::copy(output, compact_.view());
  return compact_.view();
}

std::vector<std::uint8_t> WordDriver::decide(
    std::span<const std::uint64_t> words) {
  const impl::TensorView output = drive(words);
  std::vector<std::uint8_t> decisions;
  decisions.reserve(words.size());
  for_each_decision(output, words.size(), values_, [&](bool dropped) {
    decisions.push_back(dropped ? 1 : 0);
  });
  return decisions;
}

std::uint64_t WordDriver::count_dropped(std::span<const std::uint64_t> words) {
  const impl::TensorView output = drive(words);
  std::uint64_t count = 0;
  for_each_decision(output, words.size(), values_,
                    [&](bool dropped) { count += dropped ? 1U : 0U; });
  return count;
}

WordDriver::Values WordDriver::find_values(
    std::span<const std::uint64_t> words) {
  const impl::Affine law = impl::affine(law_, config_);
  double base = 1;
  if (law_.base == impl::Base::kEvaluation) {
    input_for(units(1));
    const impl::TensorView plain = layer_->forward({input_.view(), false, 1});
    if (plain.size() > 0) base = plain.value(0);
  }
  const double kept = law.kept_slope() * base + law.kept_offset();
  const double dropped = law.dropped_value();
  const impl::TensorView output = drive(words);
  std::vector<std::uint64_t> codes;
  with_code(output.dtype, [&](auto type) {
    using Bits = typename decltype(type)::Type;
    const auto* const all = static_cast<const Bits*>(output.data);
    for (std::size_t i = 0; i < words.size() && codes.size() <= 2; ++i) {
      if (std::find(codes.begin(), codes.end(), all[i]) == codes.end()) {
        codes.push_back(all[i]);
      }
    }
  });
  if (codes.size() > 2) {
    throw Undrivable("one input becomes more than two values");
  }
  const auto from_dropped = [&](std::uint64_t code) {
    return std::abs(value_of(code, config_.dtype) - dropped);
  };
  Values values;
  if (codes.size() == 2) {
    const bool first_kept = from_dropped(codes[0]) > from_dropped(codes[1]);
    values = {codes[first_kept ? 0 : 1], codes[first_kept ? 1 : 0]};
  } else {
    const bool is_kept = from_dropped(codes[0]) > std::abs(kept - dropped) / 2;
    values = {is_kept ? codes[0] : code_of(kept, config_.dtype),
              is_kept ? code_of(dropped, config_.dtype) : codes[0]};
  }
  values_ = values;
  return values;
}

}  // namespace dropcheck::properties
