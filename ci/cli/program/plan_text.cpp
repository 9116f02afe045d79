#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <random>
#include <set>
#include <stdexcept>
#include <thread>

#include "commands.hpp"
#include "dropcheck/cli/exit_status.hpp"
#include "dropcheck/cli/names.hpp"
#include "dropcheck/cli/output.hpp"
#include "dropcheck/cli/selection.hpp"
#include "dropcheck/cli/table.hpp"
#include "dropcheck/cli/time_text.hpp"
#include "dropcheck/cli/usage_error.hpp"
#include "dropcheck/generators/rapidcheck_source.hpp"
#include "dropcheck/properties/number_text.hpp"
#include "only_pattern.hpp"

namespace dropcheck::cli {
namespace {

using properties::Plan;
using properties::Profile;
using properties::Settings;

constexpr std::array kProfiles = {Profile::kSmoke, Profile::kPr,
                                  Profile::kNightly, Profile::kExhaustive};

Profile profile_or_refuse(const std::string& name) {
  if (const auto profile = properties::profile_from_name(name)) return *profile;
  std::vector<std::string> names;
  names.reserve(kProfiles.size());
  for (const Profile profile : kProfiles) {
    names.emplace_back(properties::name_of(profile));
  }
  throw UsageError(fmt::format("--profile is '{}', but must be one of {}{}",
                               name, join(names), did_you_mean(name, names)));
}

/// Whoever is asked for by name must not be missing from a run that passes.
void refuse_left_out(const Plan& plan, const std::vector<std::string>& names) {
  for (const std::string& name : names) {
    const bool planned =
        std::any_of(plan.configurations.begin(), plan.configurations.end(),
                    [&](const auto& one) { return one.subject == name; });
    if (planned) continue;
    for (const std::string& warning : plan.warnings) {
      if (warning.starts_with(name + ": left out")) throw UsageError(warning);
    }
  }
}

Plan plan_for(const std::vector<impl::SubjectEntry>& subjects,
              const Settings& settings) {
  const generators::RapidCheckSource source;
  return properties::make_plan(subjects, settings, &source);
}

/// What the library calls "delta" was typed as "--delta".
std::string as_typed(const std::string& message) {
  const std::string name = message.substr(0, message.find(" is "));
  const bool option = name == "delta" || name == "p" || name == "alpha" ||
                      name == "shape" || name == "dtype";
  return option ? "--" + message : message;
}

Plan plan_or_usage_error(const std::vector<impl::SubjectEntry>& subjects,
                         const Settings& settings) {
  try {
    return plan_for(subjects, settings);
  } catch (const std::invalid_argument& error) {
    const std::string only =
        settings.only.empty() ? "" : " (--only " + join(settings.only) + ")";
    throw UsageError(as_typed(error.what()) + only);
  } catch (const std::domain_error& error) {
    throw UsageError(as_typed(error.what()));
  }
}

std::string profile_that_fits(const std::vector<impl::SubjectEntry>& subjects,
                              Settings settings, double limit) {
  std::string shortest = "no profile fits";
  const Profile asked = settings.profile;
  for (const Profile profile : kProfiles) {
    if (profile >= asked) break;
    settings.profile = profile;
    const double seconds = plan_for(subjects, settings).expected_seconds;
    if (seconds <= limit) {
      return fmt::format("the cheapest profile that fits is {} ({})",
                         properties::name_of(profile), time_text(seconds));
    }
    if (profile == Profile::kSmoke) {
      shortest += fmt::format(": smoke needs about {}", time_text(seconds));
    }
  }
  return shortest;
}

void refuse_too_long(const std::vector<impl::SubjectEntry>& subjects,
                     const Plan& plan) {
  const auto limit = plan.settings.time_limit_seconds;
  if (!limit || plan.expected_seconds <= *limit) return;
  Settings free = plan.settings;
  free.time_limit_seconds.reset();
  throw UsageError(
      fmt::format("--time-limit is {:g} s, but profile {} needs about {}; {}",
                  *limit, properties::name_of(plan.settings.profile),
                  time_text(plan.expected_seconds),
                  profile_that_fits(subjects, free, *limit)));
}

std::size_t count_checks(const Plan& plan) {
  std::size_t count = 0;
  for (const auto& configuration : plan.configurations) {
    count += static_cast<std::size_t>(
        std::count_if(configuration.checks.begin(), configuration.checks.end(),
                      [](const auto& check) { return !check.hidden; }));
  }
  return count;
}

std::size_t count_generated(const Plan& plan) {
  return static_cast<std::size_t>(
      std::count_if(plan.configurations.begin(), plan.configurations.end(),
                    [](const auto& planned) { return planned.generated; }));
}

std::size_t count_subjects(const Plan& plan) {
  std::set<std::string> names;
  for (const auto& configuration : plan.configurations) {
    names.insert(configuration.subject);
  }
  return names.size();
}

// Tolerances differ where a layer has few units a call, or p is small.
std::string tolerance_text(const Plan& plan) {
  double coarsest = plan.delta;
  for (const auto& configuration : plan.configurations) {
    if (configuration.generated) continue;
    coarsest = std::max(coarsest, configuration.delta);
  }
  std::string text = fmt::format("{:g}", plan.delta);
  if (coarsest > plan.delta) {
    text += fmt::format(" (up to {:g} where units are few)", coarsest);
  }
  return text;
}

// More configurations than these are told in a line each.
constexpr std::size_t kDetailed = 12;

std::string number_of(double n) {
  return n > 0 ? fmt::format("{:.2g}", n) : "-";
}

// Own draws cost time of their own; the others share one set of masks.
std::string time_of(const properties::PlannedCheck& check,
                    const properties::PlannedConfiguration& planned) {
  if (check.shares_masks) return "shared";
  if (check.elements <= 0 || planned.seconds_per_element <= 0) return "-";
  return time_text(check.elements * planned.seconds_per_element);
}

std::string check_table(const properties::PlannedConfiguration& planned,
                        std::size_t width) {
  Table table({"check", "missed", "n", "n at most", "time", "detects"});
  for (const auto& check : planned.checks) {
    if (check.hidden) continue;
    table.add({check.check,
               check.miss_probability > 0
                   ? properties::number_text(check.miss_probability)
                   : "never",
               number_of(check.expected_n), number_of(check.worst_n),
               time_of(check, planned), check.detectable});
  }
  const std::string note = planned.note.empty() ? "" : "; " + planned.note;
  const std::string headline =
      fmt::format("{} {}: about {}, at most about {}{}", planned.subject,
                  planned.configuration, time_text(planned.expected_seconds),
                  time_text(planned.worst_seconds), note);
  return join(wrapped(headline, width), "\n") + '\n' + table.text(width) + '\n';
}

// What generated configurations are asked, and why not more.
std::string generated_table(const Plan& plan, std::size_t width) {
  Table table({"subject", "generated", "checks", "left out"});
  std::size_t rows = 0;
  for (const auto& planned : plan.configurations) {
    if (!planned.generated) continue;
    std::map<std::string, std::vector<std::string>> checks;
    for (const auto& one : planned.left_out) {
      checks[one.reason].push_back(one.check);
    }
    std::vector<std::string> reasons;
    for (const auto& [reason, names] : checks) {
      reasons.push_back(join(names) + ": " + reason);
    }
    if (checks.empty()) reasons.push_back(planned.note);
    table.add({planned.subject, planned.configuration,
               fmt::format("{}", planned.checks.size()), join(reasons, "; ")});
    ++rows;
  }
  return rows == 0 ? "" : table.text(width) + "\n";
}

std::string check_tables(const Plan& plan, std::size_t width) {
  std::string text;
  for (const auto& planned : plan.configurations) {
    if (!planned.generated) text += check_table(planned, width);
  }
  return text + generated_table(plan, width);
}

/// What becomes of several threads, a line each for subjects that differ.
std::string thread_words(const Plan& plan) {
  std::map<std::string, std::vector<std::string>> subjects;
  for (const auto& subject : plan.subjects) {
    if (!subject.failure.empty()) continue;
    subjects[properties::parallel_words(subject, thread_count(plan.settings))]
        .push_back(subject.entry.name);
  }
  std::string text;
  for (const auto& [words, names] : subjects) {
    const std::string which =
        subjects.size() == 1 ? ""
        : names.size() == 1
            ? names.front() + ": "
            : fmt::format("{} subjects like {}: ", names.size(), names.front());
    text += fmt::format("{} {}{}\n", text.empty() ? "threads " : "        ",
                        which, words);
  }
  return text;
}

std::string configuration_table(const Plan& plan, std::size_t width) {
  Table table({"subject", "configuration", "delta", "units", "time", "note"});
  for (const auto& planned : plan.configurations) {
    if (planned.generated) continue;
    table.add({planned.subject, planned.configuration,
               fmt::format("{:g}", planned.delta),
               fmt::format("{:.1e}", static_cast<double>(planned.rate_n_max)),
               time_text(planned.expected_seconds), planned.note});
  }
  return table.text(width) +
         fmt::format(
             "\nWith at most {} configurations (--p, --dtype), every "
             "check is listed.\n",
             kDetailed);
}

}  // namespace

// The only place where chance from outside enters; the seed is printed.
std::uint64_t fresh_seed() {
  std::random_device device;
  const std::uint64_t high = device();
  return high << 32 | device();
}

unsigned useful_threads(unsigned asked) {
  constexpr unsigned kEachCore = 4;
  const unsigned cores = std::max(1U, std::thread::hardware_concurrency());
  if (asked <= kEachCore * cores) return asked;
  complain(fmt::format("--threads is {}, but {} are used: {} for each of {}",
                       asked, kEachCore * cores, kEachCore,
                       counted(cores, "core")));
  return kEachCore * cores;
}

Settings settings_of(const Options& options) {
  Settings settings;
  settings.profile = profile_or_refuse(options.profile);
  settings.drop_probabilities = options.drop_probabilities;
  settings.shapes = options.shapes;
  settings.dtypes = options.dtypes;
  for (const std::string& pattern : options.only) {
    refuse_unknown_check(pattern);
    settings.only.push_back(id_glob(pattern));
  }
  settings.delta = options.delta;
  settings.seed = options.seed ? *options.seed : fresh_seed();
  settings.alpha = options.alpha;
  settings.threads = useful_threads(options.threads);
  settings.call_timeout_seconds = options.call_timeout_seconds;
  settings.time_limit_seconds = options.time_limit_seconds;
  settings.fail_fast = options.fail_fast;
  // Who names a configuration wants that one, and a list of known deviations
  // can only name those that are in every run.
  const bool named = !options.drop_probabilities.empty() ||
                     !options.shapes.empty() || !options.dtypes.empty() ||
                     !options.deviations.empty();
  settings.generated = options.generated.value_or(
      named ? 0 : properties::default_generated(settings.profile));
  settings.shrink_limit_seconds = options.shrink_limit_seconds.value_or(
      properties::default_shrink_limit(settings.profile));
  return settings;
}

Plan plan_or_refuse(const std::vector<impl::SubjectEntry>& subjects,
                    const Settings& settings, const Options& options) {
  Plan plan = plan_or_usage_error(subjects, settings);
  const bool opened =
      std::any_of(plan.subjects.begin(), plan.subjects.end(),
                  [](const auto& subject) { return subject.failure.empty(); });
  if (!opened) return plan;
  if (plan.configurations.empty() && !plan.warnings.empty()) {
    throw UsageError(plan.warnings.front());
  }
  refuse_left_out(plan, options.subjects);
  refuse_idle_pattern(plan, options.only);
  refuse_too_long(subjects, plan);
  return plan;
}

std::string forecast(const Plan& plan) {
  const Settings& settings = plan.settings;
  constexpr std::size_t kWidth = 80;
  const std::string headline =
      fmt::format("dropcheck {}: {}, {}, {}; profile {}, seed {}",
                  DROPCHECK_VERSION, counted(count_subjects(plan), "subject"),
                  counted(plan.configurations.size(), "configuration"),
                  counted(count_checks(plan), "check"),
                  properties::name_of(settings.profile), settings.seed);
  std::string text = join(wrapped(headline, kWidth), "\n         ") + '\n';
  text += fmt::format("detects  drop probabilities off by {}\n",
                      tolerance_text(plan));
  text += fmt::format(
      "         drop rates that differ by {:g} by place, call or lag\n",
      plan.margin);
  text += fmt::format("         with false alarms in at most {} of all runs\n",
                      properties::number_text(settings.alpha));
  if (const std::size_t generated = count_generated(plan)) {
    text += fmt::format("         what they can show on {} drawn by the seed\n",
                        counted(generated, "small configuration"));
  }
  text += fmt::format("takes    about {}, at most about {}, on {}\n",
                      time_text(plan.expected_seconds),
                      time_text(plan.worst_seconds),
                      counted(thread_count(settings), "thread"));
  if (settings.shrink_limit_seconds > 0) {
    text +=
        fmt::format("         and up to {} for each check that is refuted\n",
                    time_text(settings.shrink_limit_seconds));
  }
  for (const std::string& warning : plan.warnings) {
    text += "warning: " + on_one_line(warning) + '\n';
  }
  return text;
}

int plan_command(const Context& context) {
  const Options& options = context.options;
  const Settings settings = settings_of(options);
  const auto entries =
      select_subjects(all_subjects(options, named_by(options)),
                      {options.subjects, options.layers}, layer_names());
  const Plan plan = plan_or_refuse(entries, settings, options);
  const auto width = static_cast<std::size_t>(context.out.width);
  const bool every_check =
      plan.configurations.size() - count_generated(plan) <= kDetailed;
  print(every_check ? check_tables(plan, width)
                    : configuration_table(plan, width));
  print('\n' + forecast(plan) + thread_words(plan));
  int status = kSuccess;
  for (const auto& subject : plan.subjects) {
    if (subject.failure.empty()) continue;
    complain(subject.entry.name + ": " + on_one_line(subject.failure));
    status = kEnvironment;
  }
  return status;
}

}  // namespace dropcheck::cli
