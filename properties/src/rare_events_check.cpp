// rare_events: drops at p = 0 and keeps at p = 1 that nobody sees in a few
// thousand decisions (STATISTICS 2.f, "rare events").
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <optional>
#include <string>

#include "check_definition.hpp"
#include "context.hpp"
#include "detection.hpp"
#include "dropcheck/properties/number_text.hpp"
#include "dropcheck/stats/rare_events.hpp"
#include "oracle_input.hpp"
#include "own_draws.hpp"
#include "sampler.hpp"
#include "shapes.hpp"
#include "value_comparison.hpp"

namespace dropcheck::properties {
namespace {

/// An event of the stated probability is missed this often.
const double kLogMissed = std::log(1e9);

std::int64_t units_a_call(const impl::Law& law) {
  return law.unit == impl::Unit::kTensor ? 1 : std::int64_t{1} << 16;
}

/// Decisions at either end: what the profile wants, or what a slow subject can
/// make in the time that the profile gives.
std::uint64_t decisions_of(const PlannedConfiguration& planned,
                           Profile profile) {
  const auto wanted =
      by_profile<std::uint64_t>(profile, 1 << 18, 350'000'000, 1'000'000'000);
  const double seconds = by_profile(profile, 1.0, 0.1, 600.0);
  const impl::Shape output =
      impl::output_shape(*planned.law, planned.config, planned.shape);
  const double decisions_per_call =
      planned.law->unit == impl::Unit::kTensor
          ? 1
          : static_cast<double>(impl::element_count(output));
  const double cost = planned.seconds_per_call / decisions_per_call;
  // In steps of eight, so that only a slow subject has fewer, and the same ones
  // whenever it is measured.
  std::uint64_t decisions = wanted;
  while (decisions > (1U << 14) &&
         static_cast<double>(decisions) * cost > seconds) {
    decisions /= 8;
  }
  return decisions;
}

/// Calls that are asked for at once: one decision each is little for a worker.
std::int64_t calls_together(const impl::Law& law) {
  return law.unit == impl::Unit::kTensor ? 256 : 1;
}

/// One of the outputs that are stacked on a first axis.
impl::TensorView part(const impl::TensorView& stacked, std::int64_t index) {
  impl::TensorView one = stacked;
  one.shape.erase(one.shape.begin());
  one.strides = impl::compact_strides(one.shape);
  one.data = stacked.at(index * one.size());
  return one;
}

struct Event {
  std::int64_t call = 0;
  std::int64_t element = 0;
  double value = 0;
};

/// A layer at one end of the range, and what it has to return.
class End {
 public:
  End(const Context& context, double p)
      : context_(context),
        config_(context.config()),
        shape_(shape_of_units(context.law(), context.config(),
                              units_a_call(context.law()))),
        input_(make_input(context.law(), context.config(), shape_,
                          stream_seed(context.experiment, Stream::kRare))),
        expected_(config_.dtype, {0}) {
    config_.drop_probability = p;
    config_.in_place = false;
  }

  /// False where the implementation refuses this probability.
  bool open() {
    try {
      layer_ = context_.subject().make(config_);
      if (context_.describe().reseed) {
        layer_->reseed(stream_seed(context_.experiment, Stream::kRare, 1));
      }
      caller_.emplace(*layer_, input_);
      const impl::TensorView first = part(calls(1), 0);
      expected_ = dropping() ? copied(first) : undropped();
    } catch (const impl::LayerError&) {
      return false;
    }
    return true;
  }

  /// Makes calls until the first event, or all of them; returns how many
  /// decisions were seen.
  std::uint64_t draw(std::uint64_t decisions, std::optional<Event>& event) {
    const auto units = static_cast<std::uint64_t>(units_a_call(context_.law()));
    std::uint64_t done = 0;
    for (std::int64_t number = 0; done < decisions;) {
      if (context_.interrupted && context_.interrupted()) break;
      const auto left =
          static_cast<std::int64_t>((decisions - done + units - 1) / units);
      const std::int64_t repeat =
          std::min(calls_together(context_.law()), left);
      const impl::TensorView results = calls(repeat);
      for (std::int64_t i = 0; i < repeat; ++i, ++number) {
        done += units;
        const impl::TensorView result = part(results, i);
        const std::int64_t at = first_wrong(result, number == 0);
        if (at < 0) continue;
        event = Event{number, at, result.value(at)};
        return done;
      }
    }
    return done;
  }

  std::string words(const Event& event) const {
    const std::string place =
        fmt::format("{} in call {}", place_of(event.element, expected_.shape()),
                    event.call);
    if (dropping()) {
      return fmt::format(
          "keeps at drop probability 1: {:.7g} ({}): looks like an end "
          "that is not excluded, such as U < p where U can be 1",
          event.value, place);
    }
    return fmt::format(
        "drops at drop probability 0: {:.7g} becomes {:.7g} ({}): looks like "
        "an "
        "end that is not excluded, such as U <= p where U can be 0",
        expected_.view().value(event.element), event.value, place);
  }

 private:
  bool dropping() const { return config_.drop_probability == 1; }

  impl::TensorView calls(std::int64_t repeat) {
    return caller_->stacked(impl::output_shape(context_.law(), config_, shape_),
                            repeat);
  }

  impl::Tensor undropped() {
    if (context_.law().base == impl::Base::kInput) return input_;
    const auto layer = context_.subject().make(context_.config());
    return copied(evaluate(*layer, input_));
  }

  bool same_bytes(const impl::TensorView& result) const {
    return result.compact() && result.shape == expected_.shape() &&
           std::memcmp(result.data, expected_.bytes(),
                       expected_.byte_count()) == 0;
  }

  /// At p = 1 the first call is looked at value by value, and is then what
  /// others are compared with: zeros may have a sign.
  std::int64_t first_wrong(const impl::TensorView& result, bool first) const {
    if (!(dropping() && first) && same_bytes(result)) return -1;
    if (!dropping()) return first_difference(result, expected_.view());
    for (std::int64_t i = 0; i < result.size(); ++i) {
      if (result.value(i) != 0) return i;
    }
    return -1;
  }

  const Context& context_;
  impl::LayerConfig config_;
  impl::Shape shape_;
  impl::Tensor input_;
  impl::Tensor expected_;
  std::unique_ptr<impl::Layer> layer_;
  std::optional<Caller> caller_;
};

}  // namespace

static Finding check_rare_events(const Context& context) {
  Finding finding = start_finding(context, "rare_events");
  const PlannedCheck& planned = *context.planned("rare_events");
  const std::uint64_t decisions =
      planned.reduced_n > 0
          ? planned.reduced_n
          : decisions_of(context.plan, context.settings.profile);
  std::string faults;
  std::string ends;
  for (const double p : {0.0, 1.0}) {
    End end(context, p);
    // Refusing p = 1 may be right: edge_probabilities decides that.
    if (!end.open()) continue;
    std::optional<Event> event;
    finding.n += end.draw(decisions, event);
    ends += fmt::format("{}{}", ends.empty() ? "" : " and ", p);
    if (event) faults += (faults.empty() ? "" : "; ") + end.words(*event);
  }
  finding.calls =
      finding.n / static_cast<std::uint64_t>(units_a_call(context.law()));
  if (!faults.empty()) {
    refute(finding, faults);
    return finding;
  }
  if (ends.empty()) {
    finding.verdict = Verdict::kNotSupported;
    finding.sentence = "refuses both ends of the range of probabilities";
    return finding;
  }
  if (context.interrupted && context.interrupted()) {
    finding.verdict = Verdict::kNotRun;
    finding.sentence = "interrupted before all decisions were drawn";
    return finding;
  }
  certify(finding, fmt::format("no decision is wrong at p = {}", ends),
          fmt::format("in {} decisions each: a wrong one has a probability of "
                      "at most {:.2g}",
                      decisions, kLogMissed / static_cast<double>(decisions)));
  return finding;
}

namespace {

void plan_rare_events(const PlannedConfiguration& planned,
                      const Settings& settings, double, PlannedCheck& check) {
  if (check.reduced_n == 0) {
    check.reduced_n = decisions_of(planned, settings.profile);
  }
  const auto n = static_cast<double>(check.reduced_n);
  check.miss_probability = 1e-9;
  check.detectable_effect = two_digits(kLogMissed / n);
  check.detectable =
      fmt::format("a wrong decision in {:.2g} at p = 0 or at p = 1",
                  1 / check.detectable_effect);
  check.expected_n = check.worst_n = 2 * n;
  check.elements = check.worst_n;
}

}  // namespace

constinit const CheckDefinition rare_events_check{
    .info = {"rare_events", Evidence::kDeterministic,
             "nothing is ever dropped at p = 0, nor kept at p = 1",
             "Every value of many calls at both ends of the range: one wrong "
             "decision refutes. A generator that returns exactly 0 or 1, with "
             "the comparison the wrong way round, shows up once in 2^24 "
             "decisions. In one configuration a subject; slow subjects make "
             "fewer decisions, and the finding says how many.",
             "False alarm: none, no chance is involved. False pass: an event "
             "rarer than the finding says.",
             "faulty:drops_rarely_at_zero"},
    .from_calls = check_rare_events,
    .needs_rate = false,
    .reads_masks = false,
    .takes_chance = false,
    .own_shapes = true,
    .not_applicable = overlapping_blocks,
    .left_out = not_once,
    .plan = plan_rare_events};

}  // namespace dropcheck::properties
