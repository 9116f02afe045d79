// Rows of decisions of related seeds and of two instances: runs that return at
// another place, and dependence at every shift (STATISTICS 2.b F6, 2.f).
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "block_correlation.hpp"
#include "mask_stream.hpp"
#include "seed_evidence.hpp"
#include "structure_evidence.hpp"

namespace dropcheck::properties {
namespace {

struct NamedRow {
  std::string name;
  BitSequence bits;
};

std::uint64_t seed_number(const Context& context, const SeedPlan& plan,
                          std::int64_t number) {
  return distinct_seed(
      context.experiment, Stream::kSeeds,
      static_cast<std::uint64_t>(plan.fresh + plan.bases + number));
}

bool same(const BitSequence& a, const BitSequence& b) {
  return std::ranges::equal(a.words(), b.words());
}

/// Rows under a seed and its relatives, and what follows them under successive
/// seeds. Rows that equal the seed's own are the business of `seeding`, calls
/// that repeat the one before that of `independence_calls`.
void add_relatives(const Context& context, const SeedPlan& plan,
                   const StreamSource& source, std::vector<NamedRow>& rows) {
  MaskStream stream(source);
  const std::uint64_t seed = seed_number(context, plan, 0);
  std::set<std::uint64_t> seen;
  const auto add_row = [&](std::uint64_t value, std::string name) {
    if (!seen.insert(value).second) return false;
    stream.reseed(value);
    BitSequence bits = stream.next(plan.row_calls);
    if (!rows.empty() && same(bits, rows.front().bits)) return false;
    rows.push_back({std::move(name), std::move(bits)});
    return true;
  };
  for (std::int64_t step = 0; step < kSuccessiveSeeds; ++step) {
    const std::string name = step == 0 ? std::string("under seed s")
                                       : fmt::format("under seed s + {}", step);
    if (!add_row(seed + static_cast<std::uint64_t>(step), name)) continue;
    BitSequence next = stream.next(plan.row_calls);
    if (same(next, rows.back().bits)) continue;
    rows.push_back({"in the next call " + name, std::move(next)});
  }
  for (const int bit : plan.row_flips) {
    add_row(seed ^ (std::uint64_t{1} << bit),
            fmt::format("under seed s with bit {} changed", bit));
  }
}

/// Two instances in turn, each with a seed of its own.
void add_instances(const Context& context, const SeedPlan& plan,
                   const StreamSource& source, std::vector<NamedRow>& rows) {
  MaskStream first(source);
  MaskStream second(source);
  first.reseed(seed_number(context, plan, 1));
  second.reseed(seed_number(context, plan, 2));
  for (const char* const call : {"first", "second"}) {
    rows.push_back({fmt::format("in the {} call of one instance", call),
                    first.next(plan.row_calls)});
    rows.push_back({fmt::format("in the {} call of another instance", call),
                    second.next(plan.row_calls)});
  }
}

std::string place_words(const std::vector<NamedRow>& rows, std::int64_t place) {
  for (const NamedRow& row : rows) {
    if (place < row.bits.bits()) {
      return fmt::format("unit {} {}", place, row.name);
    }
    place -= row.bits.bits();
  }
  return {};
}

}  // namespace

ClaimPart runs_part(const Context& context, const SeedPlan& plan) {
  const StreamSource source(context, plan.row_shape);
  std::vector<NamedRow> rows;
  add_relatives(context, plan, source, rows);
  add_instances(context, plan, source, rows);
  BitSequence all;
  for (const NamedRow& row : rows) {
    all.append(row.bits.words().data(), row.bits.bits());
  }
  RepeatSearch search(plan.row_repeats, context.p0());
  search.add(all.whole_words());
  ClaimPart part;
  part.exact = true;
  if (!search.found()) return part;
  part.log_e =
      -plan.row_repeats.log_chance(plan.rows * plan.row_bits(), context.p0());
  part.sentence = fmt::format(
      "streams overlap: {} units from {} on are those from {} on again",
      plan.row_repeats.window, place_words(rows, search.found()->later),
      place_words(rows, search.found()->earlier));
  return part;
}

ClaimPart shifts_part(const Context& context, const SeedPlan& plan) {
  const StreamSource source(context, plan.row_shape);
  const StreamSource other(context, plan.row_shape, plan.other_probability);
  MaskStream stream(source);
  MaskStream other_stream(other);
  CrossCounter counter(static_cast<std::size_t>(plan.block_bits));
  for (std::int64_t k = 0; k < plan.block_pairs; ++k) {
    const std::uint64_t seed = seed_number(context, plan, 3 + k);
    stream.reseed(seed);
    const BitSequence earlier = stream.next(plan.row_calls);
    other_stream.reseed(seed + 1);
    const BitSequence later = other_stream.next(plan.row_calls);
    counter.add(earlier.words().data(), later.words().data());
  }
  const std::vector<stats::ShiftCounts> shifts = counter.shifts();
  const stats::ShiftEvidence evidence =
      stats::shift_evidence(shifts, plan.other_probability, kAnyRate,
                            context.log_threshold("independence_seeds"));
  const stats::ShiftCounts& odd = shifts.at(evidence.strongest);
  const PairCounts pairs{odd.pairs, odd.earlier, odd.later, odd.both};
  return {evidence.log_e,
          fmt::format("the streams of successive seeds, of drop probability "
                      "{:.3g} and {:.3g}, share words: units {} apart {}",
                      context.p0(), plan.other_probability,
                      static_cast<std::int64_t>(evidence.strongest) -
                          (plan.block_bits - 1),
                      dependence_words(pairs)),
          false,
          "drop rate after a drop under the seed before",
          rate_of({pairs.later, pairs.pairs}),
          rate_of(pairs.after_drop())};
}

}  // namespace dropcheck::properties
