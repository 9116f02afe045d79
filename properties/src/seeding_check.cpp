#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "check_definition.hpp"
#include "context.hpp"
#include "detection.hpp"
#include "dropcheck/impl/random_stream.hpp"
#include "dropcheck/stats/granularity.hpp"

namespace dropcheck::properties {
namespace {

using Mask = std::vector<std::uint64_t>;

/// Drop bits of some training calls after one reseed, end to end.
class MaskSource {
 public:
  explicit MaskSource(const Context& context)
      : context_(context),
        layer_(context.subject().make(context.config())),
        caller_(*layer_, context.inputs.input) {}

  Mask after(std::uint64_t seed, std::int64_t calls) {
    layer_->reseed(seed);
    return next(calls);
  }

  Mask next(std::int64_t calls) {
    const std::size_t words = context_.reader->size() / 64 + 1;
    const auto stride =
        static_cast<std::size_t>(context_.inputs.base.byte_count());
    const impl::TensorView result =
        caller_.stacked(context_.inputs.base.shape(), calls);
    Mask mask(words * static_cast<std::size_t>(calls));
    for (std::size_t t = 0; t < static_cast<std::size_t>(calls); ++t) {
      context_.reader->read(
          static_cast<const std::byte*>(result.data) + t * stride,
          mask.data() + t * words);
    }
    return mask;
  }

 private:
  const Context& context_;
  std::unique_ptr<impl::Layer> layer_;
  Caller caller_;
};

constexpr int kSeedBits = 64;
/// 0, 1, 2, -1, neighbours, and steps of 2^32.
constexpr int kOtherSeeds = 11;

/// ln of the pairs that are compared: of all seeds, and successive calls.
const double kLogPairs =
    std::log((kSeedBits + kOtherSeeds) * (kSeedBits + kOtherSeeds - 1) / 2 + 1);

/// Calls needed so that two independent masks agree by chance with at most
/// the claim's share.
double telling_calls(const PlannedConfiguration& planned, double threshold) {
  const double per_decision = -stats::log_chance_identical(planned.rate, 1);
  const double decisions = std::ceil((threshold + kLogPairs) / per_decision);
  return std::ceil(decisions / static_cast<double>(planned.units_per_call));
}

/// Elements of the calls after one seed, at most.
constexpr double kMostElements = 1 << 22;

struct NamedSeed {
  std::string name;
  std::uint64_t value;
};

std::vector<NamedSeed> seeds_to_compare(std::uint64_t seed) {
  constexpr std::uint64_t kStep = std::uint64_t{1} << 32U;
  std::vector<NamedSeed> seeds{{"a seed", seed},
                               {"0", 0},
                               {"1", 1},
                               {"2", 2},
                               {"2^64 - 1", ~std::uint64_t{0}},
                               {"2^32", kStep},
                               {"2^64 - 2^32", ~kStep + 1},
                               {"its successor", seed + 1},
                               {"its predecessor", seed - 1},
                               {"the one 2^32 above", seed + kStep},
                               {"the one 2^32 below", seed - kStep}};
  for (int bit = 0; bit < kSeedBits; ++bit) {
    seeds.push_back({fmt::format("the one with bit {} changed", bit),
                     seed ^ (std::uint64_t{1} << bit)});
  }
  return seeds;
}

/// "bits 32 to 63": the bits that change no mask; empty if all do.
std::string ignored_bits(const std::vector<Mask>& masks) {
  std::vector<int> bits;
  for (int bit = 0; bit < kSeedBits; ++bit) {
    if (masks[static_cast<std::size_t>(kOtherSeeds + bit)] == masks.front()) {
      bits.push_back(bit);
    }
  }
  if (bits.empty()) return {};
  if (bits.size() == 1) return fmt::format("bit {}", bits.front());
  const bool run = bits.back() - bits.front() == std::ssize(bits) - 1;
  return run ? fmt::format("bits {} to {}", bits.front(), bits.back())
             : fmt::format("bits {}", fmt::join(bits, ", "));
}

/// What two seeds of one mask mean; empty where no two seeds have one.
std::string same_mask_words(const std::vector<NamedSeed>& seeds,
                            const std::vector<Mask>& masks) {
  const std::string ignored = ignored_bits(masks);
  if (!ignored.empty()) {
    const bool all = ignored == fmt::format("bits 0 to {}", kSeedBits - 1);
    return fmt::format(
        "different seeds give the same mask: {} of a seed make no "
        "difference{}",
        ignored, all ? ": the seed is a constant" : "");
  }
  for (std::size_t i = 1; i < seeds.size(); ++i) {
    for (std::size_t k = 0; k < i; ++k) {
      if (seeds[k].value == seeds[i].value || masks[k] != masks[i]) continue;
      if (seeds[k].value == 0 - seeds[i].value) {
        return fmt::format(
            "different seeds give the same mask: {} and {}: the sign of a seed "
            "makes no difference",
            seeds[k].name, seeds[i].name);
      }
      return fmt::format("different seeds give the same mask: {} and {}",
                         seeds[k].name, seeds[i].name);
    }
  }
  return {};
}

/// Chance is involved where masks of other seeds or calls agree.
bool note_repetition(Finding& finding, const Context& context,
                     std::int64_t calls, const std::string& sentence) {
  const double log_chance = stats::log_chance_identical(
      context.p0(),
      static_cast<std::uint64_t>(calls * context.plan.units_per_call));
  return refute_by_e_value(finding, context, -log_chance - kLogPairs, sentence);
}

}  // namespace

static Finding check_seeding(const Context& context) {
  Finding finding = start_finding(context, "seeding");
  if (!context.describe().reseed) {
    finding.verdict = Verdict::kNotSupported;
    finding.sentence = "the subject declares that it cannot be reseeded";
    return finding;
  }
  const double wanted =
      telling_calls(context.plan, context.log_threshold("seeding"));
  if (wanted * static_cast<double>(context.inputs.base.size()) >
      kMostElements) {
    leave_open(finding, fmt::format("{:.0f} calls are needed to tell masks "
                                    "apart at this drop probability: too many",
                                    wanted));
    return finding;
  }
  const auto calls = static_cast<std::int64_t>(wanted);
  const std::uint64_t seed = stream_seed(context.experiment, Stream::kSeeding);
  MaskSource source(context);
  const Mask first = source.after(seed, calls);
  const Mask second = source.next(calls);
  finding.calls = 2 * static_cast<std::uint64_t>(calls);
  const bool drops = popcount(first.data(), first.size()) > 0;
  const Mask again = source.after(seed, calls);
  MaskSource other_instance(context);
  if (again != first) {
    refute(
        finding,
        "the same seed gives another mask: the seed is ignored or shared: "
        "not even one instance repeats its mask, so what decides is a clock, "
        "an address or a state that a reseed leaves alone");
    return finding;
  }
  if (other_instance.after(seed, calls) != first) {
    refute(finding,
           "the same seed gives another mask: the seed is ignored or shared: "
           "one instance repeats its mask, another one has others");
    return finding;
  }
  if (drops && second == first &&
      note_repetition(finding, context, calls,
                      "successive calls return the same mask")) {
    return finding;
  }
  const std::vector<NamedSeed> seeds = seeds_to_compare(seed);
  std::vector<Mask> masks{first};
  for (std::size_t i = 1; i < seeds.size(); ++i) {
    masks.push_back(source.after(seeds[i].value, calls));
    finding.calls += static_cast<std::uint64_t>(calls);
  }
  finding.n =
      finding.calls * static_cast<std::uint64_t>(context.plan.units_per_call);
  const std::string same = drops ? same_mask_words(seeds, masks) : "";
  if (!same.empty() && note_repetition(finding, context, calls, same)) {
    return finding;
  }
  if (!drops) {
    leave_open(finding, fmt::format("{} units hold no drop: the masks of two "
                                    "seeds cannot be told apart",
                                    finding.n));
    return finding;
  }
  certify(finding, "a seed repeats its masks, other seeds have others",
          fmt::format("for {} seeds, with 0, -1, neighbours, steps of 2^32 and "
                      "each of 64 bits changed",
                      seeds.size()));
  return finding;
}

namespace {

void plan_seeding(const PlannedConfiguration& planned, const Settings&,
                  double threshold, PlannedCheck& check) {
  check.detectable = "seeds or calls that give the same mask";
  const double calls = telling_calls(planned, threshold);
  const double elements =
      calls * static_cast<double>(impl::element_count(impl::output_shape(
                  *planned.law, planned.config, planned.shape)));
  check.elements = elements * (kSeedBits + kOtherSeeds + 4);
  if (elements > kMostElements) {
    check.undecidable =
        fmt::format("{:.2g} calls are needed to tell masks apart", calls);
  }
}

}  // namespace

constinit const CheckDefinition seeding_check{
    .info =
        {"seeding", Evidence::kDeterministic,
         "a seed repeats its masks; other seeds and later calls have others",
         "Masks after reseeding one instance twice and another one once must "
         "agree bit for bit; masks of 75 seeds (0, -1, neighbours, steps of "
         "2^32, each of the 64 bits changed) and of successive calls must "
         "differ.",
         "False alarm: at most weight * alpha, the chance that independent "
         "masks agree. False pass: seeds that are not among those tried.",
         "faulty:seed_ignored"},
    .from_calls = check_seeding,
    .knows_limits = true,
    .plan = plan_seeding};

}  // namespace dropcheck::properties
