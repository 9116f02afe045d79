// A caller's mistake throws in every build, and the message names parameter,
// value and rule. NaN never passes a rule.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <filesystem>
#include <fstream>
#include <functional>
#include <limits>
#include <regex>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

#include "bad_calls.hpp"
#include "dropcheck/stats/betting.hpp"
#include "dropcheck/stats/binomial_tail.hpp"
#include "dropcheck/stats/chi_square.hpp"
#include "dropcheck/stats/clopper_pearson.hpp"
#include "dropcheck/stats/context.hpp"
#include "dropcheck/stats/dirichlet_multinomial.hpp"
#include "dropcheck/stats/fixed_n.hpp"
#include "dropcheck/stats/granularity.hpp"
#include "dropcheck/stats/homogeneity.hpp"
#include "dropcheck/stats/kl.hpp"
#include "dropcheck/stats/look_schedule.hpp"
#include "dropcheck/stats/moments.hpp"
#include "dropcheck/stats/rate_claim.hpp"
#include "dropcheck/stats/run_alarm.hpp"
#include "dropcheck/stats/selu.hpp"

namespace dropcheck::stats {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

auto names(const char* parameter, const char* value) {
  return ThrowsMessage<std::domain_error>(
      AllOf(HasSubstr(parameter), HasSubstr(value), HasSubstr("must be")));
}

TEST(BadInput, NamesParameterAndValueOfAPrior) {
  EXPECT_THAT([] { prior_around(1.2, 10); }, names("p0", "1.2"));
  EXPECT_THAT([] { prior_around(kNaN, 10); }, names("p0", "nan"));
  EXPECT_THAT([] { prior_around(.1, -1); }, names("kappa", "-1"));
  EXPECT_THAT(
      [] {
        log_martingale({1, 2}, {0, 1}, .1);
      },
      names("prior a", "0"));
  EXPECT_THAT([] { recommended_kappa(.1, 0); }, names("delta", "0"));
}

TEST(BadInput, NamesCountsThatExceedN) {
  EXPECT_THAT([] { log_martingale({3, 2}, {1, 1}, .1); }, names("drops", "3"));
  EXPECT_THAT([] { clopper_pearson({3, 2}, .1); }, names("drops", "3"));
  const std::array groups = {Counts{3, 2}};
  EXPECT_THAT([&] { log_homogeneity_e_value(groups, .1); },
              names("drops", "3"));
}

TEST(BadInput, NamesAProbabilityOutOfRange) {
  EXPECT_THAT([] { log_martingale({1, 2}, {1, 1}, -.5); }, names("p", "-0.5"));
  EXPECT_THAT([] { log_upper_tail(1, 2, kNaN); }, names("p", "nan"));
  EXPECT_THAT([] { kl_bernoulli(2, .5); }, names("x", "2"));
  EXPECT_THAT([] { signature_calls(10, 0, 20); }, names("p", "0"));
  EXPECT_THAT([] { alpha_dropout_map(1); }, names("drop_probability", "1"));
}

TEST(BadInput, ExplainsWhichTolerancesAreDecidable) {
  const RateClaim claim{.p0 = .1, .delta = .05};
  EXPECT_THAT([&] { validate(claim); }, names("delta", "0.05"));
  EXPECT_THAT([&] { validate(claim); }, names("delta", "0.02"));
  EXPECT_THAT([] { validate({.p0 = .1, .delta = kNaN}); },
              names("delta", "nan"));
}

TEST(BadInput, NamesTheFaultOfAClaim) {
  EXPECT_THAT([] { validate({.p0 = 0, .delta = .1}); }, names("p0", "0"));
  EXPECT_THAT([] { validate({.p0 = .1, .delta = .01, .alpha = .5}); },
              names("alpha", "0.5"));
  EXPECT_THAT([] { validate({.p0 = .1, .delta = .01, .weight = 2}); },
              names("weight", "2"));
  EXPECT_THAT(
      [] {
        validate({.p0 = .1, .delta = .01, .declared = {.5, .4}});
      },
      names("declared", "0.5"));
  EXPECT_NO_THROW(validate({.p0 = .05, .delta = .01}));
}

TEST(BadInput, RefusesAWeightedSumAboveOneAndNoNumber) {
  const std::array over = {WeightedEvidence{0, .6}, WeightedEvidence{0, .6}};
  EXPECT_THAT([&] { log_run_e_value(over); }, names("sum of weights", "1.2"));
  EXPECT_THAT([] { claim_refuted(kNaN, .5, 1e-9); }, names("log_e", "nan"));
}

TEST(BadInput, RefusesALaterMistakeTheSameWay) {
  EXPECT_THAT([] { look_schedule(0, 1); }, names("n_max", "0"));
  EXPECT_THAT([] { look_schedule(10, 1, 1); }, names("factor", "1"));
  EXPECT_THAT([] { n_max(.1, .01, .7); }, names("alpha", "0.7"));
  EXPECT_THAT([] { n_max(.1, 1e-12); }, names("n", "e+"));
  EXPECT_THAT([] { BettingMean({1, 1}); }, names("range.lower", "1"));
  EXPECT_THAT([] { BettingMean().add(1.5); }, names("y", "1.5"));
  EXPECT_THAT([] { tost_region({.1, .2}, 10); }, names("delta", "0.2"));
  EXPECT_THAT([] { mean_test({}, {}); }, names("number of values", "0"));
  EXPECT_THAT([] { context_kappa(0); }, names("planned_n", "0"));
}

TEST(BadInput, RefusesShapesThatDoNotMatch) {
  const std::array contexts = {Counts{}, Counts{}};
  const std::array priors = {BetaPrior{1, 1}};
  EXPECT_THROW(log_context_e_value(contexts, priors, {0, 1}),
               std::invalid_argument);
  const std::array<std::uint64_t, 2> counts = {1, 2};
  const std::array third = {.2, .3, .5};
  EXPECT_THROW(log_dirichlet_multinomial(counts, third, 1),
               std::invalid_argument);
  EXPECT_THROW(goodness_of_fit(counts, third, .1), std::invalid_argument);
  EXPECT_THROW(binomial_group_fit({}, .1, .1), std::invalid_argument);
}

TEST(BadInput, RefusesCellsThatAreNoLaw) {
  const std::array<std::uint64_t, 2> counts = {1, 2};
  const std::array cells = {.5, .6};
  EXPECT_THAT([&] { log_dirichlet_multinomial(counts, cells, 1); },
              names("sum of theta", "1.1"));
  EXPECT_THAT([&] { goodness_of_fit(counts, cells, .1); },
              names("sum of expected", "1.1"));
}

// The sweep: every number, count, interval and shape that a public function of
// stats/ takes, with everything it must refuse.

std::vector<double> refused_by(Rule rule) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  std::vector<double> values = {kNaN, kInfinity, -kInfinity};
  const auto add = [&](std::initializer_list<double> more) {
    values.insert(values.end(), more);
  };
  if (rule == Rule::kProbability) add({-.1, 1.1});
  if (rule == Rule::kInner) add({-.1, 0, 1, 1.1});
  if (rule == Rule::kPositive) add({-1, 0});
  if (rule == Rule::kLevel) add({-1e-9, 0, .5, 1, 2});
  return values;
}

// What the call says, or nothing if it returns.
std::string complaint(const std::function<void()>& call) {
  try {
    call();
  } catch (const std::domain_error& error) {
    return error.what();
  } catch (const std::invalid_argument& error) {
    return error.what();
  }
  return {};
}

TEST(EveryPublicFunction, RefusesNumbersOutOfRange) {
  for (const auto& [function, parameter, rule, call] : number_parameters())
    for (const double value : refused_by(rule)) {
      const std::string text = complaint([&, &act = call] { act(value); });
      EXPECT_THAT(text, AllOf(HasSubstr(parameter), HasSubstr("must be")))
          << function << ' ' << value;
      // Moments tell of the sum that a bad value spoilt.
      if (function.ends_with("_test") && rule == Rule::kFinite) continue;
      EXPECT_THAT(text, HasSubstr(fmt::format("{}", value))) << function;
    }
}

TEST(EveryPublicFunction, RefusesCountsThatDoNotAddUp) {
  for (const auto& [function, call] : counts_parameters()) {
    const auto says = [&, &act = call](const Counts& counts) {
      return complaint([&] { act(counts); });
    };
    EXPECT_THAT(says({3, 2}), AllOf(HasSubstr("drops is 3"), HasSubstr("= 2")))
        << function;
    EXPECT_THAT(says({1, std::uint64_t{1} << 63}),
                AllOf(HasSubstr("9223372036854775808"), HasSubstr("2^63")))
        << function;
  }
}

TEST(EveryPublicFunction, RefusesRatesThatAreNoInterval) {
  for (const auto& [function, parameter, call] : rates_parameters())
    for (const Interval& rates :
         {Interval{.5, .4}, Interval{-.1, .5}, Interval{.5, 1.1},
          Interval{kNaN, .5}, Interval{.5, kNaN}})
      EXPECT_THAT(complaint([&, &act = call] { act(rates); }),
                  AllOf(HasSubstr(parameter), HasSubstr("must be")))
          << function << ' ' << rates.lower << ' ' << rates.upper;
}

TEST(EveryPublicFunction, RefusesShapesAndSumsThatDoNotFit) {
  for (const auto& [function, parameter, call] : bad_calls())
    EXPECT_THAT(complaint(call),
                AllOf(HasSubstr(parameter), HasSubstr("must be")))
        << function;
}

// Names declared in the public headers, without comments.
std::set<std::string> declared_functions() {
  std::set<std::string> names;
  const std::regex declaration("\\b([a-z][a-z0-9_]*)\\(");
  const std::filesystem::path headers = DROPCHECK_STATS_HEADERS;
  for (const auto& entry : std::filesystem::directory_iterator(headers)) {
    std::ifstream file(entry.path());
    for (std::string line; std::getline(file, line);) {
      line = line.substr(0, line.find("//"));
      if (line.find("std::function<") != std::string::npos) continue;
      for (std::sregex_iterator match(line.begin(), line.end(), declaration),
           end;
           match != end; ++match)
        names.insert((*match)[1]);
    }
  }
  return names;
}

// Functions of classes, which the sweep names by their class; those without
// arguments; and those that take what another function has checked.
const std::set<std::string> kNothingToRefuse = {"add",
                                                "add_bulk",
                                                "add_node",
                                                "add_tails",
                                                "all",
                                                "calls",
                                                "cell_counts",
                                                "cell_of",
                                                "cells",
                                                "contexts",
                                                "every_e_value",
                                                "continues",
                                                "end_night",
                                                "fingerprint",
                                                "group_size",
                                                "groups",
                                                "kurtosis",
                                                "lifetime_refuted",
                                                "lifetime_log_e_value",
                                                "log_capital",
                                                "merge",
                                                "n",
                                                "normal_probability",
                                                "normal_raw_moments",
                                                "number",
                                                "p0",
                                                "probabilities",
                                                "selu_raw_moments",
                                                "size",
                                                "skewness",
                                                "variance",
                                                "variance_ratio",
                                                "log_capital_above",
                                                "log_capital_below",
                                                "log_one_parameter_e_value"};

TEST(EveryPublicFunction, IsSwept) {
  std::set<std::string> swept;
  for (const auto& p : number_parameters()) swept.insert(p.function);
  for (const auto& p : counts_parameters()) swept.insert(p.function);
  for (const auto& p : rates_parameters()) swept.insert(p.function);
  for (const auto& p : bad_calls()) swept.insert(p.function);
  const std::set<std::string> declared = declared_functions();
  EXPECT_GT(declared.size(), 80U);
  for (const std::string& name : declared) {
    if (kNothingToRefuse.contains(name)) continue;
    EXPECT_TRUE(swept.contains(name))
        << name << " is public, but the sweep does not call it";
  }
}

}  // namespace
}  // namespace dropcheck::stats
