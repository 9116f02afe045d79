// Calls of several sizes in one sequence (STATISTICS 2.f, "drift, seed parity,
// tensor size").
#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <memory>

#include "dropcheck/stats/homogeneity.hpp"
#include "mask_kernels.hpp"
#include "mask_stream.hpp"
#include "seed_evidence.hpp"
#include "shapes.hpp"
#include "structure_evidence.hpp"

namespace dropcheck::properties {
namespace {

struct SizeClass {
  std::string name;
  stats::Counts counts;
};

/// One way to sort sizes into classes.
using Division = std::vector<SizeClass>;

struct SizedCall {
  std::int64_t units;
  std::int64_t end;  ///< in the sequence of all calls that are compared
};

struct SizeCounts {
  std::vector<stats::Counts> by_size;
  BitSequence compared;
  std::vector<SizedCall> calls;
};

/// All sizes in turn, by one layer.
SizeCounts draw_sizes(const Context& context, const SeedPlan& plan) {
  std::vector<std::unique_ptr<StreamSource>> sources;
  for (const std::int64_t size : plan.sizes) {
    sources.push_back(std::make_unique<StreamSource>(
        context, shape_of_units(context.law(), context.config(), size)));
  }
  std::vector<std::unique_ptr<MaskStream>> streams;
  for (const auto& source : sources) {
    streams.push_back(streams.empty() ? std::make_unique<MaskStream>(*source)
                                      : std::make_unique<MaskStream>(
                                            *source, *streams.front()));
  }
  streams.front()->reseed(stream_seed(context.experiment, Stream::kSizes));
  SizeCounts counts;
  counts.by_size.resize(plan.sizes.size());
  for (std::int64_t round = 0; round < plan.size_rounds; ++round) {
    for (std::size_t i = 0; i < streams.size(); ++i) {
      const BitSequence mask = streams[i]->next(1);
      const auto words = mask.words();
      counts.by_size[i] += {popcount(words.data(), words.size()),
                            static_cast<std::uint64_t>(mask.bits())};
      if (round >= plan.compared_rounds) continue;
      counts.compared.append(words.data(), mask.bits());
      counts.calls.push_back({mask.bits(), counts.compared.bits()});
    }
  }
  return counts;
}

std::int64_t size_at(const SizeCounts& counts, std::int64_t place) {
  const auto call =
      std::find_if(counts.calls.begin(), counts.calls.end(),
                   [place](const SizedCall& c) { return place < c.end; });
  return call == counts.calls.end() ? 0 : call->units;
}

ClaimPart run_part(const SizeCounts& counts, const SeedPlan& plan, double p0) {
  RepeatSearch search(plan.size_repeats, p0);
  search.add(counts.compared.whole_words());
  ClaimPart part;
  part.exact = true;
  if (!search.found()) return part;
  part.log_e = -plan.size_repeats.log_chance(
      plan.compared_rounds * plan.size_units(), p0);
  part.sentence = fmt::format(
      "calls of different sizes share their stream: a call of {} units repeats "
      "{} of the units of one of {} before it",
      size_at(counts, search.found()->later), plan.size_repeats.window,
      size_at(counts, search.found()->earlier));
  return part;
}

std::vector<Division> divisions_of(const SizeCounts& counts,
                                   const SeedPlan& plan) {
  Division sizes;
  Division powers{{"2^k units", {}}, {"other sizes", {}}};
  Division rests(16);
  for (std::size_t i = 0; i < plan.sizes.size(); ++i) {
    const auto size = static_cast<std::uint64_t>(plan.sizes[i]);
    const stats::Counts& drops = counts.by_size[i];
    sizes.push_back({fmt::format("{} units", size), drops});
    powers[std::has_single_bit(size) ? 0 : 1].counts += drops;
    rests[size % 16].name = fmt::format("16 k + {} units", size % 16);
    rests[size % 16].counts += drops;
  }
  std::erase_if(rests, [](const SizeClass& c) { return c.counts.n == 0; });
  return {sizes, powers, rests};
}

/// Units up to number 2^24, and above it, of one call.
Division draw_large(const Context& context, const SeedPlan& plan) {
  constexpr std::size_t kBorderWords = (std::size_t{1} << 24) / 64;
  const StreamSource source(
      context, shape_of_units(context.law(), context.config(), kLargeUnits));
  MaskStream stream(source);
  stream.reseed(stream_seed(context.experiment, Stream::kSizes, 1));
  Division parts{{"units below 2^24", {}}, {"units above 2^24", {}}};
  stream.draw(plan.large_calls, [&](const std::uint64_t* words) {
    const auto count = static_cast<std::size_t>(kLargeUnits / 64);
    parts[0].counts += {popcount(words, kBorderWords), 64 * kBorderWords};
    parts[1].counts += {popcount(words + kBorderWords, count - kBorderWords),
                        64 * (count - kBorderWords)};
  });
  return parts;
}

double log_e_value(const Division& division, double p0) {
  std::vector<stats::Counts> groups;
  for (const SizeClass& one : division) groups.push_back(one.counts);
  return groups.size() < 2 ? 0 : stats::log_homogeneity_e_value(groups, p0);
}

ClaimPart rate_part(const std::vector<Division>& divisions, double p0) {
  std::vector<double> logs;
  for (const Division& division : divisions) {
    logs.push_back(log_e_value(division, p0));
  }
  const Division& division = divisions[largest_index(logs)];
  stats::Counts all;
  for (const SizeClass& one : division) all += one.counts;
  const auto distance = [&](const SizeClass& one) {
    return std::abs(rate_of(one.counts) - rate_of(all)) *
           std::sqrt(static_cast<double>(one.counts.n));
  };
  const SizeClass& odd = *std::max_element(
      division.begin(), division.end(),
      [&](const auto& a, const auto& b) { return distance(a) < distance(b); });
  return {log_mean(logs),
          fmt::format("the drop rate depends on the tensor's size: {} drop at "
                      "{:.5g}, all together at {:.5g}",
                      odd.name, rate_of(odd.counts), rate_of(all)),
          false,
          "drop rate of " + odd.name,
          rate_of(all),
          rate_of(odd.counts)};
}

}  // namespace

std::vector<ClaimPart> size_parts(const Context& context,
                                  const SeedPlan& plan) {
  if (plan.sizes.empty()) return {};
  const SizeCounts counts = draw_sizes(context, plan);
  std::vector<Division> divisions = divisions_of(counts, plan);
  if (plan.large_calls > 0) divisions.push_back(draw_large(context, plan));
  return {run_part(counts, plan, context.p0()),
          rate_part(divisions, context.p0())};
}

}  // namespace dropcheck::properties
