// Whether a network adds exactly what it should at every tap.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "network_claims.hpp"

namespace dropcheck::properties {
namespace {

std::string missing_scale(const Mixture& seen, const Mixture& due,
                          const stats::Counts& counts) {
  if (due.offset != 0 || std::abs(seen.residual - due.residual) > 1e-5) {
    return {};
  }
  if (std::abs(seen.branch - 1) < 1e-6) {
    return counts.drops == 0 ? ": it never drops" : ": 1/keep is missing";
  }
  if (seen.branch < 1) return {};
  return fmt::format(": that is 1/keep of a drop rate of {:.4g}",
                     1 - 1 / seen.branch);
}

/// What is wrong, from what was learned of kept and dropped units.
std::string mixture_words(const TapReader& reader,
                          const stats::Counts& counts) {
  const Mixture& kept = reader.kept();
  const Mixture& dropped = reader.dropped();
  const std::string due_kept = reader.due_kept().formula();
  const std::string due_dropped = reader.due_dropped().formula();
  if (!dropped.near(reader.due_dropped())) {
    std::string text = fmt::format("a dropped unit becomes {}, not {}",
                                   dropped.formula(), due_dropped);
    if (reader.due_dropped().residual != 0 && dropped.near({0, 1, 0})) {
      return text + ": residual and branch are swapped";
    }
    if (reader.due_dropped().residual != 0 && dropped.near({0, 0, 0})) {
      return text + ": the drop layer stands after the addition";
    }
    return text;
  }
  if (!kept.near(reader.due_kept())) {
    return fmt::format("a kept unit becomes {}, not {}{}", kept.formula(),
                       due_kept,
                       missing_scale(kept, reader.due_kept(), counts));
  }
  return fmt::format("values are not exactly {} or {}", due_kept, due_dropped);
}

/// The last of the taps with many wrong units: rates differ most there.
std::size_t worst_tap(const NetworkTally& tally) {
  std::uint64_t most = 0;
  for (const TapCounts& tap : tally.taps) most = std::max(most, tap.wrong);
  std::size_t worst = 0;
  for (std::size_t tap = 0; tap < tally.taps.size(); ++tap) {
    if (2 * tally.taps[tap].wrong >= most) worst = tap;
  }
  return worst;
}

std::string where(const NetworkEvidence& evidence) {
  const TapWitness& witness = *evidence.tally.wrong;
  return fmt::format(
      "the first is unit {} of call {}", witness.unit,
      static_cast<std::int64_t>(witness.block) * evidence.plan.calls_per_block +
          witness.call);
}

std::string roundings(const NetworkEvidence& evidence) {
  const bool exact = std::all_of(
      evidence.readers.begin(), evidence.readers.end(),
      [](const TapReader& reader) { return reader.model().has_value(); });
  return exact ? "bit for bit, with one rounding of the scale at each tap"
               : "within two units of the last place, by no rounding model "
                 "that is known";
}

Finding check_block_output(const Context& context) {
  Finding finding = start_network_finding(context, "block_output");
  const NetworkEvidence& evidence = *context.network;
  const NetworkTally& tally = evidence.tally;
  finding.n += tally.unread_units();
  const std::uint64_t wrong = tally.wrong_units();
  if (wrong > 0) {
    const std::size_t tap = worst_tap(tally);
    const bool torn = tally.torn_units() == wrong;
    refute(finding,
           fmt::format("in {}, {} ({} of {} units, {})", evidence.tap_name(tap),
                       torn ? "a part of a unit is kept and the rest dropped"
                            : mixture_words(evidence.readers[tap],
                                            tally.taps[tap].rate),
                       wrong, finding.n, where(evidence)));
    return finding;
  }
  if (!evidence.complete) {
    finding.verdict = Verdict::kNotRun;
    finding.sentence = "the planned number of calls was not drawn";
    return finding;
  }
  const TapReader& last = evidence.readers.back();
  certify(
      finding,
      fmt::format(
          "every unit is exactly kept or dropped: {} or {} in the last block",
          last.due_kept().formula(), last.due_dropped().formula()),
      fmt::format("each of {} units at {} taps, {}", finding.n, evidence.taps(),
                  roundings(evidence)));
  return finding;
}

}  // namespace

constinit const CheckDefinition block_output_check{
    .info = {"block_output", Evidence::kDeterministic,
             "every block gives exactly h or h + branch(h) / keep, per unit",
             "The network offers h, branch(h) and out at each drop layer. The "
             "rounding of the scale that gives every kept value bit for bit is "
             "found by search; each unit of every call is then compared bit "
             "for bit. Where a network mixes h and branch(h) otherwise, the "
             "mixture is found by least squares and named.",
             kNoChance, "faulty:vit_drop_path_after_addition"},
    .from_calls = check_block_output,
    .reads_masks = false,
    .takes_chance = false,
    .of_networks = true};

}  // namespace dropcheck::properties
