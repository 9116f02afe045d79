// value_independence: the mask does not look at the data (STATISTICS 2.f 11).
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "check_definition.hpp"
#include "context.hpp"
#include "detection.hpp"
#include "dropcheck/stats/homogeneity.hpp"
#include "mask_kernels.hpp"
#include "mask_stream.hpp"
#include "own_draws.hpp"
#include "shapes.hpp"
#include "structure_evidence.hpp"
#include "value_rules.hpp"

namespace dropcheck::properties {
namespace {

constexpr std::int64_t kUnits = 4096;  ///< a call
constexpr std::uint64_t kInputs = 8;   ///< by which values meet other places
constexpr std::uint64_t kSeeds = 16;   ///< compared between inputs
constexpr double kClasses = 14;        ///< two signs, seven exponents

std::int64_t calls_of(Profile profile) {
  return by_profile<std::int64_t>(profile, 32, 512, 1 << 15);
}

/// Sign and exponent of a value.
using Class = std::pair<bool, int>;

Class class_of(double value) {
  return {std::signbit(value), std::ilogb(value)};
}

std::string words_of(const Class& range) {
  const double low = std::ldexp(1.0, range.second);
  return range.first ? fmt::format("x in (-{:g}, -{:g}]", 2 * low, low)
                     : fmt::format("x in [{:g}, {:g})", low, 2 * low);
}

/// One input: its masks, and the units of each class of values.
class Input {
 public:
  Input(const Context& context, const impl::Shape& shape, std::uint64_t number)
      : source_(context, shape, context.p0(), number), stream_(source_) {
    const auto words = static_cast<std::size_t>((source_.units() + 63) / 64);
    for (std::int64_t i = source_.elements() - 1; i >= 0; --i) {
      const std::uint32_t unit = source_.unit_of(i);
      auto& bits = classes_[class_of(source_.base(i))];
      bits.resize(words);
      bits[unit / 64] |= std::uint64_t{1} << unit % 64;
    }
  }

  bool readable() const { return source_.readable(); }
  const StreamSource& source() const { return source_; }

  /// The mask of the first call after a reseed.
  std::vector<std::uint64_t> mask(std::uint64_t seed) {
    std::vector<std::uint64_t> words;
    stream_.reseed(seed);
    stream_.draw(1, [&](const std::uint64_t* mask) {
      words.assign(mask, mask + (source_.units() + 63) / 64);
    });
    return words;
  }

  void count(std::uint64_t seed, std::int64_t calls,
             std::map<Class, stats::Counts>& counts) {
    stream_.reseed(seed);
    stream_.draw(calls, [&](const std::uint64_t* mask) {
      for (const auto& [range, bits] : classes_) {
        counts[range] += {popcount_and(mask, bits.data(), bits.size()),
                          popcount(bits.data(), bits.size())};
      }
    });
  }

 private:
  StreamSource source_;
  MaskStream stream_;
  std::map<Class, std::vector<std::uint64_t>> classes_;
};

/// The rule that the decisions about both inputs follow.
std::string rule_words(Input& a, Input& b, const Context& context) {
  std::vector<Decision> decisions;
  for (Input* input : {&a, &b}) {
    const StreamSource& source = input->source();
    for (std::uint64_t i = 0; i < kSeeds; ++i) {
      const auto mask =
          input->mask(stream_seed(context.experiment, Stream::kValues, i));
      for (std::int64_t e = 0; e < source.elements(); ++e) {
        const std::uint32_t unit = source.unit_of(e);
        decisions.push_back(
            {source.base(e), (mask[unit / 64] >> unit % 64 & 1U) != 0});
      }
    }
  }
  return rule_of_values(decisions).value_or(
      "no values are dropped more than others, so they seem to be hashed "
      "into the random numbers");
}

/// Where two inputs get other masks from one seed, in words.
std::optional<std::string> other_mask(Input& a, Input& b,
                                      const Context& context) {
  for (std::uint64_t i = 0; i < kSeeds; ++i) {
    const std::uint64_t seed =
        stream_seed(context.experiment, Stream::kValues, i);
    const auto first = a.mask(seed);
    // Where a seed does not repeat its own mask, `seeding` says so.
    if (a.mask(seed) != first) return std::nullopt;
    const auto other = b.mask(seed);
    for (std::int64_t unit = 0; unit < a.source().units(); ++unit) {
      const auto word = static_cast<std::size_t>(unit / 64);
      if (((first[word] ^ other[word]) >> unit % 64 & 1U) == 0) continue;
      const bool dropped = (first[word] >> unit % 64 & 1U) != 0;
      return fmt::format(
          "the mask depends on the values: with one seed, unit {} is {} for x "
          "= {:.7g} and {} for x = {:.7g}: {}",
          unit, dropped ? "dropped" : "kept", a.source().base(unit),
          dropped ? "kept" : "dropped", b.source().base(unit),
          rule_words(a, b, context));
    }
  }
  return std::nullopt;
}

Class strangest(const std::map<Class, stats::Counts>& counts, double rate) {
  Class worst{};
  double largest = -1;
  for (const auto& [range, count] : counts) {
    const double distance = std::abs(rate_of(count) - rate) *
                            std::sqrt(static_cast<double>(count.n));
    if (distance <= largest) continue;
    largest = distance;
    worst = range;
  }
  return worst;
}

/// Decides by the rates of the classes, whatever the seeds do.
void decide_by_rates(Finding& finding, const Context& context,
                     const std::map<Class, stats::Counts>& counts) {
  std::vector<stats::Counts> groups;
  stats::Counts all;
  for (const auto& [range, count] : counts) {
    groups.push_back(count);
    all += count;
  }
  const double rate = rate_of(all);
  const Class worst = strangest(counts, rate);
  finding.quantity = "drop rate of " + words_of(worst);
  finding.expected = rate;
  finding.observed = rate_of(counts.at(worst));
  if (refute_by_e_value(
          finding, context,
          stats::log_homogeneity_e_value(groups, context.p0()),
          fmt::format("the drop rate depends on the values: {} drops at "
                      "{:.5g}, all together at {:.5g}",
                      words_of(worst), *finding.observed, rate))) {
    return;
  }
  const double p = context.p0();
  if (leave_empty_bound_open(finding, context, std::max(p, 1 - p))) return;
  certify(finding, "the mask does not look at the values",
          fmt::format("masks of one seed agree for two inputs ({} seeds, where "
                      "the layer can be reseeded); in {} decisions: {}",
                      kSeeds, all.n, finding.detectable));
}

}  // namespace

static Finding check_value_independence(const Context& context) {
  Finding finding = start_finding(context, "value_independence");
  const impl::Shape shape =
      shape_of_units(context.law(), context.config(), kUnits);
  std::vector<std::unique_ptr<Input>> inputs;
  for (std::uint64_t i = 0; i < kInputs; ++i) {
    inputs.push_back(std::make_unique<Input>(context, shape, i + 1));
    if (!inputs.back()->readable()) {
      leave_open(finding, "the mask cannot be read");
      return finding;
    }
  }
  const std::int64_t calls = calls_of(context.settings.profile);
  finding.calls = static_cast<std::uint64_t>(calls) * kInputs;
  finding.n = finding.calls *
              static_cast<std::uint64_t>(inputs.front()->source().units());
  if (context.describe().reseed) {
    if (const auto words = other_mask(*inputs[0], *inputs[1], context)) {
      finding.evidence = Evidence::kDeterministic;
      refute(finding, *words);
      return finding;
    }
  }
  std::map<Class, stats::Counts> counts;
  for (std::uint64_t i = 0; i < kInputs; ++i) {
    inputs[i]->count(
        stream_seed(context.experiment, Stream::kValues, kSeeds + i), calls,
        counts);
  }
  decide_by_rates(finding, context, counts);
  return finding;
}

namespace {

std::string_view reads_no_input(const impl::Law& law) {
  const std::string_view no_units = one_decision_a_call(law);
  if (!no_units.empty()) return no_units;
  return law.base == impl::Base::kEvaluation
             ? "the mask multiplies what the layer computes, not its input"
             : "";
}

void plan_value_independence(const PlannedConfiguration& planned,
                             const Settings& settings, double threshold,
                             PlannedCheck& check) {
  const double p = planned.config.drop_probability;
  const double n = static_cast<double>(calls_of(settings.profile)) *
                   static_cast<double>(kInputs * kUnits);
  check.detectable_effect =
      two_digits(detectable_z(threshold + 2, mixture_overhead(n) + kClasses) *
                 std::sqrt(p * (1 - p) * kClasses / n));
  check.detectable = fmt::format(
      "a drop rate off by {:.2g} for values of one sign and exponent",
      check.detectable_effect);
  check.expected_n = check.worst_n = n;
  check.elements = n;
}

}  // namespace

constinit const CheckDefinition value_independence_check{
    .info = {"value_independence", Evidence::kStatistical,
             "the mask does not look at the data",
             "Eight inputs that put every sign and exponent at other places. "
             "Where the layer can be reseeded, one seed must give the same "
             "mask for two of them. The drop rates by sign and exponent are "
             "compared over all of them, by universal inference with unknown "
             "rate. In one configuration a subject.",
             kByEValue, "faulty:large_values_kept"},
    .from_calls = check_value_independence,
    .own_shapes = true,
    .not_applicable = reads_no_input,
    .left_out = not_once,
    .plan = plan_value_independence};

}  // namespace dropcheck::properties
