#include "dropcheck/properties/plan.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <map>
#include <stdexcept>

#include "check_definition.hpp"
#include "dropcheck/impl/guarded_subject.hpp"
#include "dropcheck/properties/glob.hpp"
#include "dropcheck/properties/number_text.hpp"
#include "dropcheck/properties/verify.hpp"
#include "dropcheck/stats/look_schedule.hpp"
#include "dropcheck/stats/run_alarm.hpp"
#include "plan_sizes.hpp"
#include "sampler.hpp"
#include "shapes.hpp"

namespace dropcheck::properties {
namespace {

std::vector<double> default_probabilities(const Settings& settings) {
  return settings.drop_probabilities.empty()
             ? std::vector<double>{0.1, 0.3, 0.5}
             : settings.drop_probabilities;
}

struct Candidate {
  impl::LayerConfig config;
  bool first_probability = false;
  bool first_dtype = false;
  bool plain = false;  ///< no variant
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
  const auto add = [&](impl::LayerConfig config, double p, impl::DType dtype,
                       bool plain) {
    config.layer = subject.entry.layer;
    config.drop_probability = p;
    config.dtype = dtype;
    all.push_back(
        {config, p == probabilities.front(), dtype == dtypes.front(), plain});
  };
  for (const impl::DType dtype : dtypes) {
    for (const double p : probabilities) {
      const bool wanted =
          asked || dtype == dtypes.front() || p == probabilities.front();
      if (wanted) add({}, p, dtype, true);
    }
  }
  for (const impl::LayerConfig& variant : subject.entry.variants) {
    add(variant, probabilities.front(), dtypes.front(), false);
  }
  return all;
}

bool reports_nothing(const PlannedConfiguration& planned) {
  return std::all_of(planned.checks.begin(), planned.checks.end(),
                     [](const PlannedCheck& check) { return check.hidden; });
}

bool is_asked(const PlannedCheck& item, const impl::Law& law,
              const Settings& settings) {
  const auto matches = [&](const std::string& glob) {
    return glob_matches(glob, item.id) || glob_matches(glob, item.check) ||
           glob_matches(glob, fmt::format("{}.{}", law.layer, item.check));
  };
  return settings.only.empty() ||
         std::any_of(settings.only.begin(), settings.only.end(), matches);
}

bool has_meaning(const CheckDefinition& check,
                 const PlannedConfiguration& planned,
                 const Occasion& occasion) {
  if (!not_applicable(check.info, *planned.law).empty()) return false;
  if (check.needs_rate && planned.delta <= 0) return false;
  return check.left_out == nullptr || !check.left_out(planned, occasion);
}

void plan_checks(PlannedConfiguration& planned, const Occasion& occasion) {
  for (const CheckDefinition* check : check_definitions()) {
    if (!has_meaning(*check, planned, occasion)) continue;
    PlannedCheck item;
    item.check = check->info.name;
    item.id = fmt::format("{}.{}[{}]", planned.law->layer, item.check,
                          planned.configuration);
    item.hidden = !is_asked(item, *planned.law, occasion.settings);
    if (item.hidden && !check->structural) continue;
    item.weight = check->takes_chance ? 1 : 0;
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
  plan_checks(planned, {settings, candidate.first_probability,
                        candidate.first_dtype, candidate.plain});
  return planned;
}

/// Named effects are missed this often, and planned for it.
constexpr double kMissProbability = 1e-9;

/// What each check detects, and with how many units, before any data.
void describe_detection(PlannedConfiguration& planned,
                        const Settings& settings) {
  for (PlannedCheck& check : planned.checks) {
    const CheckDefinition& definition = definition_of(check.check);
    check.detectable = "any breach among the cases that it lists";
    check.shares_masks = definition.from_battery != nullptr;
    if (check.weight > 0) check.miss_probability = kMissProbability;
    if (check.weight > 0 && check.shares_masks) {
      check.expected_n = check.worst_n =
          static_cast<double>(planned.structure_n);
    }
    if (definition.plan == nullptr || planned.delta <= 0) continue;
    const double weight = check.weight > 0 ? check.weight : 1;
    definition.plan(planned, settings,
                    stats::refutation_threshold(settings.alpha, weight), check);
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
      if (claims > 0) check.weight *= plan.settings.share / claims;
    }
    describe_detection(planned, plan.settings);
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

void forecast(PlannedConfiguration& planned, unsigned threads) {
  if (planned.delta <= 0) {
    planned.expected_seconds = planned.worst_seconds = kSecondsPerConfiguration;
    return;
  }
  const auto units = static_cast<double>(planned.units_per_call);
  const auto elements = static_cast<double>(impl::element_count(planned.shape));
  const double cost =
      (planned.seconds_per_call + elements * kSecondsPerElement) / threads;
  const double expected =
      std::max(stats::expected_n(planned.rate, planned.delta),
               static_cast<double>(planned.structure_n));
  const double worst =
      static_cast<double>(std::max(planned.rate_n_max, planned.structure_n));
  planned.seconds_per_element = cost / elements;
  double own_elements = 0;
  for (const PlannedCheck& check : planned.checks) {
    own_elements += check.elements;
  }
  const double fixed =
      kSecondsPerConfiguration + own_elements * planned.seconds_per_element;
  planned.expected_seconds = fixed + std::min(expected, worst) / units * cost;
  planned.worst_seconds = fixed + worst / units * cost;
}

void forecast(Plan& plan) {
  const unsigned threads =
      std::min(thread_count(plan.settings), thread_count({}));
  std::map<std::string_view, bool> repeatable;
  for (const PlannedSubject& subject : plan.subjects) {
    repeatable[subject.entry.name] = subject.repeatable();
  }
  for (PlannedConfiguration& planned : plan.configurations) {
    forecast(planned, repeatable[planned.subject] ? threads : 1);
    plan.expected_seconds += planned.expected_seconds;
    plan.worst_seconds += planned.worst_seconds;
  }
}

impl::SubjectEntry guarded_if_asked(const impl::SubjectEntry& entry,
                                    double call_timeout_seconds) {
  if (!entry.guard) return entry;
  constexpr double kLongest = 1e9;  // seconds: what nanoseconds hold
  const std::chrono::duration<double> limit(
      std::min(call_timeout_seconds, kLongest));
  return impl::guarded(
      entry, std::chrono::duration_cast<std::chrono::nanoseconds>(limit));
}

/// The subject with its description, and the open subject itself.
std::pair<PlannedSubject, std::unique_ptr<impl::Subject>> plan_subject(
    const impl::SubjectEntry& entry, double call_timeout_seconds) {
  PlannedSubject planned{guarded_if_asked(entry, call_timeout_seconds),
                         std::make_shared<const impl::Law>(impl::law_of(entry)),
                         {},
                         {}};
  std::unique_ptr<impl::Subject> subject;
  try {
    subject = planned.entry.open();
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
      configuration.seconds_per_call = per_call;
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
    auto [planned, subject] =
        plan_subject(entry, settings.call_timeout_seconds);
    if (subject) plan_configurations(planned, *subject, plan);
    plan.subjects.push_back(std::move(planned));
  }
  share_weights(plan);
  forecast(plan);
  return plan;
}

Plan replay_plan(const ReplayToken& token, const impl::SubjectEntry& subject,
                 double call_timeout_seconds) {
  Plan plan;
  plan.settings.call_timeout_seconds = call_timeout_seconds;
  plan.subjects.push_back(plan_subject(subject, call_timeout_seconds).first);
  plan.settings.profile = token.profile;
  plan.settings.seed = token.seed;
  plan.settings.alpha = token.alpha;
  plan.settings.delta =
      token.delta > 0 ? std::optional(token.delta) : std::nullopt;
  plan.delta = token.delta;
  plan.margin = token.margin;
  const Candidate candidate{token.config, true, true, true};
  PlannedConfiguration planned = plan_configuration(
      plan.subjects.front(), candidate, &token.shape, plan.settings);
  planned.own_shape = token.own_shape;
  planned.rate_n_max = token.rate_n_max;
  std::erase_if(planned.checks, [&](const PlannedCheck& check) {
    return check.check != token.check && !definition_of(check.check).structural;
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
  describe_detection(planned, plan.settings);
  plan.configurations.push_back(std::move(planned));
  return plan;
}

}  // namespace dropcheck::properties
