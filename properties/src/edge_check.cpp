// edge_probabilities: 0, 1, nearly 0 and 1, and beyond.
#include <fmt/format.h>

#include <cmath>
#include <limits>
#include <optional>

#include "check_definition.hpp"
#include "context.hpp"
#include "law_reading.hpp"
#include "option_words.hpp"
#include "oracle_input.hpp"
#include "own_draws.hpp"
#include "value_comparison.hpp"

namespace dropcheck::properties {
namespace {

enum class Answer { kResult, kRefused };

/// Calls the layer at a drop probability; kRefused if it says no.
Answer call_at(const Context& context, double p, impl::Tensor& input,
               impl::Tensor& output) {
  impl::LayerConfig config = context.config();
  config.drop_probability = p;
  config.in_place = false;
  try {
    const auto layer = context.subject().make(config);
    output = copied(layer->forward({input.view(), true, 1}));
  } catch (const impl::LayerError&) {
    return Answer::kRefused;
  }
  require_result_for(context, input.shape(), output.view());
  return Answer::kResult;
}

/// Calls at 0 and at 1.
int rounds_of(const PlannedConfiguration& planned) {
  return planned.generated ? 4 : 16;
}

impl::Tensor edge_input(const Context& context) {
  return make_input(context.law(), context.config(), context.plan.shape,
                    stream_seed(context.experiment, Stream::kEdges));
}

/// How many elements of a result are 0, and how many are the input.
struct EdgeShares {
  double zeros = 0;
  double whole = 0;
  double numbers = 0;
};

EdgeShares shares_of(const impl::TensorView& input,
                     const impl::TensorView& output) {
  EdgeShares shares;
  const auto size = static_cast<double>(output.size());
  const bool same_size = input.size() == output.size();
  for (std::int64_t i = 0; i < output.size(); ++i) {
    const double y = output.value(i);
    shares.zeros += y == 0 ? 1 / size : 0;
    shares.whole += same_size && y == input.value(i) ? 1 / size : 0;
    shares.numbers += std::isfinite(y) ? 1 / size : 0;
  }
  return shares;
}

/// What a drop probability that must be refused does instead.
std::string taken_for(const impl::Tensor& input, const impl::Tensor& output) {
  const EdgeShares shares = shares_of(input.view(), output.view());
  if (shares.whole > 1 - 1e-9) {
    return "its range is not checked, and it does as 0 does";
  }
  if (shares.zeros > 1 - 1e-9) {
    return "its range is not checked, and it does as 1 does";
  }
  return fmt::format("its range is not checked, and it drops {:.2g} of all",
                     shares.zeros);
}

/// Which drop probability 0 is taken for.
std::string cause_at_zero(double dropped) {
  if (dropped <= 0) {
    return "nothing is dropped, but the values are changed";
  }
  if (std::abs(dropped - 0.5) < 0.02 || std::abs(dropped - 0.1) < 0.01 ||
      std::abs(dropped - 0.2) < 0.01) {
    return fmt::format(
        "{:.2g} of all are dropped, as if 0 were taken for a missing argument "
        "with a default",
        dropped);
  }
  if (dropped > 0.999) return "all is dropped: 0 looks taken for keep";
  if (dropped < 0.02) {
    return fmt::format(
        "1 of about {:.2g} is dropped, as by U <= p, or U > p for keep, where "
        "U "
        "can be 0",
        1 / dropped);
  }
  return fmt::format("{:.2g} of all are dropped", dropped);
}

/// What is wrong with a result at drop probability 1.
std::string cause_at_one(const impl::Tensor& input,
                         const impl::Tensor& output) {
  const EdgeShares shares = shares_of(input.view(), output.view());
  const double kept = shares.numbers - shares.zeros;
  if (shares.numbers < 1 && kept <= 0) {
    return "1 / keep is not guarded where keep is 0";
  }
  if (shares.whole > 1 - 1e-9) {
    return "nothing is dropped: 1 is taken for off, as 0 is";
  }
  if (kept > 0.999) return "nothing is dropped";
  if (kept < 0.02) {
    return fmt::format(
        "1 of about {:.2g} is kept, as by U < p for a drop where U can be 1",
        1 / kept);
  }
  return fmt::format("{:.2g} of all are kept", kept);
}

std::optional<std::string> wrong_beyond_ends(const Context& context,
                                             const impl::Tensor& fresh,
                                             Finding& finding) {
  const bool accepted =
      context.law().options.beyond_ends == impl::BeyondEnds::kAccepted;
  const double infinity = std::numeric_limits<double>::infinity();
  for (const double p : {-0.1, 1.5, std::nan(""), infinity, -1e-9, 1 + 1e-9}) {
    impl::Tensor input = fresh;
    impl::Tensor output;
    ++finding.calls;
    if (call_at(context, p, input, output) == Answer::kResult && !accepted) {
      return fmt::format(
          "accepts the drop probability {} without an error: {}{}", p,
          taken_for(input, output), needs_option({"beyond_ends = accepted"}));
    }
  }
  return std::nullopt;
}

/// What the layer returns where nothing is dropped.
impl::Tensor undropped(const Context& context, impl::Tensor& input) {
  if (context.law().base == impl::Base::kInput) return input;
  const auto layer = context.subject().make(context.config());
  const impl::TensorView result = evaluate(*layer, input);
  require_result_for(context, input.shape(), result);
  return copied(result);
}

std::optional<std::string> wrong_at_zero(const Context& context,
                                         const impl::Tensor& fresh,
                                         Finding& finding) {
  for (const double p : {0.0, 1e-300}) {
    impl::Tensor input = fresh;
    const impl::Tensor expected = undropped(context, input);
    std::int64_t wrong = 0;
    std::int64_t first = -1;
    std::int64_t read = 0;
    double value = 0;
    const int rounds = rounds_of(context.plan);
    double dropped = 0;
    for (int call = 0; call < rounds; ++call) {
      impl::Tensor output;
      ++finding.calls;
      if (call_at(context, p, input, output) == Answer::kRefused) {
        return fmt::format("refuses the drop probability {}", p);
      }
      read += output.size();
      const std::int64_t at = first_difference(output.view(), expected.view());
      if (at < 0) continue;
      dropped += (shares_of(input.view(), output.view()).zeros -
                  shares_of(input.view(), expected.view()).zeros) /
                 rounds;
      ++wrong;
      if (first < 0) value = output.view().value(at);
      if (first < 0) first = at;
    }
    finding.n += static_cast<std::uint64_t>(read);
    if (wrong > 0) {
      return fmt::format(
          "is not the identity at drop probability {}: {} of x = {:.7g} "
          "becomes {:.7g} ({} of {} calls): {}",
          p, place_of(first, expected.shape()), expected.view().value(first),
          value, wrong, rounds, cause_at_zero(dropped));
    }
  }
  return std::nullopt;
}

std::optional<std::string> wrong_at_one(const Context& context,
                                        const impl::Tensor& fresh,
                                        Finding& finding) {
  const impl::AtOne declared = context.law().options.at_one;
  impl::Tensor input = fresh;
  for (int call = 0; call < rounds_of(context.plan); ++call) {
    impl::Tensor output;
    ++finding.calls;
    if (call_at(context, 1.0, input, output) == Answer::kRefused) {
      if (declared == impl::AtOne::kZeros) {
        return "refuses the drop probability 1" +
               needs_option({"at_one = error"});
      }
      return std::nullopt;
    }
    if (declared == impl::AtOne::kError) {
      return "accepts the drop probability 1, which the contract excludes" +
             needs_option({"at_one = zeros"});
    }
    finding.n += static_cast<std::uint64_t>(output.size());
    const std::vector<double> values = values_of(output.view());
    for (std::int64_t i = 0; i < output.size(); ++i) {
      const double y = values[static_cast<std::size_t>(i)];
      const bool any_number =
          declared == impl::AtOne::kFormula && !std::isnan(y);
      if (y == 0 || any_number) continue;
      return fmt::format(
          "returns {:.7g} at drop probability 1, where {} ({}): {}", y,
          std::isnan(y) ? "a number is due" : "all must be 0",
          place_of(i, output.shape()), cause_at_one(input, output));
    }
  }
  return std::nullopt;
}

/// A layer that refuses 1 and holds p as an f32 takes 1 - 2^-53 for 1.
bool refuses_as_one(const Context& context, const impl::Tensor& fresh,
                    Finding& finding) {
  if (context.law().options.at_one != impl::AtOne::kError &&
      context.law().options.at_one != impl::AtOne::kEither) {
    return false;
  }
  impl::Tensor input = fresh;
  impl::Tensor output;
  ++finding.calls;
  return call_at(context, 1 - std::ldexp(1.0, -24), input, output) !=
         Answer::kRefused;
}

std::optional<std::string> wrong_near_one(const Context& context,
                                          const impl::Tensor& fresh,
                                          Finding& finding) {
  const double p = 1 - std::ldexp(1.0, -53);
  impl::Tensor input = fresh;
  impl::Tensor output;
  ++finding.calls;
  if (call_at(context, p, input, output) == Answer::kRefused) {
    if (refuses_as_one(context, fresh, finding)) return std::nullopt;
    return "refuses the drop probability 1 - 2^-53";
  }
  const impl::TensorView result = output.view();
  for (std::int64_t i = 0; i < output.size(); ++i) {
    if (std::isnan(result.value(i))) {
      return fmt::format("returns NaN at drop probability 1 - 2^-53 ({})",
                         place_of(i, output.shape()));
    }
  }
  return std::nullopt;
}

const char* words_of(impl::AtOne at_one) {
  switch (at_one) {
    case impl::AtOne::kZeros:
      return "zeros";
    case impl::AtOne::kError:
      return "an error";
    case impl::AtOne::kEither:
      return "zeros or an error";
    case impl::AtOne::kFormula:
      return "numbers";
  }
  return "";
}

}  // namespace

static Finding check_edge_probabilities(const Context& context) {
  Finding finding = start_finding(context, "edge_probabilities");
  const impl::Tensor fresh = edge_input(context);
  std::string faults;
  for (const auto check :
       {wrong_beyond_ends, wrong_at_zero, wrong_at_one, wrong_near_one}) {
    if (const auto wrong = check(context, fresh, finding)) {
      faults += (faults.empty() ? "" : "; ") + *wrong;
    }
  }
  if (!faults.empty()) {
    refute(finding, faults);
    return finding;
  }
  const impl::LawOptions& options = context.law().options;
  certify(finding,
          fmt::format("identity at 0, {} at 1{}", words_of(options.at_one),
                      options.beyond_ends == impl::BeyondEnds::kError
                          ? ", an error beyond and for NaN"
                          : ""),
          fmt::format("in {} calls at p = -0.1, -1e-9, 0, 1e-300, 1 - 2^-53, "
                      "1, 1 + 1e-9, 1.5, infinity and NaN",
                      finding.calls));
  return finding;
}

namespace {

std::string_view dear_or_later(const PlannedConfiguration& planned,
                               const Occasion& occasion) {
  constexpr std::int64_t kMostElements = 20000;
  if (planned.generated && impl::element_count(planned.shape) > kMostElements) {
    return "its calls would draw too many elements";
  }
  return not_first_probability(planned, occasion);
}

}  // namespace

constinit const CheckDefinition edge_probabilities_check{
    .info = {"edge_probabilities", Evidence::kDeterministic,
             "p = 0 is the identity, p = 1 gives zeros, beyond is refused",
             "16 calls each at 0, 1e-300, 1 - 2^-53 and 1, and one at -0.1, "
             "-1e-9, 1 + 1e-9, 1.5, infinity and NaN. A subject may declare an "
             "error at 1 (at_one = error) or that nothing is refused beyond "
             "(beyond_ends = accepted).",
             kNoChance, "faulty:drops_at_zero"},
    .from_calls = check_edge_probabilities,
    .needs_rate = false,
    .reads_masks = false,
    .takes_chance = false,
    .left_out = dear_or_later};

}  // namespace dropcheck::properties
