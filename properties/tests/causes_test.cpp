// What a refutation says of the cause, with parameters that the zoo does not
// have; and that it says nothing that another defect shows as well.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include <cmath>
#include <functional>
#include <random>

#include "dropcheck/impl/selu.hpp"
#include "gradient_words.hpp"
#include "pattern_causes.hpp"
#include "place_causes.hpp"
#include "stream_history.hpp"
#include "value_causes.hpp"
#include "value_rules.hpp"

namespace dropcheck::properties {
namespace {

using ::testing::HasSubstr;

constexpr double kNone = -1e9;

impl::Affine plain(double p) { return {.a = 1 / (1 - p)}; }

impl::Affine selu(double p) {
  const double c = impl::kSeluSaturation;
  const double a = 1 / std::sqrt((1 - p) * (1 + p * c * c));
  return {.a = a, .b = -a * p * c, .c = c};
}

std::string values(const impl::Affine& due, double p, double slope,
                   double offset = 0, double dropped = 0) {
  SeenValues seen{{slope, offset, dropped}};
  if (dropped == kNone) seen.any_dropped = false;
  return cause_of_values(due, p, seen).value_or("");
}

TEST(ValueCauses, NamePowersOfKeep) {
  for (const double p : {0.07, 0.23, 0.4, 0.73}) {
    const double q = 1 - p;
    const auto cause = [&](double slope) { return values(plain(p), p, slope); };
    EXPECT_THAT(cause(1), HasSubstr("not scaled")) << p;
    EXPECT_THAT(cause(1 / (q * q)), HasSubstr("scaled twice")) << p;
    EXPECT_THAT(cause(1 / p), HasSubstr("divided by the drop")) << p;
    EXPECT_THAT(cause(q), HasSubstr("multiplied by the keep")) << p;
    EXPECT_THAT(cause(p), HasSubstr("multiplied by the drop")) << p;
    EXPECT_THAT(cause(1 / std::sqrt(q)), HasSubstr("root of the keep")) << p;
    EXPECT_THAT(cause(-1 / q), HasSubstr("wrong sign")) << p;
    EXPECT_THAT(cause(1 + p), HasSubstr("first two terms")) << p;
    EXPECT_EQ(cause(1 / q), "") << p;
    EXPECT_EQ(cause(1.2345678 / q), "") << p;
  }
}

TEST(ValueCauses, NameBothWhereTwoFit) {
  EXPECT_THAT(values(plain(0.5), 0.5, 4), HasSubstr("scaled twice"));
  const std::string half = values(plain(0.5), 0.5, 0.5);
  EXPECT_THAT(half, HasSubstr("multiplied by the keep"));
  EXPECT_THAT(half, HasSubstr(", or multiplied by the drop"));
}

TEST(ValueCauses, NameRoundings) {
  const double right = 1 / 0.7;
  EXPECT_THAT(values(plain(0.3), 0.3, 1.4), HasSubstr("rounded to 1 decimal"));
  EXPECT_THAT(values(plain(0.3), 0.3, 1.429),
              HasSubstr("rounded to 3 decimals"));
  EXPECT_THAT(values(plain(0.3), 0.3, std::round(right * 64) / 64),
              HasSubstr("fixed point of 6 bits"));
  EXPECT_THAT(
      values(plain(0.3), 0.3, impl::rounded(right, impl::DType::kBFloat16)),
      HasSubstr("rounded to bf16"));
  EXPECT_THAT(values(plain(0.3), 0.3, 256.0 / 179),
              HasSubstr("a keep probability of 179/256"));
  EXPECT_THAT(values(plain(0.3), 0.3, 1.25),
              HasSubstr("a drop probability of 0.2, a usual default"));
}

TEST(ValueCauses, NameWhatIsWrongOfTheAffineMap) {
  for (const double p : {0.05, 0.2, 0.3, 0.6}) {
    const impl::Affine due = selu(p);
    const auto cause = [&](double a, double b, double c) {
      return values(due, p, a, b, a * c + b);
    };
    const double a = due.a;
    const double b = due.b;
    const double c = due.c;
    EXPECT_EQ(cause(a, b, c), "") << p;
    EXPECT_EQ(cause(a, -b, c), "b has the wrong sign") << p;
    EXPECT_THAT(cause(a, 0, c), HasSubstr("b is missing")) << p;
    EXPECT_EQ(cause(a, 2 * b, c), "b is added twice") << p;
    EXPECT_THAT(cause(a, b, -c), HasSubstr("the wrong sign")) << p;
    EXPECT_THAT(cause(a, b, 0), HasSubstr("alpha' is missing")) << p;
    EXPECT_THAT(cause(a, b, -impl::kSeluAlpha), HasSubstr("without lambda"));
    EXPECT_THAT(cause(a * a, -a * a * p * c, c), HasSubstr("without the root"));
    EXPECT_THAT(cause(1, 0, c), HasSubstr("affine map that restores")) << p;
    EXPECT_THAT(values(due, p, 1 / (1 - p), 0, 0), HasSubstr("plain dropout"));
    const impl::Affine other = selu(1 - p);
    EXPECT_THAT(cause(other.a, other.b, c),
                HasSubstr("keep in the place of drop"))
        << p;
    const impl::Affine third = selu(0.123);
    EXPECT_THAT(cause(third.a, third.b, c),
                HasSubstr("of the drop probability 0.123"))
        << p;
    const double elu = -1;
    const double scale = 1 / std::sqrt((1 - p) * (1 + p));
    EXPECT_THAT(cause(scale, -scale * p * elu, elu), HasSubstr("as ELU's"));
  }
}

TEST(ValueCauses, NameFactorsOfGradients) {
  const auto cause = [](double factor) {
    return cause_of_factor(plain(0.3), 0.3, factor, 1e-6).value_or("");
  };
  EXPECT_EQ(cause(1), "1/keep is missing");
  EXPECT_EQ(cause(1 / 0.49), "1/keep is applied twice");
  EXPECT_EQ(cause(0.3), "the drop probability in the place of 1/keep");
  EXPECT_EQ(cause(0.7), "the keep probability in the place of 1/keep");
  EXPECT_EQ(cause(-1 / 0.7), "the sign is wrong");
  EXPECT_EQ(cause(1.234), "");
}

/// Masks of 64 calls of 40 x 25 units, by a rule for each call.
MaskSample sample_of(const std::function<void(std::vector<std::uint8_t>& call,
                                              std::mt19937_64& random,
                                              std::int64_t number)>& rule,
                     impl::Shape grid = {40, 25}) {
  MaskSample sample;
  sample.calls = 64;
  sample.grid = std::move(grid);
  sample.units = 1;
  for (const std::int64_t extent : sample.grid) sample.units *= extent;
  std::mt19937_64 random(17);
  for (std::int64_t t = 0; t < sample.calls; ++t) {
    std::vector<std::uint8_t> call(static_cast<std::size_t>(sample.units));
    for (auto& drop : call) drop = random() % 5 == 0;
    rule(call, random, t);
    sample.drops.insert(sample.drops.end(), call.begin(), call.end());
  }
  return sample;
}

std::string pattern(const MaskSample& sample, std::int64_t lag) {
  PairCounts pairs;
  for (std::int64_t t = 0; t < sample.calls; ++t) {
    for (std::int64_t i = lag; i < sample.units; ++i) {
      const bool earlier = sample.drop(t, i - lag);
      const bool later = sample.drop(t, i);
      pairs +=
          {1, earlier ? 1U : 0U, later ? 1U : 0U, earlier && later ? 1U : 0U};
    }
  }
  return cause_of_pattern(sample, lag, pairs).value_or("");
}

TEST(PatternCauses, NameTheWidthOfGroups) {
  for (const std::size_t width : {5U, 8U, 16U, 64U}) {
    const auto sample = sample_of([&](auto& call, auto&, auto) {
      for (std::size_t i = 0; i < call.size(); ++i) {
        call[i] = call[i - i % width];
      }
    });
    EXPECT_THAT(pattern(sample, 1),
                HasSubstr(fmt::format("groups of {} neighbours", width)));
  }
}

TEST(PatternCauses, NameGroupsThatBeginAnewInEachRow) {
  const auto sample = sample_of([&](auto& call, auto&, auto) {
    for (std::size_t i = 0; i < call.size(); ++i) {
      call[i] = call[i - i % 25 % 4];
    }
  });
  EXPECT_THAT(pattern(sample, 1), HasSubstr("groups of 4 neighbours"));
}

TEST(PatternCauses, NameThePeriodOfTiles) {
  for (const std::size_t period : {7U, 48U, 128U, 333U}) {
    const auto sample = sample_of([&](auto& call, auto&, auto) {
      for (std::size_t i = period; i < call.size(); ++i) {
        call[i] = call[i - period];
      }
    });
    EXPECT_THAT(pattern(sample, static_cast<std::int64_t>(period)),
                HasSubstr(fmt::format("one tile of {} decisions", period)));
  }
  const auto rows = sample_of([](auto& call, auto&, auto) {
    for (std::size_t i = 75; i < call.size(); ++i) call[i] = call[i - 75];
  });
  EXPECT_THAT(pattern(rows, 75), HasSubstr("one 3 rows before"));
}

TEST(PatternCauses, NamePairsAndMirrors) {
  const auto twins = sample_of([](auto& call, auto&, auto) {
    for (std::size_t i = 0; i < call.size(); ++i) {
      if (i % 32 >= 16) call[i] = call[i - 16];
    }
  });
  EXPECT_THAT(pattern(twins, 16), HasSubstr("16 apart share one decision in"));
  const auto mirrored = sample_of([](auto& call, auto&, auto) {
    for (std::size_t i = 1; i < call.size(); i += 2) {
      if (call[i - 1] != 0) call[i] = 0;
    }
  });
  EXPECT_THAT(pattern(mirrored, 1), HasSubstr("never dropped together in pai"));
  const auto spread = sample_of([](auto& call, auto&, auto) {
    for (std::size_t i = 1; i < call.size(); ++i) {
      if (call[i - 1] != 0) call[i] = 0;
    }
  });
  EXPECT_THAT(pattern(spread, 1), HasSubstr("drops are spread out"));
}

TEST(PatternCauses, NameRowsThatAreMoved) {
  const auto sample = sample_of([](auto& call, auto&, auto) {
    for (std::size_t i = 25; i < call.size(); ++i) {
      if (i % 25 < 22) call[i] = call[i - 25 + 3];
    }
  });
  EXPECT_THAT(pattern(sample, 22), HasSubstr("moved by 3 units"));
}

TEST(PatternCauses, NameHowOftenADecisionIsRepeated) {
  const auto sample = sample_of([](auto& call, auto& random, auto) {
    for (std::size_t i = 11; i < call.size(); ++i) {
      if (random() % 4 == 0) call[i] = call[i - 11];
    }
  });
  EXPECT_THAT(pattern(sample, 11), HasSubstr("decision 11 units before it "
                                             "with probability 0.2"));
  // Not a tile, not groups: one decision in a thousand differs.
  const auto nearly = sample_of([](auto& call, auto& random, auto) {
    for (std::size_t i = 0; i < call.size(); ++i) {
      if (random() % 1000 != 0) call[i] = call[i - i % 4];
    }
  });
  EXPECT_THAT(pattern(nearly, 1), HasSubstr("as if a unit repeated"));
}

TEST(CountCauses, NameTheGroups) {
  const auto fixed = [](std::size_t width) {
    return sample_of([width](auto& call, auto& random, auto) {
      for (std::size_t first = 0; first < call.size(); first += width) {
        std::fill_n(call.begin() + static_cast<std::ptrdiff_t>(first), width,
                    0);
        for (std::size_t k = 0; k < width / 5; ++k) {
          call[first + random() % width] = 1;
        }
      }
    });
  };
  EXPECT_THAT(cause_of_counts(fixed(1000)).value_or(""),
              HasSubstr("every call drops a fixed number"));
  EXPECT_THAT(cause_of_counts(fixed(100)).value_or(""),
              HasSubstr("every group of 100 units drops a fixed number"));
  const auto own_rate = [](std::size_t width) {
    return sample_of([width](auto& call, auto& random, auto) {
      std::uint64_t in = 5;
      for (std::size_t i = 0; i < call.size(); ++i) {
        if (i % width == 0) in = random() % 2 == 0 ? 2 : 10;
        call[i] = random() % in == 0;
      }
    });
  };
  EXPECT_EQ(cause_of_counts(own_rate(8)).value_or(""),
            "every group of 8 units has a drop rate of its own");
  EXPECT_EQ(cause_of_counts(own_rate(1000)).value_or(""),
            "every call has a drop rate of its own");
  // Clusters vary too much as well, and have no groups.
  const auto clusters = sample_of([](auto& call, auto& random, auto) {
    for (std::size_t i = 1; i < call.size(); ++i) {
      if (random() % 2 == 0) call[i] = call[i - 1];
    }
  });
  EXPECT_THAT(cause_of_counts(clusters).value_or(""), HasSubstr("in clusters"));
  EXPECT_EQ(cause_of_counts(sample_of([](auto&, auto&, auto) {})),
            std::nullopt);
}

// Too few independent decisions vary too much, too, and by chance look alike
// from call to call.
TEST(CountCauses, NameATileRatherThanRates) {
  const auto tiled = sample_of([](auto& call, auto&, auto) {
    for (std::size_t i = 20; i < call.size(); ++i) call[i] = call[i - 20];
  });
  EXPECT_THAT(cause_of_counts(tiled).value_or(""),
              HasSubstr("repeats with period 20"));
  EXPECT_EQ(cause_of_calls(tiled), std::nullopt);
}

TEST(CallCauses, NameWhatReturns) {
  std::vector<std::vector<std::uint8_t>> past;
  const auto returning = [&past](const std::function<std::int64_t(
                                     std::int64_t, std::mt19937_64&)>& which) {
    past.clear();
    return cause_of_calls(sample_of([&](auto& call, auto& random, auto t) {
             past.push_back(call);
             call = past.at(static_cast<std::size_t>(which(t, random)));
             past.back() = call;
           }))
        .value_or("");
  };
  EXPECT_THAT(returning([](auto, auto&) { return 0; }),
              HasSubstr("every call has the same mask"));
  EXPECT_THAT(returning([](auto t, auto&) { return t % 7; }),
              HasSubstr("the same 7 masks take turns"));
  EXPECT_THAT(returning([](auto t, auto&) { return t - t % 4; }),
              HasSubstr("each mask serves 4 calls in a row"));
  EXPECT_THAT(returning([](auto t, auto& random) {
                return t < 6 ? t : static_cast<std::int64_t>(random() % 6);
              }),
              HasSubstr("calls choose at random among about 6 masks"));
  EXPECT_EQ(returning([](auto t, auto&) { return t; }), "");
}

TEST(CallCauses, NameWhatIsNotRefreshed) {
  std::vector<std::uint8_t> first;
  const auto stale = sample_of([&first](auto& call, auto&, auto t) {
    if (t == 0) first = call;
    std::copy(first.begin() + 300, first.begin() + 400, call.begin() + 300);
  });
  EXPECT_THAT(cause_of_calls(stale).value_or(""),
              HasSubstr("100 of 1000 units keep one decision in all calls "
                        "(units 300 to 399)"));
  std::vector<std::uint8_t> before;
  const auto partly = sample_of([&before](auto& call, auto& random, auto) {
    for (std::size_t i = 0; i < before.size(); ++i) {
      if (random() % 2 == 0) call[i] = before[i];
    }
    before = call;
  });
  EXPECT_THAT(cause_of_calls(partly).value_or(""),
              HasSubstr("of the call before with probability 0."));
  const auto mirrored = sample_of([&before](auto& call, auto&, auto t) {
    for (std::size_t i = 0; t % 2 == 1 && i < call.size(); ++i) {
      if (before[i] != 0) call[i] = 0;
    }
    before = call;
  });
  EXPECT_THAT(cause_of_calls(mirrored).value_or(""),
              HasSubstr("calls 2t and 2t + 1 mirror each other"));
}

/// Drops of 40 x 25 places in 1000 calls, at a rate for each.
std::string places(const std::function<double(std::size_t)>& rate) {
  std::mt19937_64 random(3);
  std::vector<stats::Counts> counts;
  for (std::size_t i = 0; i < 1000; ++i) {
    std::binomial_distribution<std::uint64_t> drops(1000, rate(i));
    counts.push_back({drops(random), 1000});
  }
  return cause_of_places(counts, {40, 25}).value_or("");
}

TEST(PlaceCauses, NameThePlaces) {
  EXPECT_THAT(places([](auto i) { return i < 512 ? 0.2 : 0; }),
              HasSubstr("units from 512 on are never dropped"));
  EXPECT_THAT(places([](auto i) { return i >= 996 ? 0 : 0.2; }),
              HasSubstr("the last 4 units are never"));
  EXPECT_THAT(places([](auto i) { return i % 8 == 3 ? 0 : 0.2; }),
              HasSubstr("units with index 3 modulo 8 are never dropped"));
  EXPECT_THAT(places([](auto i) { return i / 25 == 7 ? 0.1 : 0.2; }),
              HasSubstr("units with index 7 of axis 0 are dropped at 0."));
  EXPECT_THAT(places([](auto i) { return i % 25 == 24 ? 1 : 0.2; }),
              HasSubstr("index 24, the last, of axis 1 are always dropped"));
  EXPECT_THAT(places([](auto i) { return i < 50 || i >= 950 ? 0 : 0.2; }),
              HasSubstr("the first and the last 50 units are never"));
  EXPECT_THAT(
      places([](auto i) { return 0.1 + 0.2 * static_cast<double>(i) / 1000; }),
      HasSubstr("the rate rises along the tensor, from 0.1"));
  EXPECT_THAT(places([](auto i) { return i == 0 ? 0 : 0.2; }),
              HasSubstr("the first unit is never dropped"));
  EXPECT_EQ(places([](auto) { return 0.2; }), "");
}

std::string drift(const std::function<double(double)>& rate) {
  std::mt19937_64 random(5);
  std::vector<stats::Counts> parts;
  for (std::size_t i = 0; i < 256; ++i) {
    std::binomial_distribution<std::uint64_t> drops(
        4000, rate(static_cast<double>(i) / 256));
    parts.push_back({drops(random), 4000});
  }
  return cause_of_drift(parts, 4000).value_or("");
}

TEST(DriftCauses, NameTheCourse) {
  EXPECT_THAT(drift([](double t) { return t < 0.25 ? 0 : 0.3; }),
              HasSubstr("the first 2.6e+05 decisions are never dropped"));
  EXPECT_THAT(drift([](double t) { return t < 0.75 ? 0.3 : 0.2; }),
              HasSubstr("the first 7.7e+05 decisions are dropped at 0."));
  EXPECT_THAT(drift([](double t) { return 0.3 - 0.2 * t; }),
              HasSubstr("the rate falls while the layer is used, from 0."));
  EXPECT_THAT(drift([](double t) { return 0.3 - 0.2 * std::min(1.0, 2 * t); }),
              HasSubstr("and stays there"));
  EXPECT_THAT(drift([](double t) { return 0.3 + 0.1 * std::sin(25.133 * t); }),
              HasSubstr("with a period of about 2.6e+05 decisions"));
  EXPECT_EQ(drift([](double) { return 0.3; }), "");
}

std::string history(
    const std::function<bool(std::int64_t, std::mt19937_64&)>& decides) {
  constexpr std::int64_t kUnits = 1000;
  constexpr std::int64_t kCalls = 300;
  StreamHistory history(kCalls, kUnits);
  std::mt19937_64 random(9);
  for (std::int64_t t = 0; t < kCalls; ++t) {
    std::vector<std::uint64_t> words(kUnits / 64 + 1);
    for (std::int64_t i = 0; i < kUnits; ++i) {
      if (decides(t * kUnits + i, random)) {
        words[static_cast<std::size_t>(i / 64)] |= std::uint64_t{1} << i % 64;
      }
    }
    history.add(words.data());
  }
  return history.counter().value_or("");
}

TEST(StreamHistory, NamesACounterThatFails) {
  EXPECT_THAT(history([](auto at, auto& random) {
                return at < (1 << 17) && random() % 5 == 0;
              }),
              HasSubstr("from 2^17 decisions on all are one and the same"));
  EXPECT_THAT(history([](auto at, auto& random) {
                return at >= 100000 && at < 120000 ? true : random() % 5 == 0;
              }),
              HasSubstr("decisions on all are one and the same, up to 120000"));
  bool before = false;
  EXPECT_THAT(history([&before](auto at, auto& random) {
                if (at < (1 << 14) || at % 2 == 0) before = random() % 5 == 0;
                return before;
              }),
              HasSubstr("from 2^14 decisions on neighbours share one"));
  EXPECT_EQ(history([](auto, auto& random) { return random() % 5 == 0; }), "");
}

Gradients gradients_of(
    const std::function<double(std::size_t i, const std::vector<double>& due,
                               std::mt19937_64& random)>& seen) {
  std::mt19937_64 random(11);
  Gradients gradients;
  gradients.row = 20;
  for (std::size_t i = 0; i < 200; ++i) gradients.units.push_back(i);
  for (int call = 0; call < 10; ++call) {
    std::vector<double> due;
    for (std::size_t i = 0; i < 200; ++i) {
      due.push_back(random() % 5 == 0 ? 0 : 1.25);
    }
    auto& entries = gradients.calls.emplace_back();
    for (std::size_t i = 0; i < 200; ++i) {
      entries.push_back({seen(i, due, random), due[i]});
    }
  }
  return gradients;
}

TEST(GradientWords, NameTheMaskThatIsUsed) {
  const auto words = [](const auto& seen) {
    return cause_of_crossed(gradients_of(seen));
  };
  EXPECT_THAT(words([](auto, const auto&, auto&) { return 1.0; }),
              HasSubstr("the whole gradient passes"));
  EXPECT_THAT(words([](auto i, const auto& due, auto&) {
                return due[i] == 0 ? 1.25 : 0.0;
              }),
              HasSubstr("keep and drop are swapped"));
  EXPECT_THAT(words([](auto i, const auto& due, auto&) {
                return i < 64 ? due[i] : 0.0;
              }),
              HasSubstr("it is 0 from element 64 on"));
  EXPECT_THAT(words([](auto i, const auto& due, auto&) {
                return due[i < 3 ? i : i - 3];
              }),
              HasSubstr("the mask of the element 3 before"));
  EXPECT_THAT(words([](auto, const auto&, auto& random) {
                return random() % 5 == 0 ? 0 : 1.25;
              }),
              HasSubstr("as if that were drawn anew"));
  EXPECT_THAT(words([](auto i, const auto& due, auto& random) {
                return random() % 5 == 0 ? 0 : due[i];
              }),
              HasSubstr("it is masked once more"));
}

std::string rule(const std::function<bool(double)>& special, bool dropped) {
  std::mt19937_64 random(13);
  std::vector<Decision> decisions;
  for (int i = 0; i < 20000; ++i) {
    const double size =
        std::ldexp(1 + static_cast<double>(random() % 1000) / 1000,
                   static_cast<int>(random() % 7) - 3);
    const double x = random() % 2 == 0 ? size : -size;
    const bool chance = random() % 10 == 0;
    decisions.push_back({x, special(x) ? dropped : chance});
  }
  return rule_of_values(decisions).value_or("");
}

TEST(ValueRules, NameTheValues) {
  EXPECT_THAT(rule([](double x) { return std::abs(x) >= 2; }, false),
              HasSubstr("values with |x| >= 2 are never dropped"));
  EXPECT_THAT(rule([](double x) { return std::abs(x) < 0.5; }, true),
              HasSubstr("values with |x| < 0.5 are always dropped"));
  EXPECT_THAT(rule([](double x) { return x > 0; }, false),
              HasSubstr("positive values are never dropped"));
  EXPECT_THAT(rule([](double x) { return x < 0; }, true),
              HasSubstr("negative values are always dropped"));
  EXPECT_THAT(rule([](double x) { return x > 3; }, false),
              HasSubstr("values with x >= 3 are never dropped"));
  EXPECT_EQ(rule([](double) { return false; }, false), "");
}

}  // namespace
}  // namespace dropcheck::properties
