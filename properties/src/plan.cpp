#include "dropcheck/properties/plan.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <map>
#include <memory>
#include <optional>
#include <stdexcept>

#include "check_definition.hpp"
#include "dropcheck/impl/guarded_subject.hpp"
#include "dropcheck/impl/piecewise.hpp"
#include "dropcheck/properties/glob.hpp"
#include "dropcheck/properties/number_text.hpp"
#include "dropcheck/properties/verify.hpp"
#include "dropcheck/stats/look_schedule.hpp"
#include "dropcheck/stats/run_alarm.hpp"
#include "generated_plan.hpp"
#include "plan_parts.hpp"
#include "plan_sizes.hpp"
#include "sampler.hpp"
#include "shapes.hpp"
#include "subject_dtypes.hpp"

namespace dropcheck::properties {
namespace {

std::vector<double> default_probabilities(const Settings& settings) {
  return settings.drop_probabilities.empty()
             ? std::vector<double>{0.1, 0.3, 0.5}
             : settings.drop_probabilities;
}

/// What was asked for and the subject does not declare.
void warn_of_other_dtypes(const PlannedSubject& subject, Plan& plan) {
  for (const impl::DType dtype : plan.settings.dtypes) {
    if (takes(subject.description, dtype)) continue;
    plan.warnings.push_back(fmt::format(
        "{}: left out: --dtype is {}, but it takes {}", subject.entry.name,
        impl::name_of(dtype), dtype_names(subject.description)));
  }
}

/// All probabilities at f32 (or the first dtype), the other dtypes and the
/// variants at the first probability.
std::vector<Candidate> candidates(const PlannedSubject& subject,
                                  const Settings& settings) {
  std::vector<impl::DType> dtypes = settings.dtypes;
  const bool asked = !dtypes.empty();
  std::erase_if(dtypes, [&](impl::DType dtype) {
    return !takes(subject.description, dtype);
  });
  if (asked && dtypes.empty()) return {};
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

/// Why a check that has a meaning for the law is not asked here; empty: it is.
std::string reason_against(const CheckDefinition& check,
                           const PlannedConfiguration& planned,
                           const Occasion& occasion) {
  if (check.needs_rate && planned.delta <= 0) return no_decisions(planned);
  if (check.left_out != nullptr) {
    const std::string_view reason = check.left_out(planned, occasion);
    if (!reason.empty()) return std::string(reason);
  }
  return left_out_because(planned, check, occasion.first_generated);
}

void plan_checks(PlannedConfiguration& planned, const Occasion& occasion) {
  for (const CheckDefinition* check : check_definitions()) {
    if (!not_applicable(check->info, *planned.law).empty()) continue;
    std::string reason = reason_against(*check, planned, occasion);
    if (!reason.empty()) {
      planned.left_out.push_back(
          {std::string(check->info.name), std::move(reason)});
      continue;
    }
    PlannedCheck item;
    item.check = check->info.name;
    item.id = fmt::format("{}.{}[{}]", planned.law->layer, item.check,
                          planned.configuration);
    item.hidden = !is_asked(item, *planned.law, occasion.settings);
    if (item.hidden && !check->structural) continue;
    // All generated configurations together weigh as much as another one.
    const auto sharing = static_cast<double>(
        planned.generated
            ? std::max<std::size_t>(occasion.settings.generated, 1)
            : 1);
    item.weight = check->takes_chance ? 1 / sharing : 0;
    planned.checks.push_back(std::move(item));
  }
}

}  // namespace

PlannedConfiguration plan_configuration(const PlannedSubject& subject,
                                        const Candidate& candidate,
                                        const impl::Shape* shape,
                                        const Settings& settings) {
  PlannedConfiguration planned;
  planned.subject = subject.entry.name;
  planned.law = subject.law.get();
  planned.config = candidate.config;
  planned.own_shape = shape != nullptr;
  planned.generated = candidate.generated;
  // Own draws of a generated configuration are the shortest.
  planned.profile = candidate.generated ? Profile::kSmoke : settings.profile;
  planned.shape =
      shape != nullptr
          ? *shape
          : statistical_shape(*planned.law, planned.config, settings.profile);
  planned.configuration = fmt::format("{},{}", impl::describe(planned.config),
                                      impl::to_string(planned.shape));
  Settings own = settings;
  own.profile = planned.profile;
  // A tolerance that was asked for is for configurations that were, too.
  if (candidate.generated) own.delta.reset();
  plan_sizes(planned, own);
  planned.calls_per_block = block_calls(planned);
  plan_checks(
      planned,
      {own, candidate.first_probability, candidate.first_dtype, candidate.plain,
       candidate.first_generated, subject.description.mask_output,
       subject.description.recipe.has_value(), subject.description.reseed});
  return planned;
}

namespace {

/// Named effects are missed this often, and planned for it.
constexpr double kMissProbability = 1e-9;

}  // namespace

void describe_detection(PlannedConfiguration& planned,
                        const Settings& settings) {
  Settings own = settings;
  own.profile = planned.profile;
  for (PlannedCheck& check : planned.checks) {
    const CheckDefinition& definition = definition_of(check.check);
    check.detectable = "any breach among the cases that it lists";
    check.shares_masks = definition.from_battery != nullptr;
    if (check.weight > 0) check.miss_probability = kMissProbability;
    if (check.weight > 0 && check.shares_masks) {
      check.expected_n = check.worst_n =
          static_cast<double>(planned.structure_n);
    }
    const bool idle = definition.needs_rate && planned.delta <= 0;
    if (definition.plan == nullptr || idle) continue;
    const double weight = check.weight > 0 ? check.weight : 1;
    definition.plan(planned, own,
                    stats::refutation_threshold(settings.alpha, weight), check);
  }
  if (planned.generated) take_out_undecidable(planned);
}

namespace {

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

/// Elements that a call draws and reads: of a network, those of its taps.
double elements_of_call(const PlannedConfiguration& planned) {
  const auto input = static_cast<double>(impl::element_count(planned.shape));
  if (planned.law->network == nullptr) return std::max(input, 1.0);
  const impl::NetworkLaw network =
      impl::network_law(*planned.law, planned.config);
  double elements = static_cast<double>(network.taps()) *
                    static_cast<double>(planned.shape[0]);
  for (const std::int64_t extent : network.tap) {
    elements *= static_cast<double>(extent);
  }
  return elements;
}

/// Seconds that calls of a subject take, by a few that enter no statistic.
struct CallSeconds {
  double call = 0;         ///< of a configuration's shape
  double shared_call = 0;  ///< in pieces, if the layer gives them
  double small_call = 0;   ///< of a few elements
  double layer = 0;        ///< made, and called for the first time
};

/// Seconds until f has returned.
template <class F>
double seconds_of(const F& f) {
  using Clock = std::chrono::steady_clock;
  const auto begin = Clock::now();
  f();
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

impl::Tensor ones(impl::DType dtype, const impl::Shape& shape) {
  impl::Tensor input(dtype, shape);
  for (std::int64_t i = 0; i < input.size(); ++i) input.view().set(i, 1);
  return input;
}

void measure_calls(impl::Subject& subject, const PlannedConfiguration& planned,
                   CallSeconds& seconds) {
  impl::Tensor input = ones(planned.config.dtype, planned.shape);
  const auto layer = subject.make(planned.config);
  const std::int64_t repeat = std::clamp<std::int64_t>(
      static_cast<std::int64_t>(1e5 / elements_of_call(planned)), 1, 1000);
  layer->forward({input.view(), true, repeat});
  seconds.call = seconds_of([&] {
                   layer->forward({input.view(), true, repeat});
                 }) /
                 static_cast<double>(repeat);
  seconds.shared_call = seconds.call;
  auto* const pieces = dynamic_cast<impl::PiecewiseLayer*>(layer.get());
  if (pieces == nullptr || !subject.describe().reseed) return;
  const impl::Call calls{input.view(), true, 8 * repeat};
  const auto ignore = [](const impl::Piece&) {};
  if (!pieces->forward_in_pieces(calls, ignore)) return;
  seconds.shared_call =
      seconds_of([&] { pieces->forward_in_pieces(calls, ignore); }) /
      static_cast<double>(calls.repeat);
}

void measure_small_calls(impl::Subject& subject,
                         const PlannedConfiguration& planned,
                         CallSeconds& seconds) {
  impl::Shape shape = planned.shape;
  for (std::int64_t& extent : shape) {
    extent = std::min<std::int64_t>(extent, 3);
  }
  impl::Tensor input = ones(planned.config.dtype, shape);
  std::unique_ptr<impl::Layer> layer;
  seconds.layer = seconds_of([&] {
    layer = subject.make(planned.config);
    layer->forward({input.view()});
  });
  seconds.small_call = seconds_of([&] { layer->forward({input.view()}); });
}

CallSeconds seconds_per_call(impl::Subject& subject,
                             const PlannedConfiguration& planned) {
  CallSeconds seconds;
  try {
    measure_calls(subject, planned, seconds);
    measure_small_calls(subject, planned, seconds);
  } catch (...) {
    // What is wrong with it is for the checks to find.
  }
  return seconds;
}

/// What checks ask besides masks to count, on average, as seen at a worker:
/// tensors of few elements, and fresh layers.
constexpr double kSmallCallsPerCheck = 150;
constexpr double kLayersPerCheck = 13;

/// Reading and counting, per element, measured on the machine of PERFORMANCE:
/// by a check of its own, and of masks that checks share.
constexpr double kSecondsPerElement = 1.8e-9;
constexpr double kSecondsPerSharedElement = 0.2e-9;
constexpr double kSecondsPerConfiguration = 0.05;
constexpr double kSecondsPerGenerated = 0.003;

void forecast(PlannedConfiguration& planned, unsigned threads) {
  const double least =
      planned.expected_seconds +
      (planned.generated ? kSecondsPerGenerated : kSecondsPerConfiguration);
  if (planned.delta <= 0) {
    planned.expected_seconds = planned.worst_seconds = least;
    return;
  }
  const auto units = static_cast<double>(planned.units_per_call);
  const double elements = elements_of_call(planned);
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
  const double fixed = least + own_elements * planned.seconds_per_element;
  const double shared =
      (planned.seconds_per_shared_call + elements * kSecondsPerSharedElement) /
      threads;
  planned.expected_seconds = fixed + std::min(expected, worst) / units * shared;
  planned.worst_seconds = fixed + worst / units * shared;
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
                         {},
                         entry.guard};
  std::unique_ptr<impl::Subject> subject;
  try {
    subject = planned.entry.open();
    planned.description = subject->describe();
    planned.law = std::make_shared<const impl::Law>(
        impl::law_of(planned.entry, planned.description));
    if (entry.recipe) planned.description.recipe = entry.recipe;
  } catch (const std::exception& error) {
    planned.failure = error.what();
    subject.reset();
  } catch (...) {
    planned.failure = "an exception that is no std::exception";
    subject.reset();
  }
  return {std::move(planned), std::move(subject)};
}

/// Adds a configuration that reports something; false: there is none.
bool add_configuration(const PlannedSubject& planned,
                       const Candidate& candidate, const impl::Shape* shape,
                       Plan& plan) {
  try {
    PlannedConfiguration configuration =
        plan_configuration(planned, candidate, shape, plan.settings);
    if (reports_nothing(configuration)) return false;
    plan.configurations.push_back(std::move(configuration));
    return true;
  } catch (const std::invalid_argument& error) {
    std::string warning =
        fmt::format("{}: left out: {}", planned.entry.name, error.what());
    if (std::ranges::find(plan.warnings, warning) == plan.warnings.end()) {
      plan.warnings.push_back(std::move(warning));
    }
    return false;
  }
}

/// Adds every configuration of a subject to the plan.
void plan_configurations(const PlannedSubject& planned, impl::Subject& subject,
                         const ConfigSource* source, Plan& plan) {
  const Settings& settings = plan.settings;
  std::optional<CallSeconds> seconds;
  double elements = 1;
  std::vector<const impl::Shape*> shapes;
  for (const impl::Shape& shape : settings.shapes) shapes.push_back(&shape);
  if (shapes.empty()) shapes.push_back(nullptr);
  const std::size_t first = plan.configurations.size();
  warn_of_other_dtypes(planned, plan);
  for (const impl::Shape* shape : shapes) {
    for (const Candidate& candidate : candidates(planned, settings)) {
      add_configuration(planned, candidate, shape, plan);
    }
  }
  if (source != nullptr) {
    bool first_generated = true;
    for (const DrawnCase& drawn : generated_cases(planned, settings, *source)) {
      add_configuration(planned,
                        {.config = drawn.config,
                         .first_probability = true,
                         .first_dtype = true,
                         .generated = true,
                         .first_generated = first_generated},
                        &drawn.shape, plan);
      first_generated = false;
    }
  }
  for (std::size_t i = first; i < plan.configurations.size(); ++i) {
    PlannedConfiguration& configuration = plan.configurations[i];
    if (!seconds) {
      seconds = seconds_per_call(subject, configuration);
      elements = elements_of_call(configuration);
    }
    // The rest is added by forecast.
    configuration.expected_seconds =
        static_cast<double>(configuration.checks.size()) *
        (kSmallCallsPerCheck * seconds->small_call +
         kLayersPerCheck * seconds->layer);
    const double share = configuration.generated
                             ? elements_of_call(configuration) / elements
                             : 1;
    configuration.seconds_per_call = share * seconds->call;
    configuration.seconds_per_shared_call = share * seconds->shared_call;
  }
}

void require_probabilities(const std::vector<double>& drop_probabilities) {
  for (const double p : drop_probabilities) {
    const double side = std::min(p, 1 - p);
    if (side == 0 || side >= kSmallestProbability) continue;
    throw std::domain_error(fmt::format(
        "p is {}, but must be 0, 1 or at least 2^-30 ({:.2g}) away from "
        "both: what is rarer cannot be certified",
        p, kSmallestProbability));
  }
}

}  // namespace

Plan make_plan(const std::vector<impl::SubjectEntry>& subjects,
               const Settings& settings, const ConfigSource* source) {
  require_probabilities(settings.drop_probabilities);
  Plan plan;
  plan.settings = settings;
  const Budget budget = budget_of(settings.profile);
  plan.delta = settings.delta.value_or(budget.delta);
  plan.margin = budget.margin;
  for (const impl::SubjectEntry& entry : subjects) {
    auto [planned, subject] =
        plan_subject(entry, settings.call_timeout_seconds);
    if (subject) plan_configurations(planned, *subject, source, plan);
    plan.subjects.push_back(std::move(planned));
  }
  share_weights(plan);
  forecast(plan);
  return plan;
}

Settings settings_of(const ReplayToken& token) {
  Settings settings;
  settings.profile = token.profile;
  settings.seed = token.seed;
  settings.alpha = token.alpha;
  if (token.delta > 0) settings.delta = token.delta;
  return settings;
}

PlannedConfiguration plan_token(const ReplayToken& token,
                                const PlannedSubject& subject,
                                const Settings& settings) {
  PlannedConfiguration planned = plan_configuration(
      subject, {token.config, true, true, true, token.generated, true},
      &token.shape, settings);
  planned.own_shape = token.own_shape;
  planned.rate_n_max = token.rate_n_max;
  if (token.structure_n > 0) {
    planned.structure_n = planned.own_structure_n = token.structure_n;
  }
  std::erase_if(planned.checks, [&](const PlannedCheck& check) {
    return check.check != token.check && !definition_of(check.check).structural;
  });
  for (PlannedCheck& check : planned.checks) {
    check.hidden = check.check != token.check;
    check.weight = token.weight;
    check.reduced_n = check.hidden ? 0 : token.reduced_n;
  }
  describe_detection(planned, settings);
  if (reports_nothing(planned)) {
    throw std::invalid_argument(
        fmt::format("replay token: check is '{}', which has no meaning for {}",
                    token.check, token.config.layer));
  }
  return planned;
}

Plan replay_plan(const ReplayToken& token, const impl::SubjectEntry& subject,
                 double call_timeout_seconds) {
  Plan plan;
  plan.settings = settings_of(token);
  plan.settings.call_timeout_seconds = call_timeout_seconds;
  plan.subjects.push_back(plan_subject(subject, call_timeout_seconds).first);
  plan.delta = token.delta;
  plan.margin = token.margin;
  plan.configurations.push_back(
      plan_token(token, plan.subjects.front(), plan.settings));
  return plan;
}

}  // namespace dropcheck::properties
