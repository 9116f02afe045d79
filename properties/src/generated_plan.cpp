#include "generated_plan.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "check_definition.hpp"
#include "dropcheck/impl/random_stream.hpp"

namespace dropcheck::properties {
namespace {

/// Elements that one check may draw by itself in a generated configuration.
constexpr double kMostOwnElements = 4e5;

/// Configurations of layers that one of a network costs.
constexpr std::size_t kLayersForANetwork = 8;

/// Below this keep probability a layer that holds probabilities or scales in a
/// float cannot be told from one that is wrong.
constexpr double kLeastKeep = 0x1p-10;

/// Apart from the streams of configurations, which are keyed by their text.
constexpr std::uint64_t kSourceKey = 0x636f6e6669677572;

std::uint64_t source_seed(std::uint64_t run_seed, std::string_view subject) {
  std::uint64_t seed = impl::keyed_word(run_seed, kSourceKey);
  for (const char c : subject) {
    seed = impl::keyed_word(seed, static_cast<unsigned char>(c));
  }
  return seed;
}

/// Largest finite value of a dtype, as a power of two.
double top_of(impl::DType dtype) {
  switch (dtype) {
    case impl::DType::kFloat64:
      return 0x1p1023;
    case impl::DType::kFloat16:
      return 0x1p15;
    case impl::DType::kFloat32:
    case impl::DType::kBFloat16:
      return 0x1p127;
  }
  return 1;
}

}  // namespace

Budget generated_budget() { return {1e-2, 5e-2, 2e4, 4e5}; }

std::vector<DrawnCase> generated_cases(const PlannedSubject& subject,
                                       const Settings& settings,
                                       const ConfigSource& source) {
  const bool network = subject.law->network != nullptr;
  const std::size_t count =
      network
          ? (settings.generated + kLayersForANetwork - 1) / kLayersForANetwork
          : settings.generated;
  if (count == 0) return {};
  std::vector<DrawnCase> cases = source.draw(
      {*subject.law, subject.description.dtypes, subject.entry.variants},
      source_seed(settings.seed, subject.entry.name), count);
  // A case that was drawn twice has one identifier: once is enough.
  std::set<std::string> known;
  std::erase_if(cases, [&](const DrawnCase& drawn) {
    return !known
                .insert(impl::describe(drawn.config) + "," +
                        impl::to_string(drawn.shape))
                .second;
  });
  return cases;
}

std::string unreadable(const PlannedConfiguration& planned) {
  const double p = planned.config.drop_probability;
  const double keep = 1 - p;
  if (keep < kLeastKeep) {
    return fmt::format(
        "a keep probability of {:.2g} depends on the precision in which a "
        "layer holds it",
        keep);
  }
  const double scale = impl::affine(*planned.law, planned.config).a;
  constexpr double kLargestInput = 16;
  if (scale * kLargestInput > top_of(planned.config.dtype)) {
    return fmt::format("a scale of {:.2g} leaves the range of {}", scale,
                       impl::name_of(planned.config.dtype));
  }
  return {};
}

std::string no_decisions(const PlannedConfiguration& planned) {
  if (!planned.note.empty()) return planned.note;
  if (impl::element_count(planned.shape) == 0) {
    return "an empty input shows no decision";
  }
  return fmt::format("nothing is left to chance at a drop probability of {:g}",
                     planned.config.drop_probability);
}

void plan_values_only(PlannedConfiguration& planned) {
  const double p = planned.rate;
  planned.values_only = true;
  planned.delta = std::min(p, 1 - p) / 5;
  planned.margin = std::min(p, 1 - p) / 2;
  planned.structure_n = 1;
  planned.rate_n_max = 1;
}

std::string left_out_because(const PlannedConfiguration& planned,
                             const CheckDefinition& check, bool first) {
  if (!planned.generated) return {};
  if (check.own_shapes && !first) return "the shape makes no difference to it";
  if (!check.takes_chance || !check.needs_rate) return {};
  if (!planned.values_only || check.knows_limits) return {};
  return planned.note;
}

void take_out_undecidable(PlannedConfiguration& planned) {
  std::erase_if(planned.checks, [&](const PlannedCheck& check) {
    std::string reason = check.undecidable;
    if (reason.empty() && check.elements > kMostOwnElements) {
      reason = fmt::format("would draw {:.2g} elements", check.elements);
    }
    if (reason.empty()) return false;
    planned.left_out.push_back({check.check, std::move(reason)});
    return true;
  });
}

}  // namespace dropcheck::properties
