// shape: ranks, extents of one, empty tensors.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <stdexcept>

#include "check_definition.hpp"
#include "form_trial.hpp"
#include "own_draws.hpp"

namespace dropcheck::properties {
namespace {

using impl::Shape;
using Fault = std::optional<std::string>;

/// Two axes tell most causes apart; the others follow.
constexpr std::array kRanks = {2, 3, 4, 5, 6, 1, 0};

/// Extents that differ where it matters (H != W), and few elements.
Shape plain_shape(int rank) {
  switch (rank) {
    case 0:
      return {};
    case 1:
      return {7};
    case 2:
      return {3, 5};
    case 3:
      return {2, 3, 5};
    case 4:
      return {2, 3, 4, 5};
    case 5:
      return {2, 3, 2, 4, 5};
    default:
      return {2, 3, 2, 2, 3, 4};
  }
}

/// The plain shape, and what differs from it by extents of one and of none.
std::vector<Shape> shapes_of_rank(int rank) {
  const Shape plain = plain_shape(rank);
  std::vector<Shape> shapes{plain};
  for (const std::int64_t extent : {1, 0}) {
    for (std::size_t axis = 0; axis < plain.size(); ++axis) {
      shapes.push_back(plain);
      shapes.back()[axis] = extent;
    }
  }
  if (rank > 1) shapes.emplace_back(plain.size(), 1);
  return shapes;
}

/// Whether the law says what becomes of the shape.
bool has_law(const Context& context, const Shape& shape) {
  try {
    const Shape output =
        impl::output_shape(context.law(), context.config(), shape);
    impl::unit_of_element(context.law(), context.config(), output);
    return true;
  } catch (const std::invalid_argument&) {
    return false;
  }
}

bool rank_has_law(const impl::Law& law, int rank) {
  return rank >= law.minimum_rank && rank <= law.maximum_rank;
}

class ShapeTrial {
 public:
  ShapeTrial(const Context& context, Finding& finding)
      : context_(context), trial_(context, finding) {}

  /// What is wrong with a shape that the law takes.
  Fault wrong_result(const Shape& shape) {
    const impl::Tensor input = trial_.input(shape);
    try {
      LawReading reading(context_.law(), context_.config(),
                         trial_.base_of(input));
      for (const bool training : {false, true}) {
        if (auto wrong = wrong_call(input, training, reading)) return wrong;
      }
      return wrong_repeated(input, reading);
    } catch (const impl::LayerError& error) {
      return fmt::format(
          "refuses an input of {}{}: {}", impl::to_string(shape),
          impl::element_count(shape) == 0 ? ", which is empty" : "",
          error.what());
    } catch (const impl::MemoryViolation& error) {
      return fmt::format("{} for an input of {}", error.what(),
                         impl::to_string(shape));
    }
  }

  /// What is wrong with the answer to a rank that the law has no place for.
  Fault wrong_refusal(const Shape& shape) {
    impl::Tensor input(context_.config().dtype, shape);
    for (std::int64_t i = 0; i < input.size(); ++i) input.view().set(i, 1);
    const impl::Law& law = context_.law();
    try {
      const impl::TensorView result = trial_.call(input.view(), true);
      if (law.options.rank_is_checked) return accepted(shape);
      if (result.shape == shape) return std::nullopt;
      return fmt::format("returns the shape {} for an input of {}",
                         impl::to_string(result.shape), impl::to_string(shape));
    } catch (const impl::LayerError&) {
      return std::nullopt;
    } catch (const impl::MemoryViolation& error) {
      return fmt::format("{} for an input of {}", error.what(),
                         impl::to_string(shape));
    }
  }

 private:
  std::string accepted(const Shape& shape) const {
    const impl::Law& law = context_.law();
    return fmt::format(
        "accepts an input of rank {} ({}), but {} takes rank {} to {} and must "
        "refuse others; a subject that documents this declares option "
        "rank_is_checked = false",
        shape.size(), impl::to_string(shape), law.layer, law.minimum_rank,
        law.maximum_rank);
  }

  Fault wrong_call(const impl::Tensor& input, bool training,
                   LawReading& reading) {
    impl::Tensor given = input;
    const impl::TensorView result = trial_.call(given.view(), training);
    if (auto wrong = wrong_form(context_, input.shape(), result)) return wrong;
    if (!training) return std::nullopt;
    return wrong_values(reading, result, input.shape());
  }

  /// Enough calls to see units that are split.
  Fault wrong_repeated(const impl::Tensor& input, LawReading& reading) {
    if (input.size() == 0) return std::nullopt;
    constexpr std::int64_t kCalls = 12;
    impl::Tensor given = input;
    const impl::TensorView results = trial_.call(given.view(), true, kCalls);
    if (results.shape.empty() || results.shape.front() != kCalls ||
        !results.compact()) {
      return fmt::format("returns the shape {} for {} calls on an input of {}",
                         impl::to_string(results.shape), kCalls,
                         impl::to_string(input.shape()));
    }
    impl::TensorView one = results;
    one.shape.erase(one.shape.begin());
    one.strides.erase(one.strides.begin());
    const auto bytes =
        static_cast<std::size_t>(one.size()) * impl::size_of(one.dtype);
    for (std::int64_t k = 0; k < kCalls; ++k) {
      if (auto wrong = wrong_values(reading, one, input.shape())) return wrong;
      one.data = static_cast<std::byte*>(one.data) + bytes;
    }
    return std::nullopt;
  }

  Fault wrong_values(LawReading& reading, const impl::TensorView& result,
                     const Shape& input) const {
    const auto breach = reading.judge(result);
    if (!breach) return std::nullopt;
    const std::string detail = fmt::format(
        "{} {}", place_of(breach->element, result.shape), breach->what);
    if (takes_channels_for_samples(reading, result)) {
      return fmt::format(
          "treats an unbatched input of {} as a batch, (C, ...) as (N, C, "
          "...): {}",
          impl::to_string(input), detail);
    }
    return fmt::format("breaks the law for an input of {}: {}",
                       impl::to_string(input), detail);
  }

  /// Whether the decisions of an unbatched input are constant only where the
  /// first two axes are.
  bool takes_channels_for_samples(const LawReading& reading,
                                  const impl::TensorView& result) const {
    const impl::Law& law = context_.law();
    if (law.unit != impl::Unit::kChannel || law.spatial_axes == 0 ||
        std::ssize(result.shape) != law.spatial_axes + 1) {
      return false;
    }
    const std::vector<double> values = values_of(result);
    const std::size_t units =
        static_cast<std::size_t>(result.shape[0] * result.shape[1]);
    const std::size_t each = values.size() / units;
    for (std::size_t i = 0; i < values.size(); ++i) {
      const bool dropped = reading.is_dropped(values[i]);
      if (dropped != reading.is_dropped(values[i / each * each])) return false;
    }
    return true;
  }

  const Context& context_;
  FormTrial trial_;
};

struct Tried {
  int shapes = 0;
  int empty = 0;
  std::vector<int> ranks;
  std::vector<int> refused;
};

Fault wrong_rank(const Context& context, int rank, ShapeTrial& trial,
                 Tried& tried) {
  if (!rank_has_law(context.law(), rank)) {
    tried.refused.push_back(rank);
    return trial.wrong_refusal(plain_shape(rank));
  }
  bool any = false;
  for (const Shape& shape : shapes_of_rank(rank)) {
    if (!has_law(context, shape)) continue;
    if (auto wrong = trial.wrong_result(shape)) return wrong;
    ++tried.shapes;
    tried.empty += impl::element_count(shape) == 0 ? 1 : 0;
    any = true;
  }
  if (any) tried.ranks.push_back(rank);
  return std::nullopt;
}

std::string refusals(const Context& context, const Tried& tried) {
  if (tried.refused.empty()) return {};
  return fmt::format(
      "; rank {} {}", fmt::join(tried.refused, ", "),
      context.law().options.rank_is_checked
          ? "is refused"
          : "is answered as the subject declares (rank_is_checked = false)");
}

}  // namespace

static Finding check_shape(const Context& context) {
  Finding finding = start_finding(context, "shape");
  ShapeTrial trial(context, finding);
  Tried tried;
  for (const int rank : kRanks) {
    if (const auto wrong = wrong_rank(context, rank, trial, tried)) {
      refute(finding, *wrong);
      return finding;
    }
  }
  std::sort(tried.ranks.begin(), tried.ranks.end());
  std::sort(tried.refused.begin(), tried.refused.end());
  certify(finding, "every shape of its ranks gets a result of its shape",
          fmt::format("on {} shapes of rank {}, {} of them empty, with extents "
                      "of one and H != W{}",
                      tried.shapes, fmt::join(tried.ranks, ", "), tried.empty,
                      refusals(context, tried)));
  return finding;
}

constinit const CheckDefinition shape_check{
    .info = {"shape", Evidence::kDeterministic,
             "ranks, empty tensors and extents of one get what is due",
             "Ranks 0 to 6: where the law takes the rank, a result of the "
             "right shape, also for empty inputs, single elements and extents "
             "of one, unbatched input included, with whole units; where it "
             "does not, an error (option rank_is_checked).",
             kNoChance, "faulty:accepts_any_rank"},
    .from_calls = check_shape,
    .reads_masks = false,
    .takes_chance = false,
    .before_reading = true,
    .own_shapes = true,
    .left_out = not_first_probability};

}  // namespace dropcheck::properties
