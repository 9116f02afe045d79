// blocks: drop_block drops unions of whole blocks, on maps that are drawn
// apart from each other.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <mutex>
#include <numbers>

#include "block_causes.hpp"
#include "block_patterns.hpp"
#include "check_definition.hpp"
#include "context.hpp"
#include "dropcheck/stats/granularity.hpp"
#include "own_calls.hpp"
#include "shapes.hpp"

namespace dropcheck::properties {
namespace {

constexpr std::int64_t kCallsPerBlock = 16;
constexpr double kMostElements = 1 << 24;

/// A map of one call that no whole blocks make up, or a channel that differs
/// from the first one of its sample where they share a mask.
struct BadMap {
  std::uint64_t call = std::numeric_limits<std::uint64_t>::max();
  std::int64_t map = 0;
  std::int64_t position = 0;
  std::vector<std::uint8_t> dropped;
};

/// Everything that is asked of the maps of a shape.
class Patterns {
 public:
  Patterns(const Context& context, const impl::Shape& shape)
      : law_(impl::block_law(context.law(), context.config(), shape)),
        coupled_(context.config().block.shared_by_channels),
        channels_(shape[1]),
        maps_(shape[0] * shape[1]),
        size_(impl::element_count(shape) / std::max<std::int64_t>(1, maps_)),
        longer_(law_.axes.size(), true),
        twin_(static_cast<std::size_t>(maps_), 0) {
    counts.resize(static_cast<std::size_t>(size_));
    for (const impl::BlockAxis& axis : law_.axes) {
      const bool whole_map = axis.centres() == axis.extent;
      longer_axes_.push_back(
          impl::block_axis(axis.extent, axis.block + 1, whole_map));
    }
  }

  /// Reads one call from its drop bits.
  void take(std::uint64_t call, const std::uint64_t* words) {
    std::vector<std::vector<std::uint8_t>> maps;
    for (std::int64_t m = 0; m < maps_; ++m) {
      maps.emplace_back(static_cast<std::size_t>(size_));
      for (std::int64_t i = 0; i < size_; ++i) {
        const std::int64_t bit = m * size_ + i;
        maps.back()[static_cast<std::size_t>(i)] =
            static_cast<std::uint8_t>((words[bit / 64] >> (bit % 64)) & 1U);
      }
      look_at(call, m, maps);
    }
    tell_apart(maps);
  }

  void merge(const Patterns& other) {
    if (other.broken.call < broken.call) broken = other.broken;
    if (other.split.call < split.call) split = other.split;
    for (std::size_t i = 0; i < counts.size(); ++i)
      counts[i] += other.counts[i];
    for (std::size_t a = 0; a < longer_.size(); ++a) {
      longer_[a] = longer_[a] && other.longer_[a];
    }
    std::map<std::pair<std::int64_t, std::int64_t>, std::int64_t> first;
    for (std::int64_t m = 0; m < maps_; ++m) {
      const auto at = static_cast<std::size_t>(m);
      twin_[at] =
          first.try_emplace({twin_[at], other.twin_[at]}, m).first->second;
    }
  }

  /// An earlier map that was equal to map `m` in every call, or `m`.
  std::int64_t twin(std::int64_t m) const {
    return twin_[static_cast<std::size_t>(m)];
  }
  /// Whether all maps are unions of blocks one longer along the axis, too.
  bool longer(std::size_t axis) const { return longer_[axis]; }
  const impl::BlockLaw& law() const { return law_; }
  std::int64_t maps() const { return maps_; }
  std::int64_t step() const { return coupled_ ? channels_ : 1; }

  BadMap broken;
  BadMap split;
  std::vector<stats::Counts> counts;  ///< by position

 private:
  void look_at(std::uint64_t call, std::int64_t m,
               const std::vector<std::vector<std::uint8_t>>& maps) {
    const auto& dropped = maps[static_cast<std::size_t>(m)];
    for (std::size_t i = 0; i < dropped.size(); ++i) {
      counts[i] += {dropped[i], 1};
    }
    const auto outside = outside_all_blocks(law_.axes, dropped);
    if (outside && call < broken.call) broken = {call, m, *outside, dropped};
    const auto& leader = maps[static_cast<std::size_t>(m - m % channels_)];
    if (coupled_ && call < split.call && dropped != leader) {
      const auto where =
          std::mismatch(dropped.begin(), dropped.end(), leader.begin()).first;
      split = {call, m, where - dropped.begin(), dropped};
    }
    for (std::size_t a = 0; a < longer_.size(); ++a) {
      if (!longer_[a]) continue;
      auto axes = law_.axes;
      axes[a] = longer_axes_[a];
      longer_[a] = !outside_all_blocks(axes, dropped);
    }
  }

  void tell_apart(const std::vector<std::vector<std::uint8_t>>& maps) {
    std::map<std::pair<std::int64_t, std::vector<std::uint8_t>>, std::int64_t>
        first;
    for (std::int64_t m = 0; m < maps_; ++m) {
      const auto at = static_cast<std::size_t>(m);
      twin_[at] = first.try_emplace({twin_[at], maps[at]}, m).first->second;
    }
  }

  impl::BlockLaw law_;
  bool coupled_;
  std::int64_t channels_;
  std::int64_t maps_;
  std::int64_t size_;
  std::vector<impl::BlockAxis> longer_axes_;
  std::vector<bool> longer_;
  std::vector<std::int64_t> twin_;
};

/// Chance events: equal maps, and for each axis maps that longer blocks would
/// give as well.
struct Chances {
  double log_twins = 0;                 ///< of one pair, per call
  std::vector<double> log_longer = {};  ///< per call; 0: cannot be told
  double log_claims = 0;                ///< ln of the number of events
};

Chances chances_of(const Context& context, const impl::Shape& shape) {
  const impl::BlockLaw law =
      impl::block_law(context.law(), context.config(), shape);
  const bool coupled = context.config().block.shared_by_channels;
  const auto maps =
      static_cast<double>(coupled ? shape[0] : shape[0] * shape[1]);
  std::uint64_t readable = 1;
  for (const impl::BlockAxis& axis : law.axes) {
    readable *= axis.readable().size();
  }
  Chances chances;
  const double rate = law.drop_probability(law.covering_readable());
  chances.log_twins = stats::log_chance_identical(rate, readable);
  for (std::size_t axis = 0; axis < law.axes.size(); ++axis) {
    chances.log_longer.push_back(maps * log_chance_of_longer_blocks(law, axis));
  }
  chances.log_claims = std::log(maps * (maps - 1) / 2 + 1 +
                                static_cast<double>(law.axes.size()));
  return chances;
}

/// Calls after which every event that can be told at all has at most the
/// claim's share of chance.
std::int64_t telling_calls(const Chances& chances, double threshold,
                           double elements) {
  const double needed = threshold + chances.log_claims;
  const double most = std::max(1.0, kMostElements / elements);
  double calls = needed / -chances.log_twins;
  for (const double log_chance : chances.log_longer) {
    // What would take too long is for independence_within to see.
    if (-log_chance * most >= needed) {
      calls = std::max(calls, needed / -log_chance);
    }
  }
  return static_cast<std::int64_t>(std::ceil(std::min(calls, most)));
}

MaskPicture picture_of(const BadMap& bad, const impl::BlockLaw& law) {
  MaskPicture picture;
  picture.caption = "a map that came, and the whole blocks in it";
  const std::int64_t columns = law.axes.back().extent;
  std::vector<std::uint8_t> rest = bad.dropped;
  while (const auto outside = outside_all_blocks(law.axes, rest)) {
    rest[static_cast<std::size_t>(*outside)] = 0;
  }
  const auto line = [&](const std::vector<std::uint8_t>& map, std::size_t i) {
    std::string text;
    for (std::int64_t c = 0; c < columns; ++c) {
      text += map[i + static_cast<std::size_t>(c)] != 0 ? '0' : '1';
    }
    return text;
  };
  constexpr std::size_t kLines = 32;
  for (std::size_t i = 0; i < rest.size() && picture.observed.size() < kLines;
       i += static_cast<std::size_t>(columns)) {
    picture.observed.push_back(line(bad.dropped, i));
    picture.expected.push_back(line(rest, i));
  }
  return picture;
}

std::string block_words(const impl::BlockLaw& law) {
  std::string text;
  for (const impl::BlockAxis& axis : law.axes) {
    text += fmt::format("{}{}", text.empty() ? "" : " x ", axis.block);
  }
  return text;
}

/// "sample 1, channel 2".
std::string map_words(std::int64_t map, std::int64_t channels) {
  return fmt::format("sample {}, channel {}", map / channels, map % channels);
}

void refute_map(Finding& finding, const Context& context,
                const Patterns& patterns, const impl::Shape& shape) {
  const impl::Shape extents(shape.begin() + 2, shape.end());
  const bool broken = patterns.broken.call <= patterns.split.call;
  const BadMap& bad = broken ? patterns.broken : patterns.split;
  const std::string where = fmt::format("{} of the map of {} in call {}",
                                        place_of(bad.position, extents),
                                        map_words(bad.map, shape[1]), bad.call);
  if (!broken) {
    refute(finding, fmt::format("channels of a sample must share one mask, but "
                                "position {} differs from channel 0",
                                where));
    return;
  }
  const auto cause = cause_of_map(context, extents, patterns.counts);
  refute(finding, fmt::format("drops position {} though no whole block of {} "
                              "around it is dropped{}{}",
                              where, block_words(patterns.law()),
                              cause ? ": " : "", cause.value_or("")));
  finding.picture = picture_of(bad, patterns.law());
}

/// Two maps that were the same in every call.
bool refute_twins(Finding& finding, const Context& context,
                  const Patterns& patterns, const impl::Shape& shape,
                  double log_chance) {
  for (std::int64_t m = 0; m < patterns.maps(); m += patterns.step()) {
    if (patterns.twin(m) == m) continue;
    return refute_by_e_value(
        finding, context, -log_chance,
        fmt::format("the maps of {} and of {} are the same in all {} calls: {} "
                    "share one mask",
                    map_words(patterns.twin(m), shape[1]),
                    map_words(m, shape[1]), finding.calls,
                    m / shape[1] == patterns.twin(m) / shape[1] ? "channels"
                                                                : "samples"));
  }
  return false;
}

bool refute_longer(Finding& finding, const Context& context,
                   const Patterns& patterns, const Chances& chances) {
  const auto calls = static_cast<double>(finding.calls);
  for (std::size_t axis = 0; axis < chances.log_longer.size(); ++axis) {
    if (chances.log_longer[axis] == 0 || !patterns.longer(axis)) continue;
    const double log_chance = calls * chances.log_longer[axis];
    const bool refuted = refute_by_e_value(
        finding, context, -log_chance - chances.log_claims,
        fmt::format(
            "no block of {} ever stands alone: blocks are longer along axis {}",
            block_words(patterns.law()), axis + 2));
    if (refuted) return true;
  }
  return false;
}

Patterns observe(const Context& context, const impl::Shape& shape,
                 std::int64_t calls) {
  Experiment experiment = context.experiment;
  experiment.shape = shape;
  const Inputs inputs = make_inputs(context.subject(), experiment);
  const auto outputs =
      draw_outputs(context.subject(), experiment, inputs.input,
                   stream_seed(experiment, Stream::kGranularity), 16);
  const MaskReader reader(context.law(), context.config(), inputs.base,
                          outputs);
  Patterns all(context, shape);
  std::mutex mutex;
  const auto bytes = static_cast<std::size_t>(inputs.base.byte_count());
  draw_own_calls(
      context, experiment, inputs,
      {Stream::kBlocks, (calls + kCallsPerBlock - 1) / kCallsPerBlock,
       kCallsPerBlock},
      [&](std::uint64_t block, const impl::TensorView& stacked) {
        Patterns patterns(context, shape);
        std::vector<std::uint64_t> words(reader.size() / 64 + 1);
        const auto* values = static_cast<const std::byte*>(stacked.data);
        for (std::uint64_t i = 0; i < kCallsPerBlock; ++i, values += bytes) {
          reader.read(values, words.data());
          patterns.take(block * kCallsPerBlock + i, words.data());
        }
        const std::lock_guard lock(mutex);
        all.merge(patterns);
      });
  return all;
}

Finding check_blocks(const Context& context) {
  Finding finding = start_finding(context, "blocks");
  const impl::Shape shape = structure_shapes(context.plan).front();
  const Chances chances = chances_of(context, shape);
  const auto elements = static_cast<double>(impl::element_count(shape));
  const std::int64_t calls =
      telling_calls(chances, context.log_threshold("blocks"), elements);
  const Patterns patterns = observe(context, shape, calls);
  finding.calls = static_cast<std::uint64_t>((calls + kCallsPerBlock - 1) /
                                             kCallsPerBlock * kCallsPerBlock);
  finding.n = finding.calls * static_cast<std::uint64_t>(elements);
  const std::uint64_t none = std::numeric_limits<std::uint64_t>::max();
  if (patterns.broken.call != none || patterns.split.call != none) {
    refute_map(finding, context, patterns, shape);
    return finding;
  }
  const double log_twins =
      static_cast<double>(finding.calls) * chances.log_twins +
      chances.log_claims;
  if (refute_twins(finding, context, patterns, shape, log_twins) ||
      refute_longer(finding, context, patterns, chances)) {
    return finding;
  }
  if (-log_twins < context.log_threshold("blocks")) {
    leave_open(finding, "too few calls are affordable to tell maps apart");
    return finding;
  }
  certify(finding,
          fmt::format("drops unions of whole blocks of {}, {}",
                      block_words(patterns.law()),
                      patterns.step() > 1 ? "one mask for all channels"
                                          : "each channel by itself"),
          fmt::format("on {} calls of shape {}", finding.calls,
                      impl::to_string(shape)));
  return finding;
}

std::string_view no_blocks(const impl::Law& law) {
  return law.unit == impl::Unit::kBlock ? "" : "the law has no blocks";
}

void plan_blocks(const PlannedConfiguration& planned, const Settings&, double,
                 PlannedCheck& check) {
  check.detectable =
      "a drop outside every whole block, and maps that are always the same";
  check.elements = static_cast<double>(
      impl::element_count(structure_shapes(planned).front()) * 256);
}

}  // namespace

constinit const CheckDefinition blocks_check{
    .info = {"blocks", Evidence::kDeterministic,
             "drops are unions of whole blocks, on maps drawn apart",
             "A dropped position that lies in no block which is dropped as a "
             "whole refutes: blocks of the declared size, placed and cut off "
             "at the border as declared. Channels share a mask exactly where "
             "that is declared: two maps agree by chance in all calls with "
             "probability (p^2 + q^2)^(calls * units a map) at most. Where it "
             "can be told, a block that stands alone shows that none is "
             "longer; otherwise independence_within sees longer ones.",
             "False alarm: none for a drop outside all blocks and a torn mask; "
             "at most weight * alpha for maps that always agree and blocks "
             "that never stand alone. False pass: patterns that did not come "
             "up in the calls listed.",
             "faulty:block_height_width_swapped"},
    .from_calls = check_blocks,
    .not_applicable = no_blocks,
    .plan = plan_blocks};

}  // namespace dropcheck::properties
