#include "dropcheck/properties/plan.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <stdexcept>
#include <thread>

#include "dropcheck/properties/check_catalogue.hpp"
#include "dropcheck/properties/glob.hpp"
#include "dropcheck/properties/number_text.hpp"
#include "dropcheck/properties/verify.hpp"
#include "dropcheck/stats/look_schedule.hpp"
#include "sampler.hpp"
#include "shapes.hpp"

namespace dropcheck::properties {
namespace {

/// What a profile asks for, and the most that one configuration may cost.
struct Budget {
  double delta;
  double margin;
  double calls;
  double elements;
};

Budget budget_of(Profile profile) {
  switch (profile) {
    case Profile::kSmoke:
      return {1e-2, 5e-2, 1.5e5, 4e7};
    case Profile::kPr:
      return {5e-4, 5e-3, 6.5e5, 2e9};
    case Profile::kNightly:
      return {5e-5, 5e-4, 6.5e7, 2e11};
    case Profile::kExhaustive:
      return {2e-6, 5e-4, 6.5e7, 2e14};
  }
  return {};
}

/// Normalised time within which a context of the structure checks is certified
/// but for a chance of 1e-9; more than the 180 of a rate, because margins are
/// wide against p and sixteen classes share the wish.
constexpr double kContextTime = 220;
constexpr double kClasses = 16;

double smaller_side(double p) { return std::min(p, 1 - p); }

bool testable(double p) { return p > 0 && p < 1; }

/// Units that the profile affords for a configuration.
double affordable_units(const Budget& budget, double units, double elements) {
  return units * std::min(budget.calls, budget.elements / elements);
}

void plan_sizes(PlannedConfiguration& planned, const Settings& settings) {
  const Budget budget = budget_of(settings.profile);
  const impl::Shape output =
      impl::output_shape(*planned.law, planned.config, planned.shape);
  const auto elements = static_cast<double>(impl::element_count(output));
  planned.units_per_call = impl::element_count(
      impl::unit_shape(*planned.law, planned.config, output));
  const double p = planned.config.drop_probability;
  if (!testable(p) || planned.units_per_call == 0) return;
  const double pq = p * (1 - p);
  const auto units = static_cast<double>(planned.units_per_call);
  const double affordable = affordable_units(budget, units, elements);
  const double asked = settings.delta.value_or(budget.delta);
  const double limit = smaller_side(p) / 5;
  planned.delta =
      std::min(std::max(asked, stats::affordable_delta(p, affordable)), limit);
  if (planned.delta > asked * 1.001) {
    planned.note = fmt::format(
        "tolerance {:.2g} instead of {:.2g}: {} unit{} a call", planned.delta,
        asked, planned.units_per_call, planned.units_per_call == 1 ? "" : "s");
  } else if (planned.delta < asked * 0.999) {
    planned.note = fmt::format("tolerance {:.2g}, a fifth of min(p, 1 - p)",
                               planned.delta);
  }
  const double n_max =
      static_cast<double>(stats::n_max(p, planned.delta, settings.alpha));
  if (n_max > 1.01 * affordable) {
    planned.note = fmt::format(
        "the profile affords {:.2g} of the {:.2g} units that a certificate at "
        "this drop probability may need: it may stay inconclusive",
        affordable, n_max);
  }
  planned.rate_n_max =
      static_cast<std::uint64_t>(std::max(1.0, std::min(n_max, affordable)));
  planned.margin =
      std::min(std::max(budget.margin,
                        std::sqrt(kClasses * kContextTime * pq / affordable)),
               smaller_side(p) / 2);
  const double context_n =
      kContextTime * pq / (planned.margin * planned.margin);
  const double needed =
      std::max(kClasses * context_n, context_n / smaller_side(p));
  planned.structure_n =
      static_cast<std::uint64_t>(std::max(1.0, std::min(needed, affordable)));
}

/// About 1 % of the expected sample, at most 2^20 decisions; a multiple of 16
/// calls, so that parts in time are equally long. Short calls are laid end to
/// end, a block is then one row.
std::int64_t block_calls(const PlannedConfiguration& planned) {
  if (planned.delta <= 0) return 1;
  const std::int64_t units = planned.units_per_call;
  if (units < 64) {
    const auto row =
        std::clamp(static_cast<std::int64_t>(planned.structure_n / 16),
                   std::int64_t{512}, std::int64_t{4096});
    return (row + units - 1) / units;
  }
  const double expected =
      stats::expected_n(planned.config.drop_probability, planned.delta);
  const std::int64_t most =
      std::max<std::int64_t>(16, (std::int64_t{1} << 20) / units);
  const std::int64_t calls = std::clamp<std::int64_t>(
      static_cast<std::int64_t>(expected / 100) / units, 16, most);
  return calls / 16 * 16;
}

std::vector<double> default_probabilities(const Settings& settings) {
  return settings.drop_probabilities.empty()
             ? std::vector<double>{0.1, 0.3, 0.5}
             : settings.drop_probabilities;
}

struct Candidate {
  impl::LayerConfig config;
  bool first_probability = false;
};

/// All probabilities at f32 (or the first dtype), the other dtypes and the
/// variants at the first probability.
std::vector<Candidate> candidates(const PlannedSubject& subject,
                                  const Settings& settings) {
  std::vector<impl::DType> dtypes = settings.dtypes;
  const bool asked = !dtypes.empty();
  if (!asked) {
    dtypes = subject.description.dtypes;
    std::stable_partition(dtypes.begin(), dtypes.end(), [](impl::DType dtype) {
      return dtype == impl::DType::kFloat32;
    });
  }
  const std::vector<double> probabilities = default_probabilities(settings);
  std::vector<Candidate> all;
  const auto add = [&](impl::LayerConfig config, double p, impl::DType dtype) {
    config.layer = subject.entry.layer;
    config.drop_probability = p;
    config.dtype = dtype;
    all.push_back({config, p == probabilities.front()});
  };
  for (const impl::DType dtype : dtypes) {
    for (const double p : probabilities) {
      const bool wanted =
          asked || dtype == dtypes.front() || p == probabilities.front();
      if (wanted) add({}, p, dtype);
    }
  }
  for (const impl::LayerConfig& variant : subject.entry.variants) {
    add(variant, probabilities.front(), dtypes.front());
  }
  return all;
}

bool needs_statistics(std::string_view check) {
  return check != "eval_identity" && check != "edge_probabilities";
}

bool is_structural(std::string_view check) {
  return check == "unit_counts" || check == "homogeneity" ||
         check == "independence_within" || check == "independence_calls";
}

/// Gradients around a softmax are compared with differences of results, which
/// 16 bits do not resolve.
bool by_differences(const PlannedConfiguration& planned) {
  return planned.law->base == impl::Base::kEvaluation &&
         impl::size_of(planned.config.dtype) < sizeof(float);
}

bool reports_nothing(const PlannedConfiguration& planned) {
  return std::all_of(planned.checks.begin(), planned.checks.end(),
                     [](const PlannedCheck& check) { return check.hidden; });
}

bool takes_chance(const CheckInfo& check) {
  return check.evidence == Evidence::kStatistical ||
         check.name == "granularity" || check.name == "seeding";
}

void plan_checks(PlannedConfiguration& planned, const Candidate& candidate,
                 const Settings& settings) {
  for (const CheckInfo& check : checks()) {
    if (!not_applicable(check, *planned.law).empty()) continue;
    if (needs_statistics(check.name) && planned.delta <= 0) continue;
    if (check.name == "edge_probabilities" && !candidate.first_probability) {
      continue;
    }
    if (check.name == "backward_mask" && by_differences(planned)) continue;
    PlannedCheck item;
    item.check = check.name;
    item.id = fmt::format("{}.{}[{}]", planned.law->layer, check.name,
                          planned.configuration);
    const bool wanted =
        settings.only.empty() ||
        std::any_of(settings.only.begin(), settings.only.end(),
                    [&](const std::string& glob) {
                      return glob_matches(glob, item.id) ||
                             glob_matches(glob, item.check) ||
                             glob_matches(
                                 glob, fmt::format("{}.{}", planned.law->layer,
                                                   check.name));
                    });
    if (!wanted && !is_structural(check.name)) continue;
    item.hidden = !wanted;
    item.weight = takes_chance(check) ? 1 : 0;
    planned.checks.push_back(std::move(item));
  }
}

PlannedConfiguration plan_configuration(const PlannedSubject& subject,
                                        const Candidate& candidate,
                                        const impl::Shape* shape,
                                        const Settings& settings) {
  PlannedConfiguration planned;
  planned.subject = subject.entry.name;
  planned.law = subject.law.get();
  planned.config = candidate.config;
  planned.own_shape = shape != nullptr;
  planned.shape =
      shape != nullptr
          ? *shape
          : statistical_shape(*planned.law, planned.config, settings.profile);
  planned.configuration = fmt::format("{},{}", impl::describe(planned.config),
                                      impl::to_string(planned.shape));
  plan_sizes(planned, settings);
  planned.calls_per_block = block_calls(planned);
  plan_checks(planned, candidate, settings);
  return planned;
}

/// The smallest effect that an e-value of the planned n finds with probability
/// 1 - 1e-9: its logarithm is about (Z + effect * sqrt(n))^2 / 2 less
/// `overhead` for the mixture, and has to reach the claim's threshold.
double detectable_z(double threshold, double overhead) {
  constexpr double kQuantile = 5.99780701500769;  // of 1 - 1e-9
  return kQuantile + std::sqrt(2 * (threshold + overhead));
}

/// How much the quantity of a check moves with the drop rate.
double effect_per_rate(const PlannedConfiguration& planned,
                       const PlannedCheck& check) {
  const double p = planned.config.drop_probability;
  if (check.check == "drop_rate") return 1;
  if (check.check == "expectation") {
    return impl::affine(*planned.law, planned.config).a;
  }
  return (std::abs(1 - 2 * p) + planned.delta) / (p * (1 - p));
}

void describe_detection(PlannedConfiguration& planned, double alpha) {
  const double p = planned.config.drop_probability;
  const auto n = static_cast<double>(planned.structure_n);
  for (PlannedCheck& check : planned.checks) {
    if (check.weight <= 0) continue;
    const double threshold = -std::log(alpha * check.weight);
    check.expected_n = check.worst_n = n;
    const double overhead = std::log(std::max(n, 2.0)) / 2;
    if (check.check == "drop_rate" || check.check == "expectation" ||
        check.check == "moments") {
      check.detectable_effect = planned.delta * effect_per_rate(planned, check);
      check.expected_n = stats::expected_n(p, planned.delta, alpha);
      check.worst_n = static_cast<double>(planned.rate_n_max);
      check.detectable = fmt::format(
          "a drop rate off by {:.2g} is certified with probability at most {}",
          planned.delta, number_text(alpha));
    } else if (check.check == "independence_within" ||
               check.check == "independence_calls") {
      check.detectable_effect =
          detectable_z(threshold + std::log(100), overhead) / std::sqrt(n);
      check.detectable = fmt::format(
          "a correlation of {:.2g} at any one lag is refuted with probability "
          "1 - 1e-9",
          check.detectable_effect);
    } else if (check.check == "homogeneity") {
      check.detectable_effect =
          detectable_z(threshold + 2, overhead + kClasses) *
          std::sqrt(p * (1 - p) * kClasses / n);
      check.detectable = fmt::format(
          "a rate off by {:.2g} in one of 16 segments is refuted with "
          "probability 1 - 1e-9",
          check.detectable_effect);
    } else if (check.check == "unit_counts") {
      // Variance ratio v of N groups: ln E is about N (v - 1)^2 / 4.
      check.detectable_effect =
          detectable_z(threshold + 1, 32) * std::sqrt(2 * 64 / n);
      check.detectable = fmt::format(
          "a variance {:.2g} times the binomial one, more or less, is refuted "
          "with probability 1 - 1e-9",
          1 + check.detectable_effect);
    } else if (check.check == "self_normalisation") {
      check.detectable =
          "a mean or mean square outside the band is certified "
          "with probability at most 1e-9";
    } else {
      check.detectable = check.check == "seeding"
                             ? "seeds or calls that give the same mask are "
                               "refuted"
                             : "units that always agree, and units decided in "
                               "parts, are refuted";
    }
    // Two digits are all that a plan can promise.
    check.detectable_effect =
        std::stod(fmt::format("{:.2g}", check.detectable_effect));
  }
}

void share_weights(Plan& plan) {
  double claims = 0;
  for (const auto& planned : plan.configurations) {
    for (const auto& check : planned.checks) {
      if (!check.hidden) claims += check.weight;
    }
  }
  for (auto& planned : plan.configurations) {
    for (auto& check : planned.checks) {
      if (claims > 0) check.weight /= claims;
    }
    if (planned.delta > 0) describe_detection(planned, plan.settings.alpha);
  }
}

/// Seconds of one training call, by a few calls that enter no statistic.
double seconds_per_call(impl::Subject& subject,
                        const PlannedConfiguration& planned) {
  using Clock = std::chrono::steady_clock;
  try {
    impl::Tensor input(planned.config.dtype, planned.shape);
    for (std::int64_t i = 0; i < input.size(); ++i) input.view().set(i, 1);
    const auto layer = subject.make(planned.config);
    const std::int64_t repeat = std::clamp<std::int64_t>(
        100000 / std::max<std::int64_t>(1, input.size()), 1, 1000);
    layer->forward({input.view(), true, repeat});
    const auto begin = Clock::now();
    layer->forward({input.view(), true, repeat});
    return std::chrono::duration<double>(Clock::now() - begin).count() /
           static_cast<double>(repeat);
  } catch (...) {
    return 0;  // What is wrong with it is for the checks to find.
  }
}

/// Reading and counting, per element, measured on the machine of PERFORMANCE.
constexpr double kSecondsPerElement = 1.8e-9;
constexpr double kSecondsPerConfiguration = 0.05;

void forecast(PlannedConfiguration& planned, double per_call,
              unsigned threads) {
  if (planned.delta <= 0) {
    planned.expected_seconds = planned.worst_seconds = kSecondsPerConfiguration;
    return;
  }
  const auto units = static_cast<double>(planned.units_per_call);
  const auto elements = static_cast<double>(impl::element_count(planned.shape));
  const double cost = (per_call + elements * kSecondsPerElement) / threads;
  const double expected = std::max(
      stats::expected_n(planned.config.drop_probability, planned.delta),
      static_cast<double>(planned.structure_n));
  const double worst =
      static_cast<double>(std::max(planned.rate_n_max, planned.structure_n));
  planned.expected_seconds =
      kSecondsPerConfiguration + std::min(expected, worst) / units * cost;
  planned.worst_seconds = kSecondsPerConfiguration + worst / units * cost;
}

/// The subject with its description, and the open subject itself.
std::pair<PlannedSubject, std::unique_ptr<impl::Subject>> plan_subject(
    const impl::SubjectEntry& entry) {
  PlannedSubject planned{
      entry, std::make_shared<const impl::Law>(impl::law_of(entry)), {}, {}};
  std::unique_ptr<impl::Subject> subject;
  try {
    subject = entry.open();
    planned.description = subject->describe();
  } catch (const std::exception& error) {
    planned.failure = error.what();
  } catch (...) {
    planned.failure = "an exception that is no std::exception";
  }
  return {std::move(planned), std::move(subject)};
}

/// Adds every configuration of a subject to the plan.
void plan_configurations(const PlannedSubject& planned, impl::Subject& subject,
                         Plan& plan) {
  const Settings& settings = plan.settings;
  const unsigned cores = std::max(1U, std::thread::hardware_concurrency());
  const unsigned threads =
      settings.threads > 0 ? std::min(settings.threads, cores) : cores;
  double per_call = -1;
  std::vector<const impl::Shape*> shapes;
  for (const impl::Shape& shape : settings.shapes) shapes.push_back(&shape);
  if (shapes.empty()) shapes.push_back(nullptr);
  for (const impl::Shape* shape : shapes) {
    for (const Candidate& candidate : candidates(planned, settings)) {
      PlannedConfiguration configuration;
      try {
        configuration = plan_configuration(planned, candidate, shape, settings);
      } catch (const std::invalid_argument& error) {
        plan.warnings.push_back(
            fmt::format("{}: left out: {}", planned.entry.name, error.what()));
        continue;
      }
      if (reports_nothing(configuration)) continue;
      if (per_call < 0) per_call = seconds_per_call(subject, configuration);
      forecast(configuration, per_call, planned.repeatable() ? threads : 1);
      plan.expected_seconds += configuration.expected_seconds;
      plan.worst_seconds += configuration.worst_seconds;
      plan.configurations.push_back(std::move(configuration));
    }
  }
}

}  // namespace

Plan make_plan(const std::vector<impl::SubjectEntry>& subjects,
               const Settings& settings) {
  Plan plan;
  plan.settings = settings;
  const Budget budget = budget_of(settings.profile);
  plan.delta = settings.delta.value_or(budget.delta);
  plan.margin = budget.margin;
  for (const impl::SubjectEntry& entry : subjects) {
    auto [planned, subject] = plan_subject(entry);
    if (subject) plan_configurations(planned, *subject, plan);
    plan.subjects.push_back(std::move(planned));
  }
  share_weights(plan);
  return plan;
}

Plan replay_plan(const ReplayToken& token, const impl::SubjectEntry& subject) {
  Plan plan;
  plan.subjects.push_back(plan_subject(subject).first);
  plan.settings.profile = token.profile;
  plan.settings.seed = token.seed;
  plan.settings.alpha = token.alpha;
  plan.settings.delta =
      token.delta > 0 ? std::optional(token.delta) : std::nullopt;
  plan.delta = token.delta;
  plan.margin = token.margin;
  const Candidate candidate{token.config, true};
  PlannedConfiguration planned = plan_configuration(
      plan.subjects.front(), candidate, &token.shape, plan.settings);
  planned.own_shape = token.own_shape;
  std::erase_if(planned.checks, [&](const PlannedCheck& check) {
    return check.check != token.check && !is_structural(check.check);
  });
  for (PlannedCheck& check : planned.checks) {
    check.hidden = check.check != token.check;
    check.weight = token.weight;
  }
  if (reports_nothing(planned)) {
    throw std::invalid_argument(
        fmt::format("replay token: check is '{}', which has no meaning for {}",
                    token.check, token.config.layer));
  }
  if (planned.delta > 0) describe_detection(planned, token.alpha);
  plan.configurations.push_back(std::move(planned));
  return plan;
}

}  // namespace dropcheck::properties
