#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <set>

#include "check_definition.hpp"
#include "context.hpp"
#include "detection.hpp"
#include "dropcheck/stats/granularity.hpp"
#include "granularity.hpp"
#include "layer_by_behaviour.hpp"
#include "rate_sets.hpp"
#include "shapes.hpp"

namespace dropcheck::properties {
namespace {

constexpr std::uint64_t kMostCalls = 60000;

struct Observed {
  impl::Shape shape;
  Partition partition;
  std::vector<std::vector<std::uint64_t>> masks;
};

Observed observe(const Context& context, const impl::Shape& input_shape,
                 std::int64_t calls) {
  Experiment experiment = context.experiment;
  experiment.shape = input_shape;
  const Inputs inputs = make_inputs(context.subject(), experiment);
  const auto outputs =
      draw_outputs(context.subject(), experiment, inputs.input,
                   stream_seed(experiment, Stream::kGranularity), calls);
  const std::size_t used = std::min<std::size_t>(outputs.size(), 64);
  const MaskReader reader(context.law(), context.config(), inputs.base,
                          {outputs.data(), used});
  Observed observed;
  observed.shape = inputs.base.shape();
  const std::size_t words = reader.size() / 64 + 1;
  for (const impl::Tensor& output : outputs) {
    observed.masks.emplace_back(words);
    reader.read(output.bytes(), observed.masks.back().data());
  }
  observed.partition =
      infer_partition(observed.masks, static_cast<std::int64_t>(reader.size()));
  return observed;
}

/// Each line is one index of the first axis in one call; its other elements
/// follow each other. What came stands beside what the law asks for: there the
/// first element speaks for its unit.
MaskPicture picture_of(const Context& context, const Observed& observed) {
  constexpr std::int64_t kLines = 24;
  constexpr std::int64_t kColumns = 96;
  const std::int64_t elements = impl::element_count(observed.shape);
  const std::int64_t first_axis =
      observed.shape.empty() ? 1 : observed.shape[0];
  const std::int64_t columns = elements / first_axis;
  const auto units =
      impl::unit_of_element(context.law(), context.config(), observed.shape);
  std::vector<std::int64_t> speaker(units.size(), -1);
  for (std::size_t i = 0; i < units.size(); ++i) {
    if (speaker[units[i]] < 0) speaker[units[i]] = static_cast<std::int64_t>(i);
  }
  MaskPicture picture;
  picture.caption = fmt::format(
      "masks of shape {}, one line for each index of the first axis, call "
      "after call",
      impl::to_string(observed.shape));
  for (const auto& mask : observed.masks) {
    const auto sign = [&](std::int64_t i) {
      const bool dropped =
          ((mask[static_cast<std::size_t>(i / 64)] >> (i % 64)) & 1U) != 0;
      return dropped ? '0' : '1';
    };
    for (std::int64_t begin = 0; begin < elements; begin += columns) {
      if (std::ssize(picture.observed) == kLines) return picture;
      std::string seen;
      std::string due;
      for (std::int64_t i = begin; i < begin + std::min(columns, kColumns);
           ++i) {
        seen += sign(i);
        due += sign(speaker[units[static_cast<std::size_t>(i)]]);
      }
      picture.observed.push_back(seen);
      picture.expected.push_back(due);
    }
  }
  return picture;
}

/// Two elements of one unit that were decided differently.
std::optional<std::pair<std::int64_t, std::int64_t>> torn_pair(
    const Observed& observed, const std::vector<std::uint32_t>& units) {
  std::vector<std::int64_t> first(units.size(), -1);
  for (std::size_t i = 0; i < units.size(); ++i) {
    std::int64_t& known = first[units[i]];
    if (known < 0) {
      known = static_cast<std::int64_t>(i);
    } else if (observed.partition.representative[i] !=
               observed.partition
                   .representative[static_cast<std::size_t>(known)]) {
      return std::pair{known, static_cast<std::int64_t>(i)};
    }
  }
  return std::nullopt;
}

/// Whether an element was decided alike in all calls: a dead unit, which is
/// the business of homogeneity.
bool constant(const Observed& observed, std::size_t element) {
  const auto bit = [&](const std::vector<std::uint64_t>& mask) {
    return (mask[element / 64] >> (element % 64)) & 1U;
  };
  return std::all_of(observed.masks.begin(), observed.masks.end(),
                     [&](const auto& mask) {
                       return bit(mask) == bit(observed.masks.front());
                     });
}

/// Two units that were decided alike in every call.
std::optional<std::pair<std::int64_t, std::int64_t>> joined_pair(
    const Observed& observed, const std::vector<std::uint32_t>& units) {
  for (std::size_t i = 0; i < units.size(); ++i) {
    const std::int64_t other = observed.partition.representative[i];
    if (units[static_cast<std::size_t>(other)] != units[i] &&
        !constant(observed, i)) {
      return std::pair{other, static_cast<std::int64_t>(i)};
    }
  }
  return std::nullopt;
}

/// Whether calls repeat masks far more often than independent calls of these
/// units would: then agreement of two units proves nothing.
std::optional<std::string> repeated_calls(const Observed& observed, double p0) {
  const auto [distinct, pairs] = count_repetition(observed.masks);
  const std::set<std::int64_t> classes(
      observed.partition.representative.begin(),
      observed.partition.representative.end());
  const auto calls = static_cast<double>(observed.masks.size());
  const double due = calls * (calls - 1) / 2 *
                     std::exp(stats::log_chance_identical(p0, classes.size()));
  if (distinct > 1 && pairs <= 10 + 3 * due) return std::nullopt;
  return fmt::format(
      "units cannot be told apart: only {} distinct mask{} in {} calls",
      distinct, distinct == 1 ? "" : "s", observed.masks.size());
}

/// ", as dropout does" where another known layer has these units and values.
std::string likeness(const Context& context, const Observed& observed) {
  const auto shared = shared_axes_of(observed.partition, observed.shape);
  if (!shared || !context.reader) return {};
  const Values values = observed_values(*context.reader);
  const std::string_view layer = layer_that_does(
      {observed.shape, *shared, values.slope, values.offset, values.dropped},
      context.law(), context.config());
  return layer.empty() ? "" : fmt::format(", as {} does,", layer);
}

/// "axis 1", "axes 1 and 2": those where `which` holds; empty if none.
std::string axes_where(const std::vector<bool>& which) {
  std::vector<std::size_t> axes;
  for (std::size_t axis = 0; axis < which.size(); ++axis) {
    if (which[axis]) axes.push_back(axis);
  }
  if (axes.empty()) return {};
  if (axes.size() == 1) return fmt::format("axis {}", axes.front());
  const std::size_t last = axes.back();
  axes.pop_back();
  return fmt::format("axes {} and {}", fmt::join(axes, ", "), last);
}

/// Axes of one index are shared and not shared at once.
std::vector<bool> that_tell(std::vector<bool> shared, const impl::Shape& shape,
                            bool value) {
  for (std::size_t axis = 0; axis < shared.size(); ++axis) {
    if (shape[axis] == 1) shared[axis] = value;
  }
  return shared;
}

/// Which axes the decisions should have been shared along, and which they are;
/// what an input of this shape is taken for, where that explains it.
std::string axes_cause(const Context& context, const Observed& observed) {
  const auto found = shared_axes_of(observed.partition, observed.shape);
  if (!found) return {};
  const impl::Shape& shape = observed.shape;
  const impl::Law& law = context.law();
  const std::vector<bool> seen = that_tell(*found, shape, false);
  const std::vector<bool> due =
      that_tell(impl::shared_axes(law, context.config(), shape), shape, false);
  if (law.unit == impl::Unit::kChannel) {
    impl::LayerConfig other = context.config();
    other.channels_last = !other.channels_last;
    if (that_tell(impl::shared_axes(law, other, shape), shape, false) == seen) {
      return other.channels_last
                 ? ": the last axis is taken for the channels, the data format "
                   "is mistaken"
                 : ": axis 1 is taken for the channels, the data format is "
                   "ignored";
    }
    std::vector<bool> batched(shape.size(), true);
    batched[0] = false;
    if (batched.size() > 1) batched[1] = false;
    const bool unbatched = law.spatial_axes > 0 &&
                           std::ssize(shape) == law.spatial_axes + 1 &&
                           !context.config().channels_last;
    if (unbatched && that_tell(batched, shape, false) == seen) {
      return ": an unbatched input is taken for a batch, (C, ...) for (N, C, "
             "...)";
    }
  }
  std::vector<bool> more(seen.size());
  std::vector<bool> less(seen.size());
  for (std::size_t axis = 0; axis < seen.size(); ++axis) {
    more[axis] = seen[axis] && !due[axis];
    less[axis] = due[axis] && !seen[axis];
  }
  const std::string shared = axes_where(more);
  const std::string single = axes_where(less);
  if (!shared.empty() && !single.empty()) {
    return fmt::format(": the mask is shared along {} instead of {}", shared,
                       single);
  }
  if (shared == "axis 0" && shape.size() > 1) {
    return ": all samples of a batch share one mask";
  }
  if (!shared.empty()) {
    return fmt::format(": the mask is shared along {}, too", shared);
  }
  return fmt::format(": the mask is not shared along {}", single);
}

bool decide_shape(Finding& finding, const Context& context,
                  const Observed& observed, double log_chance) {
  const auto units =
      impl::unit_of_element(context.law(), context.config(), observed.shape);
  const auto torn = torn_pair(observed, units);
  const auto joined = joined_pair(observed, units);
  if (!torn && !joined) return false;
  const auto repeated = repeated_calls(observed, context.p0());
  if (!torn && repeated) {
    leave_open(finding, *repeated);
    return true;
  }
  const std::string sentence = fmt::format(
      "drops one decision {}{} where one {} is required (elements {} and {} of "
      "shape {} {}){}",
      unit_in_words(observed.partition, context.config(), observed.shape),
      likeness(context, observed),
      declared_unit_in_words(context.law(), context.config(), observed.shape),
      place_of(torn ? torn->first : joined->first, observed.shape),
      place_of(torn ? torn->second : joined->second, observed.shape),
      impl::to_string(observed.shape),
      torn ? "were decided differently" : "always agree",
      axes_cause(context, observed));
  if (torn) {
    refute(finding, sentence);
  } else if (!refute_by_e_value(finding, context, -log_chance, sentence)) {
    leave_open(finding, sentence + ", but too few calls prove it");
  }
  finding.picture = picture_of(context, observed);
  return true;
}

}  // namespace

namespace {

/// Calls that tell units of one shape apart; one nat more for the number of
/// shapes that share the claim.
std::uint64_t telling_calls(double p0, std::int64_t elements,
                            std::size_t shapes, double threshold) {
  return stats::signature_calls(
      static_cast<std::uint64_t>(std::max<std::int64_t>(elements, 2)), p0,
      threshold + std::log(static_cast<double>(shapes)));
}

}  // namespace

static Finding check_granularity(const Context& context) {
  Finding finding = start_finding(context, "granularity");
  const double p0 = context.p0();
  const double threshold = context.log_threshold("granularity");
  const std::vector<impl::Shape> shapes = structure_shapes(context.plan);
  std::vector<std::string> names;
  for (const impl::Shape& shape : shapes) {
    const std::int64_t elements = impl::element_count(
        impl::output_shape(context.law(), context.config(), shape));
    const std::uint64_t wanted =
        telling_calls(p0, elements, shapes.size(), threshold);
    const std::uint64_t calls = std::min(wanted, kMostCalls);
    const Observed observed =
        observe(context, shape, static_cast<std::int64_t>(calls));
    finding.calls += calls;
    finding.n += calls * static_cast<std::uint64_t>(elements);
    const double log_chance = 2 * std::log(static_cast<double>(elements)) -
                              std::numbers::ln2 +
                              stats::log_chance_identical(p0, calls) +
                              std::log(static_cast<double>(shapes.size()));
    if (decide_shape(finding, context, observed, log_chance)) return finding;
    if (calls < wanted) {
      leave_open(finding, fmt::format("{} calls are needed to tell units apart "
                                      "at this drop probability; {} were made",
                                      wanted, calls));
      return finding;
    }
    names.push_back(impl::to_string(observed.shape));
  }
  certify(
      finding,
      fmt::format("decides {}",
                  declared_unit_in_words(
                      context.law(), context.config(),
                      impl::output_shape(context.law(), context.config(),
                                         shapes.front()))),
      fmt::format("on inputs of shape {}: equal decisions inside each unit, "
                  "different ones between any two units, over {} calls",
                  fmt::join(names, " and "), finding.calls));
  return finding;
}

namespace {

std::string_view blocks_overlap(const impl::Law& law) {
  return law.unit == impl::Unit::kBlock
             ? "blocks overlap, so no elements share a decision: see blocks"
             : "";
}

void plan_granularity(const PlannedConfiguration& planned, const Settings&,
                      double threshold, PlannedCheck& check) {
  check.detectable = "units that always agree and units decided in parts";
  if (std::min(planned.rate, 1 - planned.rate) < 1e-9) {
    check.undecidable = "two units differ too rarely to tell them apart";
    return;
  }
  const std::vector<impl::Shape> shapes = structure_shapes(planned);
  for (const impl::Shape& shape : shapes) {
    const std::int64_t elements = impl::element_count(
        impl::output_shape(*planned.law, planned.config, shape));
    const std::uint64_t calls =
        telling_calls(planned.rate, elements, shapes.size(), threshold);
    check.elements += static_cast<double>(std::min(calls, kMostCalls)) *
                      static_cast<double>(elements);
    if (calls <= kMostCalls) continue;
    check.undecidable =
        fmt::format("{} calls are needed to tell units apart", calls);
  }
}

}  // namespace

constinit const CheckDefinition granularity_check{
    .info =
        {"granularity", Evidence::kDeterministic,
         "elements share a decision exactly where the law says",
         "Each element's decisions over T calls are its signature. Elements of "
         "one unit must have one signature; two units have the same by chance "
         "with probability (p^2 + q^2)^T, and T is chosen so that this stays "
         "below the claim's share over all pairs. The partition that is found "
         "names the unit.",
         "False alarm: at most weight * alpha, the chance of equal signatures "
         "over all pairs; none where elements of a unit differ. False pass: "
         "dependence short of equality, which the independence checks see.",
         "faulty:channel_as_element"},
    .from_calls = check_granularity,
    .knows_limits = true,
    .not_applicable = blocks_overlap,
    .plan = plan_granularity};

}  // namespace dropcheck::properties
