// resolution: the exact drop probability, by driving the layer word by word.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <string>
#include <vector>

#include "check_definition.hpp"
#include "context.hpp"
#include "dropcheck/impl/threshold_idioms.hpp"
#include "resolution.hpp"

namespace dropcheck::properties {
namespace {

/// One step of a 32-bit word, as generators return it: a threshold of 32 bits,
/// rounded either way, errs by less. Coarser words cost more than a rate may be
/// off.
constexpr double kTolerance = 0x1p-32;

/// Enumeration of 2^24 words takes a fraction of a second, of 2^32 a minute.
int most_bits(Profile profile) { return profile < Profile::kNightly ? 24 : 32; }

ResolutionTask task_for(const Context& context, double drop_probability) {
  impl::LayerConfig config = context.config();
  config.drop_probability = drop_probability;
  return {context.pool, context.law(), config,
          stream_seed(context.experiment, Stream::kResolution),
          most_bits(context.settings.profile)};
}

constexpr int kWrittenOut = 16;
constexpr int kCounted = 32;

std::string words_text(int bits) {
  return bits > kWrittenOut
             ? fmt::format("2^{}", bits)
             : fmt::format("{}", 1U << static_cast<unsigned>(bits));
}

/// "26 of 256 words", "exactly 0.1 of the 2^64 words": beyond 32 bits a count
/// says nothing to a reader.
std::string share_text(const Resolution& resolution, double specified) {
  const auto [numerator, exponent] = resolution.dropped;
  const int bits = resolution.word_bits;
  if (exponent == 0) {
    return fmt::format("{} of the {} words", numerator == 0 ? "none" : "all",
                       words_text(bits));
  }
  if (bits <= kCounted) {
    const auto shift = static_cast<unsigned>(bits - exponent);
    return fmt::format("{} of {} words", numerator << shift, words_text(bits));
  }
  const bool exact = resolution.dropped.error(specified) == 0;
  return fmt::format("{} of the 2^{} words",
                     exact ? fmt::format("exactly {}", specified)
                           : impl::to_string(resolution.dropped),
                     bits);
}

std::string rate_sentence(const Resolution& resolution, double specified) {
  const double error = resolution.dropped.error(specified);
  std::string text = "drops " + share_text(resolution, specified);
  if (error != 0) {
    const bool reduced = resolution.dropped.exponent < resolution.word_bits &&
                         resolution.word_bits <= kCounted;
    text += fmt::format(
        ": p is {}off by {:+.5g}",
        reduced ? impl::to_string(resolution.dropped) + ", " : "", error);
  } else if (resolution.word_bits <= kCounted) {
    text += ", exactly as specified";
  }
  if (resolution.enumerated) return text;
  return text + ", assuming that the decision is monotone in the word";
}

std::string_view words_of(const impl::ThresholdIdiom& idiom) {
  switch (idiom.rule) {
    case impl::KeepRule::kFloorOfSum:
      return "keeps by floor(keep + U)";
    case impl::KeepRule::kNotBelow:
      return "keeps by U >= p";
    case impl::KeepRule::kAbove:
      return "keeps by U > p";
    case impl::KeepRule::kBelowKeep:
      return "keeps by U < keep";
    case impl::KeepRule::kAtMostFloor:
      return "keeps by k <= floor((2^w - 1) * keep)";
  }
  return "";
}

/// What `resolution` drops among, and at drop probability 0.
struct Seen {
  const Resolution& resolution;
  const std::optional<Resolution>& at_zero;
  double specified = 0;
};

bool gives(const impl::ThresholdIdiom& idiom, const Seen& seen) {
  if (idiom.word_bits != seen.resolution.word_bits) return false;
  const auto fraction = [&](double p) {
    return impl::drop_fraction(idiom, impl::Probability::from_drop(p)).value();
  };
  const double zero = seen.at_zero ? seen.at_zero->dropped.value() : 0;
  return fraction(seen.specified) == seen.resolution.dropped.value() &&
         fraction(0) == zero;
}

/// ": looks like code that keeps by U > p in f32": all rules that are known to
/// give these shares, at most three; else how p was rounded.
std::string threshold_words(const Seen& seen) {
  std::vector<std::string> rules;
  for (const impl::ThresholdIdiom& idiom : impl::threshold_idioms()) {
    if (!gives(idiom, seen)) continue;
    std::string words =
        fmt::format("{} in {}", words_of(idiom), impl::name_of(idiom.dtype));
    if (idiom.rule == impl::KeepRule::kAtMostFloor) words = words_of(idiom);
    if (std::find(rules.begin(), rules.end(), words) == rules.end()) {
      rules.push_back(std::move(words));
    }
  }
  std::string text;
  const int bits = seen.resolution.word_bits;
  const double steps = std::ldexp(seen.resolution.dropped.value(), bits);
  const double due = std::ldexp(seen.specified, bits);
  if (bits <= kCounted && std::abs(steps - due) < 1) {
    text = fmt::format("; p is rounded{} to a multiple of 1/{}",
                       steps == std::round(due) ? ""
                       : steps > due            ? " up"
                                                : " down",
                       words_text(bits));
  }
  if (!rules.empty() && rules.size() <= 3) {
    text += fmt::format("; looks like code that {}", fmt::join(rules, ", or "));
  }
  return text;
}

std::string bound_of(const Resolution& resolution) {
  return fmt::format(
      "the drop probability is off by less than 2^-32, given uniform words; "
      "{}; each decision reads one word and no other, alone and among up to "
      "4099",
      resolution.enumerated ? fmt::format("all {} words were tried",
                                          words_text(resolution.word_bits))
                            : "the threshold was bisected, assuming that the "
                              "decision is monotone in the word");
}

/// What is dropped at p = 0, if anything. Whether 0 is taken at all is for
/// edge_probabilities, and a layer may return its input there unread.
std::optional<Resolution> dropped_at_zero(const Context& context) {
  try {
    const Resolution found = measure_resolution(task_for(context, 0));
    if (found.dropped.numerator > 0) return found;
  } catch (const Undrivable&) {
  } catch (const impl::LayerError&) {
  }
  return std::nullopt;
}

Finding check_resolution(const Context& context) {
  Finding finding = start_finding(context, "resolution");
  Resolution resolution;
  try {
    resolution = measure_resolution(task_for(context, context.p0()));
  } catch (const Undrivable& reason) {
    finding.verdict = Verdict::kNotSupported;
    finding.sentence = reason.what();
    return finding;
  }
  const double error = resolution.dropped.error(context.p0());
  finding.quantity = "effective drop probability";
  finding.expected = context.p0();
  finding.observed = resolution.dropped.value();
  finding.n = resolution.words;
  finding.evidence =
      resolution.enumerated ? Evidence::kExhaustive : Evidence::kDeterministic;
  const std::string sentence = rate_sentence(resolution, context.p0());
  const auto at_zero = dropped_at_zero(context);
  const Seen seen{resolution, at_zero, context.p0()};
  if (at_zero) {
    refute(finding, fmt::format("drops {} at drop probability 0; at {} it {}{}",
                                share_text(*at_zero, 0), context.p0(), sentence,
                                threshold_words(seen)));
  } else if (std::abs(error) < kTolerance) {
    certify(finding, sentence, bound_of(resolution));
  } else {
    refute(finding, sentence + threshold_words(seen));
  }
  return finding;
}

std::string_view is_network(const impl::Law& law) {
  if (law.network != nullptr) return "a network decides in many places";
  if (law.factor != impl::Factor::kMask) return "noise instead of a mask";
  return law.unit == impl::Unit::kBlock
             ? "many words decide one element: its blocks overlap"
             : "";
}

}  // namespace

constinit const CheckDefinition resolution_check{
    .info =
        {"resolution", Evidence::kExhaustive,
         "the exact effective drop probability, where random words can be "
         "given",
         "Where a layer takes its random words from outside, it is driven by "
         "all 2^8 to 2^24 words of the width that it declares (2^32 from "
         "nightly on), and the share that drops is the effective drop "
         "probability, an exact fraction. Each decision must read one word, "
         "change with no other, and be the same alone and at any place of "
         "calls of 1 to 4099 units. Wider words are bisected: exact if the "
         "decision is monotone in the word, which is tried around the "
         "threshold and at 2^15 other words. At p = 0 no word may drop. "
         "Certified if the error is below 2^-32; uniform words are assumed.",
         "False alarm: none, no chance is involved; where words are bisected, "
         "only if the decision is not monotone. False pass: an error below "
         "2^-32, and what a generator makes of the words.",
         "faulty:floor_keep_plus_rand"},
    .from_calls = check_resolution,
    .takes_chance = false,
    .own_shapes = true,
    .not_applicable = is_network};

}  // namespace dropcheck::properties
