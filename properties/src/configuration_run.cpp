#include "configuration_run.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <exception>
#include <new>

#include "battery.hpp"
#include "check_definition.hpp"
#include "interruption.hpp"
#include "network_claims.hpp"
#include "statistical_checks.hpp"

namespace dropcheck::properties {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point begin) {
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

/// FNV-1a; the key of a configuration must not depend on the run around it.
std::uint64_t hash_text(std::string_view text) {
  std::uint64_t hash = 0xcbf29ce484222325;
  for (const char c : text) {
    hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  }
  return hash;
}

std::uint64_t key_of(const PlannedConfiguration& planned) {
  return hash_text(
      fmt::format("{}|{}", planned.law->layer, planned.configuration));
}

/// What went wrong with a subject while a check ran, as a finding.
void note_failure(Finding& finding) {
  try {
    throw;
  } catch (const Interrupted& interruption) {
    finding.verdict = Verdict::kNotRun;
    finding.sentence = interruption.what();
  } catch (const impl::NotSupported& error) {
    finding.verdict = Verdict::kNotSupported;
    finding.sentence = error.what();
  } catch (const impl::LayerError& error) {
    refute(finding, fmt::format("refuses a valid call: {}", error.what()));
    finding.evidence = Evidence::kDeterministic;
  } catch (const impl::MemoryViolation& error) {
    refute(finding, error.what());
    finding.evidence = Evidence::kDeterministic;
  } catch (const impl::SubjectCrashed& error) {
    finding.verdict = Verdict::kCrash;
    finding.sentence = error.what();
  } catch (const impl::SubjectTimeout& error) {
    finding.verdict = Verdict::kTimeout;
    finding.sentence = error.what();
  } catch (const impl::AdapterError& error) {
    finding.verdict = Verdict::kError;
    finding.sentence = error.what();
  } catch (const std::bad_alloc&) {
    finding.verdict = Verdict::kError;
    finding.sentence =
        "the check broke: there is too little memory for tensors of this shape";
  } catch (const std::exception& error) {
    finding.verdict = Verdict::kError;
    finding.sentence = fmt::format("the check broke: {}", error.what());
  } catch (...) {
    finding.verdict = Verdict::kError;
    finding.sentence =
        "the check broke: an exception that is no std::exception";
  }
}

/// Runs the checks of one configuration.
class ConfigurationRun {
 public:
  ConfigurationRun(const Settings& settings,
                   const PlannedConfiguration& planned, SubjectPool& pool,
                   const Progress& progress)
      : progress_(progress),
        settings_(settings),
        context_{planned,
                 settings_,
                 pool,
                 {planned.law, planned.config, planned.shape, settings.seed,
                  key_of(planned)},
                 {},
                 {},
                 nullptr,
                 {},
                 nullptr,
                 [this] { return interrupted(); }} {
    settings_.profile = planned.profile;
  }

  std::vector<Finding> run() {
    if (interrupted()) {
      not_run("interrupted before it began");
    } else if (open()) {
      const bool testable = context_.plan.delta > 0;
      if (!testable || prepare()) {
        run_own();
      } else {
        run_unread();
      }
      if (context_.network) apply_network_doubt(findings_);
      context_.lease.reset();
      if (context_.reader) run_statistical();
    }
    if (context_.law().factor == impl::Factor::kNormal) explain_bits();
    order();
    if (context_.reader && !context_.reader->readable()) withdraw_unread();
    std::erase_if(findings_, [this](const Finding& finding) {
      return context_.planned(finding.check)->hidden;
    });
    return std::move(findings_);
  }

 private:
  bool interrupted() const {
    return progress_.interrupt != nullptr && progress_.interrupt->load();
  }

  void not_run(const std::string& why) {
    for (const PlannedCheck& check : context_.plan.checks) {
      Finding finding = start_finding(context_, check.check);
      finding.sentence = why;
      findings_.push_back(std::move(finding));
    }
  }

  /// A subject that fails here fails every check of the configuration.
  template <class Step>
  bool attempt(const Step& step) {
    try {
      step();
      return true;
    } catch (...) {
      for (const PlannedCheck& check : context_.plan.checks) {
        Finding finding = start_finding(context_, check.check);
        note_failure(finding);
        findings_.push_back(std::move(finding));
      }
      return false;
    }
  }

  bool open() {
    return attempt([this] { context_.lease.emplace(context_.pool); });
  }

  /// Inputs, calibration, mask reading.
  bool prepare() {
    return attempt([this] {
      if (context_.law().network != nullptr) {
        context_.network =
            gather_network(context_, [this] { return interrupted(); });
        return;
      }
      impl::Subject& subject = context_.subject();
      context_.inputs = make_inputs(subject, context_.experiment);
      const std::int64_t size = context_.inputs.base.size();
      const std::int64_t calls = std::clamp<std::int64_t>(
          (std::int64_t{1} << 15) / std::max<std::int64_t>(size, 1), 4, 4096);
      context_.calibration = draw_outputs(
          subject, context_.experiment, context_.inputs.input,
          stream_seed(context_.experiment, Stream::kCalibration), calls);
      context_.reader = std::make_unique<MaskReader>(
          context_.law(), context_.config(), context_.inputs.base,
          context_.calibration);
    });
  }

  template <class Check>
  void add(std::string_view name, const Check& check) {
    if (context_.planned(name) == nullptr) return;
    const auto begin = Clock::now();
    Finding finding = start_finding(context_, name);
    if (interrupted()) {
      finding.sentence = "interrupted before it began";
      findings_.push_back(std::move(finding));
      return;
    }
    try {
      finding = check();
    } catch (...) {
      note_failure(finding);
    }
    finding.seconds = seconds_since(begin);
    findings_.push_back(std::move(finding));
  }

  void run_own() {
    for (const CheckDefinition* check : check_definitions()) {
      if (check->from_calls == nullptr) continue;
      add(check->info.name, [&] { return check->from_calls(context_); });
    }
  }

  /// Checks that can say more than that the results could not be read. Not
  /// those of a subject that crashes or hangs: it would do so again.
  void run_unread() {
    for (const CheckDefinition* check : check_definitions()) {
      if (!check->before_reading) continue;
      const auto erased = std::erase_if(findings_, [&](const Finding& finding) {
        return finding.check == check->info.name &&
               finding.verdict == Verdict::kRefuted;
      });
      if (erased == 0) continue;
      add(check->info.name, [&] { return check->from_calls(context_); });
    }
  }

  void run_statistical() {
    std::vector<const CheckDefinition*> all;
    for (const CheckDefinition* check : check_definitions()) {
      if (check->from_battery != nullptr &&
          context_.planned(check->info.name) != nullptr) {
        all.push_back(check);
      }
    }
    if (all.empty()) return;
    std::exception_ptr failure;
    const auto begin = Clock::now();
    BatteryResult battery;
    std::unique_ptr<Sampler> sampler;
    try {
      sampler = std::make_unique<Sampler>(context_.experiment, context_.pool,
                                          context_.inputs, *context_.reader,
                                          context_.plan.calls_per_block);
      battery = run_battery(*sampler, make_battery_plan(context_.plan),
                            rate_claims(context_),
                            !context_.pool.planned().repeatable(),
                            [this] { return interrupted(); });
      if (progress_.counted && !context_.plan.generated) {
        progress_.counted(context_.plan, battery.total.rate);
      }
    } catch (...) {
      failure = std::current_exception();
    }
    if (!failure) attempt_lease();
    const std::size_t first = findings_.size();
    for (const CheckDefinition* check : all) {
      findings_.push_back(
          failure ? failed(check->info.name, failure)
                  : decided_by(*check, {context_, *sampler, battery}));
    }
    // All of them read the same masks: each has its share of the time.
    const double share =
        seconds_since(begin) / static_cast<double>(findings_.size() - first);
    for (std::size_t k = first; k < findings_.size(); ++k) {
      findings_[k].seconds = share;
    }
    if (failure) return;
    note_torn_units(findings_, context_, battery.total);
    apply_structural_doubt(findings_, {context_, *sampler, battery});
    context_.lease.reset();
  }

  /// For calls that only the words need: without it they say less.
  void attempt_lease() {
    try {
      context_.lease.emplace(context_.pool);
    } catch (const std::exception&) {
      context_.lease.reset();
    }
  }

  Finding failed(std::string_view name,
                 const std::exception_ptr& failure) const {
    Finding finding = start_finding(context_, name);
    try {
      std::rethrow_exception(failure);
    } catch (...) {
      note_failure(finding);
    }
    return finding;
  }

  Finding decided_by(const CheckDefinition& check,
                     const StatisticalInput& input) const {
    Finding finding = start_finding(context_, check.info.name);
    try {
      finding = check.from_battery(input);
    } catch (...) {
      note_failure(finding);
    }
    if (input.battery.interrupted &&
        finding.verdict == Verdict::kInconclusive) {
      finding.verdict = Verdict::kNotRun;
      finding.sentence = "interrupted: " + finding.sentence;
    }
    return finding;
  }

  /// Says what stands for a drop where nothing is dropped.
  void explain_bits() {
    for (Finding& finding : findings_) {
      const CheckDefinition& check = definition_of(finding.check);
      const bool read = check.from_battery != nullptr || check.structural ||
                        finding.check == "granularity" ||
                        finding.check == "seeding";
      if (!read || finding.verdict > Verdict::kInconclusive) continue;
      finding.sentence += " (a factor below 1 counts as a drop)";
    }
  }

  /// Where no mask could be read, nothing about masks is proved.
  void withdraw_unread() {
    for (Finding& finding : findings_) {
      if (!definition_of(finding.check).reads_masks ||
          finding.verdict != Verdict::kCertified)
        continue;
      leave_open(finding, "the mask cannot be read: every value is NaN");
      finding.bound.clear();
    }
  }

  /// The order of the catalogue.
  void order() {
    const auto rank = [](const Finding& finding) {
      return find_check(finding.check) - checks().data();
    };
    std::stable_sort(
        findings_.begin(), findings_.end(),
        [&](const Finding& a, const Finding& b) { return rank(a) < rank(b); });
  }

  const Progress& progress_;
  Settings settings_;
  Context context_;
  std::vector<Finding> findings_;
};

}  // namespace

std::vector<Finding> run_configuration(const Settings& settings,
                                       const PlannedConfiguration& planned,
                                       SubjectPool& pool,
                                       const Progress& progress) {
  return ConfigurationRun(settings, planned, pool, progress).run();
}

}  // namespace dropcheck::properties
