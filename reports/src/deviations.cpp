#include "dropcheck/reports/deviations.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "dropcheck/properties/glob.hpp"
#include "text.hpp"
#include "wording.hpp"

namespace dropcheck::reports {
namespace {

using Date = std::chrono::year_month_day;

std::string date_text(Date date) {
  return fmt::format("{:04}-{:02}-{:02}", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()),
                     static_cast<unsigned>(date.day()));
}

// What became of the findings that one entry matches.
struct Fate {
  std::size_t matched = 0;
  std::size_t covered = 0;
  std::size_t grown = 0;  ///< refuted by more than is declared
  /// Inconclusive, not run, broken, or too small an effect for this run.
  std::size_t undecided = 0;
  double effect = 0;  ///< largest of the refuted ones, interval included
  bool effect_is_known = true;
};

// Written so that a missing or NaN effect is not within any limit.
bool effect_is_declared(const Deviation& deviation, const Finding& finding) {
  if (!deviation.largest_effect) return true;
  if (!finding.expected || !finding.observed) return false;
  return std::abs(*finding.observed - *finding.expected) <=
         *deviation.largest_effect;
}

bool lies_within(double value, const Finding& finding) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  return finding.interval_lower.value_or(-kInfinity) <= value &&
         value <= finding.interval_upper.value_or(kInfinity);
}

// A certificate that leaves room for the recorded effect contradicts nothing.
bool too_small_to_see(const Deviation& deviation, const Finding& finding) {
  if (!deviation.largest_effect) return false;
  const double effect = *deviation.largest_effect;
  if (finding.expected && (finding.interval_lower || finding.interval_upper)) {
    return lies_within(*finding.expected + effect, finding) ||
           lies_within(*finding.expected - effect, finding);
  }
  return finding.detectable_effect && *finding.detectable_effect > effect;
}

void note_effect(const Finding& finding, Fate& fate) {
  const auto effect = open_effect(finding);
  if (effect) fate.effect = std::max(fate.effect, *effect);
  if (!effect) fate.effect_is_known = false;
}

void declare(Finding& finding, const Deviation& deviation) {
  finding.verdict = Verdict::kDeviation;
  finding.deviation_reason = deviation.reason;
  finding.deviation_url = deviation.url;
}

void apply_to(Finding& finding, const Deviation& deviation, Fate& fate) {
  ++fate.matched;
  const bool decides =
      finding.verdict == Verdict::kRefuted ||
      (finding.verdict == Verdict::kInconclusive && deviation.inconclusive);
  if (decides) note_effect(finding, fate);
  if (finding.verdict == Verdict::kDeviation) {
    ++fate.covered;  // by an entry above
  } else if (decides && effect_is_declared(deviation, finding)) {
    declare(finding, deviation);
    ++fate.covered;
  } else if (decides) {
    ++fate.grown;
  } else if (!is_pass(finding.verdict) ||
             too_small_to_see(deviation, finding)) {
    ++fate.undecided;
  }
}

using State = EntryFate::State;

State state_of(const Fate& fate) {
  if (fate.matched == 0) return State::kUnmatched;
  if (fate.grown > 0) return State::kGrown;
  if (fate.covered > 0) return State::kCovers;
  return fate.undecided > 0 ? State::kUndecided : State::kGone;
}

std::string problem_of(const Deviation& deviation, const Fate& fate) {
  const std::string name = fmt::format("deviation \"{}\" of \"{}\"",
                                       deviation.id, deviation.subject);
  switch (state_of(fate)) {
    case State::kUnmatched:
      return name + " is stale: it matches no finding";
    case State::kGrown:
      return fmt::format(
          "{} has grown: {} by more than {}, or by an unknown effect", name,
          fate.grown == 1 ? "1 finding deviates"
                          : fmt::format("{} findings deviate", fate.grown),
          number(deviation.largest_effect));
    case State::kGone:
      return fmt::format(
          "{} is stale: none of the {} that it matches is refuted any more",
          name, counted(fate.matched, "finding"));
    default:
      return {};
  }
}

// log10 of weight times e-value; a declared deviation counts as e-value 1.
double alarm_term(const Finding& finding) {
  const double e = finding.verdict == Verdict::kDeviation
                       ? 0.0
                       : finding.log10_e.value_or(0.0);
  return std::log10(finding.weight) + e;
}

// The alarm of the run without what is declared.
void weigh_again(RunResult& result) {
  double largest = -std::numeric_limits<double>::infinity();
  std::vector<double> terms;
  for (const Finding& finding : result.findings) {
    if (!(finding.weight > 0) || !finding.log10_e) continue;
    terms.push_back(alarm_term(finding));
    if (terms.back() > largest) {
      largest = terms.back();
      result.largest_term = finding.id;
    }
  }
  if (terms.empty()) return;
  double sum = 0;
  for (const double term : terms) sum += std::pow(10.0, term - largest);
  result.log10_run_e = largest + std::log10(sum);
  result.alarm = !(result.log10_run_e < -std::log10(result.alpha));
}

bool matches(const Deviation& deviation, const Finding& finding) {
  return properties::glob_matches(deviation.id, finding.id) &&
         properties::glob_matches(deviation.subject, finding.subject);
}

/// An entry of a subject that is not in this run says nothing about it.
bool is_of_this_run(const Deviation& deviation, const RunResult& result) {
  return std::any_of(result.findings.begin(), result.findings.end(),
                     [&](const Finding& finding) {
                       return properties::glob_matches(deviation.subject,
                                                       finding.subject);
                     });
}

bool has_expired(const Deviation& deviation, Date today) {
  return deviation.expires && *deviation.expires < today;
}

// Nothing is left of what was declared.
void mark_unexpected(const Deviation& deviation, RunResult& result) {
  for (Finding& finding : result.findings) {
    if (finding.verdict != Verdict::kCertified) continue;
    if (!matches(deviation, finding)) continue;
    declare(finding, deviation);
    finding.verdict = Verdict::kUnexpectedPass;
  }
}

EntryFate fate_of(const Deviation& deviation, RunResult& result, Date today) {
  if (!is_of_this_run(deviation, result)) return {};
  if (has_expired(deviation, today)) {
    return {.state = State::kExpired,
            .problem = fmt::format("deviation \"{}\" of \"{}\" expired on {}",
                                   deviation.id, deviation.subject,
                                   date_text(*deviation.expires))};
  }
  Fate fate;
  for (Finding& finding : result.findings) {
    if (matches(deviation, finding)) apply_to(finding, deviation, fate);
  }
  if (state_of(fate) == State::kGone) mark_unexpected(deviation, result);
  EntryFate told{.state = state_of(fate),
                 .findings = fate.covered,
                 .problem = problem_of(deviation, fate)};
  if (fate.effect_is_known && fate.effect > 0) told.effect = fate.effect;
  return told;
}

}  // namespace

bool is_declared(const Finding& finding, std::span<const Deviation> deviations,
                 Date today) {
  return std::any_of(
      deviations.begin(), deviations.end(), [&](const Deviation& deviation) {
        return !has_expired(deviation, today) && matches(deviation, finding) &&
               effect_is_declared(deviation, finding);
      });
}

std::vector<EntryFate> apply_deviations(RunResult& result,
                                        std::span<const Deviation> deviations,
                                        Date today) {
  std::vector<EntryFate> fates;
  std::size_t covered = 0;
  std::size_t others = 0;
  for (const Deviation& deviation : deviations) {
    fates.push_back(fate_of(deviation, result, today));
    const EntryFate& fate = fates.back();
    covered += fate.findings;
    others += fate.state == State::kOfOthers;
    if (!fate.problem.empty()) {
      result.deviation_problems.push_back(fate.problem);
    }
  }
  if (others > 0) {
    result.warnings.push_back(fmt::format(
        "{} of subjects that are not in this run {} not judged",
        counted(others, "declared deviation"), others == 1 ? "was" : "were"));
  }
  if (covered > 0) weigh_again(result);
  return fates;
}

void withdraw_deviations(RunResult& result) {
  result.deviation_problems.clear();
  for (Finding& finding : result.findings) {
    if (finding.verdict == Verdict::kDeviation) {
      finding.verdict = Verdict::kRefuted;
    } else if (finding.verdict == Verdict::kUnexpectedPass) {
      finding.verdict = Verdict::kCertified;
    }
    finding.deviation_reason.clear();
    finding.deviation_url.clear();
  }
}

}  // namespace dropcheck::reports
