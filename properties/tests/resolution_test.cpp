// The exhaustive tier: layers that are driven word by word.
//
// A toy layer is a rule that fills a mask from a stream of words, so that every
// way of being right, wrong or impossible to drive is a few lines.
#include "resolution.hpp"

#include <gmock/gmock.h>

#include <cmath>
#include <functional>
#include <string>
#include <vector>

#include "dropcheck/impl/probability.hpp"
#include "dropcheck/impl/random_stream.hpp"
#include "dropcheck/impl/simple_layer.hpp"
#include "dropcheck/properties/check_catalogue.hpp"
#include "support.hpp"

namespace dropcheck::properties {
namespace {

using impl::DyadicFraction;
using impl::LayerConfig;
using impl::RandomStream;
using ::testing::HasSubstr;
using testing::run;
using testing::smoke;
using testing::subject;

using Mask = std::vector<bool>;  // true: dropped

/// A rule: how many bits a word has, and what becomes of right-aligned words.
struct Rule {
  int bits = 64;
  std::function<void(double drop, const std::function<std::uint64_t()>& next,
                     Mask& dropped)>
      draw;
};

/// One word a decision.
Rule each(int bits,
          std::function<bool(double drop, std::uint64_t word)> drops) {
  return {bits, [drops](double drop, const auto& next, Mask& dropped) {
            for (std::size_t i = 0; i < dropped.size(); ++i) {
              dropped[i] = drops(drop, next());
            }
          }};
}

class Toy {
 public:
  Toy(Rule rule, double drop) : rule_(std::move(rule)), drop_(drop) {}
  impl::Shape output_shape(const impl::TensorView& x) const { return x.shape; }
  void forward(const impl::TensorView& x, bool training,
               const impl::TensorView& y) {
    Mask dropped(static_cast<std::size_t>(x.size()), false);
    const auto shift = static_cast<unsigned>(64 - rule_.bits);
    if (training) {
      rule_.draw(
          drop_, [&] { return stream_.next() >> shift; }, dropped);
    }
    const double scale = training ? 1 / (1 - drop_) : 1;
    for (std::int64_t i = 0; i < x.size(); ++i) {
      y.set(i, dropped[static_cast<std::size_t>(i)] ? 0 : scale * x.value(i));
    }
  }
  void backward(const impl::TensorView& in, const impl::TensorView& out) {
    impl::copy(in, out);
  }
  void reseed(std::uint64_t seed) { stream_.reseed(seed); }
  int word_bits() const { return rule_.bits; }
  std::uint64_t drive(const impl::TensorView& x,
                      std::span<const std::uint64_t> words,
                      const impl::TensorView& y) {
    std::vector<std::uint64_t> upper(words.begin(), words.end());
    for (auto& word : upper) word <<= static_cast<unsigned>(64 - rule_.bits);
    return impl::while_playing(stream_, upper, [&] { forward(x, true, y); });
  }

 private:
  Rule rule_;
  double drop_;
  RandomStream stream_;
};

impl::SubjectEntry toy(const Rule& rule) {
  const auto make = [rule](const LayerConfig& config) {
    return std::make_unique<impl::SimpleLayer<Toy>>(
        Toy(rule, config.drop_probability), false);
  };
  impl::SubjectEntry entry = subject("builtin:dropout");
  entry.name = "toy";
  entry.variants.clear();
  entry.open = [make]() -> std::unique_ptr<impl::Subject> {
    return std::make_unique<impl::InProcessSubject<decltype(make)>>(
        impl::Description{}, make);
  };
  return entry;
}

Resolution measure(const impl::SubjectEntry& entry, LayerConfig config,
                   int most_bits = 24) {
  config.layer = entry.layer;
  const PlannedSubject planned{
      entry, std::make_shared<const impl::Law>(impl::law_of(entry)), {}, {}};
  SubjectPool pool(planned);
  return measure_resolution({pool, *planned.law, config, 1, most_bits});
}

Resolution measure(const Rule& rule, double drop, int most_bits = 24) {
  return measure(toy(rule), {.drop_probability = drop}, most_bits);
}

std::string why_not(const Rule& rule, double drop = .1) {
  try {
    measure(rule, drop);
  } catch (const Undrivable& reason) {
    return reason.what();
  }
  return "driven";
}

bool below(double drop, std::uint64_t word, int bits) {
  return static_cast<double>(word) < std::ldexp(drop, bits);
}

TEST(MeasureResolution, CountsEveryWordOfAWidth) {
  for (const int bits : {1, 4, 8, 11, 16, 20}) {
    const Resolution found = measure(
        each(bits, [bits](double drop,
                          auto word) { return below(drop, word, bits); }),
        .1);
    EXPECT_EQ(found.word_bits, bits);
    EXPECT_TRUE(found.enumerated);
    const auto expected =
        static_cast<std::uint64_t>(std::ceil(std::ldexp(.1, bits)));
    EXPECT_EQ(found.dropped, DyadicFraction::of(expected, bits)) << bits;
  }
}

// Where all words are tried, the rule need not be a threshold.
TEST(MeasureResolution, NeedsNoOrderWhereAllWordsAreTried) {
  const Rule low_bits = each(
      16, [](double drop, auto word) { return below(drop, word & 0xffU, 8); });
  EXPECT_EQ(measure(low_bits, .1).dropped, DyadicFraction::of(26, 8));
  EXPECT_THAT(why_not({64, low_bits.draw}), HasSubstr("not monotone"));
}

TEST(MeasureResolution, BisectsWideWords) {
  for (const int bits : {25, 32, 53, 64}) {
    const Rule high = each(bits, [bits](double drop, auto word) {
      return !below(1 - drop, word, bits);
    });
    const double step = std::ldexp(1.0, -std::min(bits, 53));
    for (const double drop : {.1, .25}) {
      const Resolution found = measure(high, drop);
      EXPECT_FALSE(found.enumerated);
      EXPECT_LT(std::abs(found.dropped.error(drop)), step) << bits;
    }
  }
}

TEST(MeasureResolution, FindsBothEndsOfAThreshold) {
  const auto at = [](std::uint64_t threshold) {
    return measure(
               each(64, [=](double, auto word) { return word < threshold; }),
               .1)
        .dropped;
  };
  EXPECT_EQ(at(0), DyadicFraction{});
  EXPECT_EQ(at(1), DyadicFraction::of(1, 64));
  EXPECT_EQ(at(~std::uint64_t{0}), DyadicFraction::of(1, 64).complement());
  EXPECT_EQ(measure(each(64, [](double, auto) { return true; }), .1).dropped,
            DyadicFraction::of(1, 0));
}

// Ways to be right that no word by word proof covers.
TEST(MeasureResolution, SaysWhyALayerCannotBeDriven) {
  const Rule two_words{8, [](double drop, const auto& next, Mask& dropped) {
                         for (auto&& d : dropped) {
                           const auto word = next() << 8U | next();
                           d = below(drop, word, 16);
                         }
                       }};
  EXPECT_THAT(why_not(two_words), HasSubstr("read"));
  const Rule sliced{64, [](double, const auto& next, Mask& dropped) {
                      std::uint64_t word = 0;
                      for (std::size_t i = 0; i < dropped.size(); ++i) {
                        if (i % 64 == 0) word = next();
                        dropped[i] = (word >> (i % 64) & 1U) != 0;
                      }
                    }};
  EXPECT_THAT(why_not(sliced, .5), HasSubstr("read"));
  const Rule rejects_zero{32, [](double drop, const auto& next, Mask& dropped) {
                            for (auto&& d : dropped) {
                              std::uint64_t word = 0;
                              while (word == 0) word = next();
                              d = below(drop, word, 32);
                            }
                          }};
  EXPECT_THAT(why_not(rejects_zero), HasSubstr("read"));
  EXPECT_THAT(why_not({64, [](double, const auto&, Mask&) {}}),
              HasSubstr("read 0 random words"));
}

TEST(MeasureResolution, SeesWhatElseADecisionDependsOn) {
  const Rule previous{16, [](double drop, const auto& next, Mask& dropped) {
                        std::uint64_t last = 0;
                        for (auto&& d : dropped) {
                          const std::uint64_t word = next();
                          d = below(drop, word ^ (last & 0x8000U), 16);
                          last = word;
                        }
                      }};
  EXPECT_NE(why_not(previous), "driven");
  const Rule pairs{8, [](double drop, const auto& next, Mask& dropped) {
                     std::uint64_t first = 0;
                     for (std::size_t i = 0; i < dropped.size(); ++i) {
                       const std::uint64_t word = next();
                       if (i % 2 == 0) first = word;
                       dropped[i] = below(drop, first, 8);
                     }
                   }};
  EXPECT_THAT(why_not(pairs), HasSubstr("depends on word"));
  const Rule tail{8, [](double drop, const auto& next, Mask& dropped) {
                    const std::size_t whole = dropped.size() / 8 * 8;
                    for (std::size_t i = 0; i < dropped.size(); ++i) {
                      const std::uint64_t word = next();
                      dropped[i] =
                          below(drop, i < whole ? word : 255 - word, 8);
                    }
                  }};
  EXPECT_NE(why_not(tail), "driven");
  // The 3,000th decision of a call is another one.
  const Rule late{8, [](double drop, const auto& next, Mask& dropped) {
                    for (std::size_t i = 0; i < dropped.size(); ++i) {
                      dropped[i] = below(i < 3000 ? drop : drop / 2, next(), 8);
                    }
                  }};
  EXPECT_THAT(why_not(late), HasSubstr("alone"));
  // The values on a used layer are others.
  const auto calls = std::make_shared<int>(0);
  const Rule wears{16, [calls](double drop, const auto& next, Mask& dropped) {
                     const double worn = ++*calls > 400 ? drop / 2 : drop;
                     for (auto&& d : dropped) d = below(worn, next(), 16);
                   }};
  EXPECT_NE(why_not(wears), "driven");
}

// CUDA's uniform in (0, 1] that returns 0 for 1: both ends of the words drop.
TEST(MeasureResolution, SeesAWordThatWraps) {
  const Rule wraps = each(32, [](double drop, auto word) {
    return below(drop, word, 32) || word >= 0xffffff80U;
  });
  EXPECT_THAT(why_not(wraps), HasSubstr("not monotone"));
}

TEST(MeasureResolution, RefusesAWidthThatIsNone) {
  EXPECT_THROW(measure(each(65, [](double, auto) { return true; }), .1),
               impl::AdapterError);
}

// Error below one step of 2^-64 and, where 1 - p is held in a double, 2^-54.
TEST(MeasureResolution, ProvesTheBuiltinLayersRight) {
  for (const impl::SubjectEntry& entry : impl::builtin_subjects()) {
    const impl::Law& law = *impl::find_law(entry.layer);
    if (!not_applicable(*find_check("resolution"), law).empty()) continue;
    for (const impl::DType dtype :
         {impl::DType::kFloat64, impl::DType::kFloat32, impl::DType::kFloat16,
          impl::DType::kBFloat16}) {
      for (const double drop : {.05, .1, .3, .5, .9}) {
        const Resolution found =
            measure(entry, {.drop_probability = drop, .dtype = dtype});
        EXPECT_LE(std::abs(found.dropped.error(drop)), 0x1p-54)
            << entry.name << " " << impl::name_of(dtype) << " at " << drop;
      }
    }
    auto configs = entry.variants;
    for (LayerConfig& config : configs) {
      config.drop_probability = .1;
      EXPECT_EQ(measure(entry, config).dropped.error(.1), 0)
          << entry.name << " " << impl::describe(config);
    }
  }
}

TEST(MeasureResolution, ReadsEveryNumberOfSamples) {
  for (const std::int64_t samples : {1, 3, 7}) {
    const LayerConfig config{.drop_probability = .1, .samples = samples};
    EXPECT_EQ(
        measure(subject("builtin:drop_connect"), config).dropped.error(.1), 0);
  }
}

TEST(MeasureResolution, ReproducesTheTableOfTheFloorIdiom) {
  const auto fraction = [](double drop, impl::DType dtype) {
    return to_string(measure(subject("faulty:floor_keep_plus_rand"),
                             {.drop_probability = drop, .dtype = dtype})
                         .dropped);
  };
  EXPECT_EQ(fraction(.05, impl::DType::kFloat16), "51/1024");
  EXPECT_EQ(fraction(.1, impl::DType::kFloat16), "205/2048");
  EXPECT_EQ(fraction(.9, impl::DType::kFloat16), "1843/2048");
  EXPECT_EQ(fraction(.05, impl::DType::kBFloat16), "13/256");
  EXPECT_EQ(fraction(.1, impl::DType::kBFloat16), "13/128");
  EXPECT_EQ(fraction(.3, impl::DType::kBFloat16), "77/256");
  EXPECT_EQ(fraction(.5, impl::DType::kBFloat16), "1/2");
  EXPECT_EQ(fraction(.1, impl::DType::kFloat32), "838861/2^23");
}

Finding finding_of(const impl::SubjectEntry& entry, double drop,
                   impl::DType dtype = impl::DType::kFloat32) {
  Settings settings = smoke(1, drop);
  settings.dtypes = {dtype};
  settings.only = {"resolution"};
  const RunResult result = run({entry}, settings);
  return result.findings.at(0);
}

TEST(Resolution, NamesTheFractionAndItsError) {
  const Finding byte = finding_of(subject("faulty:threshold_8bit"), .1);
  EXPECT_EQ(byte.verdict, Verdict::kRefuted);
  EXPECT_EQ(byte.evidence, Evidence::kExhaustive);
  EXPECT_EQ(byte.sentence,
            "drops 26 of 256 words: p is 13/128, off by +0.0015625; p is "
            "rounded to a multiple of 1/256; looks like code that keeps by "
            "floor(keep + U) in bf16, or keeps by U >= p in bf16, or keeps by "
            "k <= floor((2^w - 1) * keep)");
  EXPECT_EQ(byte.observed, .1015625);
  EXPECT_FALSE(byte.log10_e.has_value());
  const Finding half = finding_of(subject("faulty:floor_keep_plus_rand"), .1,
                                  impl::DType::kFloat16);
  EXPECT_EQ(half.sentence,
            "drops 205 of 2048 words: p is off by +9.7656e-05; p is rounded to "
            "a multiple of 1/2048; looks like code that keeps by floor(keep + "
            "U) in f16, or keeps by U >= p in f16");
  const Finding wide = finding_of(subject("builtin:dropout"), .1);
  EXPECT_EQ(wide.verdict, Verdict::kCertified);
  EXPECT_EQ(wide.evidence, Evidence::kDeterministic);
  EXPECT_EQ(wide.sentence,
            "drops exactly 0.1 of the 2^64 words, assuming that the decision "
            "is monotone in the word");
  EXPECT_THAT(wide.bound, HasSubstr("given uniform words"));
}

TEST(Resolution, CertifiesWhatAWordCanMeet) {
  EXPECT_EQ(finding_of(subject("faulty:threshold_8bit"), .5).verdict,
            Verdict::kCertified);
  for (const double drop : {.05, .1, .3, .5, .9}) {
    for (const auto rounding : {+[](double x) { return std::floor(x); },
                                +[](double x) { return std::ceil(x); },
                                +[](double x) { return std::round(x); }}) {
      const Rule rule = each(32, [rounding](double p, auto word) {
        return static_cast<double>(word) < rounding(std::ldexp(p, 32));
      });
      EXPECT_EQ(finding_of(toy(rule), drop).verdict, Verdict::kCertified)
          << drop;
    }
  }
}

TEST(Resolution, RefutesADropAtZero) {
  const Finding found =
      finding_of(subject("faulty:rand_above_drop"), .5, impl::DType::kBFloat16);
  EXPECT_EQ(found.verdict, Verdict::kRefuted);
  EXPECT_THAT(found.sentence,
              HasSubstr("1 of 256 words at drop probability 0"));
}

TEST(Resolution, IsNotSupportedWithAReason) {
  const Rule sliced{64, [](double, const auto& next, Mask& dropped) {
                      std::uint64_t word = 0;
                      for (std::size_t i = 0; i < dropped.size(); ++i) {
                        if (i % 64 == 0) word = next();
                        dropped[i] = (word >> (i % 64) & 1U) != 0;
                      }
                    }};
  const Finding found = finding_of(toy(sliced), .5);
  EXPECT_EQ(found.verdict, Verdict::kNotSupported);
  EXPECT_THAT(found.sentence, HasSubstr("read"));
}

// 2.4e-8 at p = 0.1: no sample shows it, 2^24 words do.
TEST(Resolution, AloneSeesTheFloorIdiomAtSinglePrecision) {
  Settings settings = smoke(1, .1);
  settings.profile = Profile::kPr;
  const RunResult result =
      run({subject("faulty:floor_keep_plus_rand")}, settings);
  for (const Finding& finding : result.findings) {
    const Verdict due =
        finding.check == "resolution" ? Verdict::kRefuted : Verdict::kCertified;
    if (finding.verdict == Verdict::kNotSupported) continue;
    EXPECT_EQ(finding.verdict, due) << finding.id << ": " << finding.sentence;
  }
}

}  // namespace
}  // namespace dropcheck::properties
