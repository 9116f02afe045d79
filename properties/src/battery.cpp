#include "battery.hpp"

#include <tbb/parallel_for.h>
#include <tbb/task_arena.h>

#include <algorithm>
#include <utility>

#include "dropcheck/stats/look_schedule.hpp"

namespace dropcheck::properties {
namespace {

std::uint64_t divide_up(std::uint64_t a, std::uint64_t b) {
  return (a + b - 1) / b;
}

/// Blocks begin..begin + count, drawn on all threads, in order.
std::vector<Tally> draw_wave(const Sampler& sampler, const BatteryPlan& plan,
                             std::uint64_t begin, std::uint64_t count,
                             bool sequential) {
  std::vector<Tally> tallies(count);
  const auto draw = [&](std::uint64_t i) {
    tallies[i] = sampler.block(begin + i, begin + i < plan.structure_blocks);
  };
  if (sequential || count == 1) {
    for (std::uint64_t i = 0; i < count; ++i) draw(i);
  } else {
    // Isolated: a thread that waits here must not begin another configuration.
    tbb::this_task_arena::isolate(
        [&] { tbb::parallel_for(std::uint64_t{0}, count, draw); });
  }
  return tallies;
}

class Consumer {
 public:
  Consumer(const BatteryPlan& plan, const std::vector<Decider>& claims)
      : plan_(plan),
        claims_(claims),
        decided_(claims.size()),
        look_(plan.looks.begin()) {
    result.claims.resize(claims.size());
  }

  /// Takes the next block; returns whether the battery is finished.
  bool take(const Tally& tally) {
    look_between_calls(tally);
    result.total.merge(tally);
    ++result.blocks;
    if (result.blocks == plan_.structure_blocks) {
      result.structure = std::move(result.total);
      result.total = result.structure.without_structure();
      result.structure_complete = true;
    }
    return finished();
  }

  /// Claims that are still open take all that was counted.
  void close() {
    for (std::size_t i = 0; i < claims_.size(); ++i) {
      if (!decided_[i]) result.claims[i] = result.total.rate;
    }
  }

  BatteryResult result;

 private:
  void look_between_calls(const Tally& tally) {
    stats::Counts counts = result.total.rate;
    std::uint64_t calls = result.total.calls;
    const std::uint64_t units =
        tally.call_drops.empty() ? 0 : tally.rate.n / tally.call_drops.size();
    for (const std::uint32_t drops : tally.call_drops) {
      counts += {drops, units};
      ++calls;
      if (look_ == plan_.looks.end() || *look_ != calls) continue;
      ++look_;
      look(counts);
    }
  }

  void look(const stats::Counts& counts) {
    for (std::size_t i = 0; i < claims_.size(); ++i) {
      if (decided_[i]) continue;
      result.claims[i] = counts;
      decided_[i] = claims_[i](counts);
    }
  }

  bool finished() const {
    if (result.blocks >= plan_.maximum_blocks) return true;
    return std::find(decided_.begin(), decided_.end(), false) ==
               decided_.end() &&
           result.blocks >= plan_.structure_blocks;
  }

  const BatteryPlan& plan_;
  const std::vector<Decider>& claims_;
  std::vector<bool> decided_;
  std::vector<std::uint64_t>::const_iterator look_;
};

}  // namespace

BatteryPlan make_battery_plan(const PlannedConfiguration& configuration) {
  BatteryPlan plan;
  plan.calls_per_block = configuration.calls_per_block;
  const auto block = static_cast<std::uint64_t>(configuration.calls_per_block *
                                                configuration.units_per_call);
  plan.structure_blocks = divide_up(configuration.structure_n, block);
  if (configuration.units_per_call < 64) {
    // A block is one row: as many for each of the 16 parts in time.
    plan.structure_blocks = divide_up(plan.structure_blocks, 16) * 16;
  }
  plan.maximum_blocks = std::max(plan.structure_blocks,
                                 divide_up(configuration.rate_n_max, block));
  const double p = configuration.rate;
  const double first =
      2 * p * (1 - p) / (configuration.delta * configuration.delta);
  const auto units = static_cast<std::uint64_t>(configuration.units_per_call);
  for (const std::uint64_t n :
       stats::look_schedule(plan.maximum_blocks * block, first)) {
    const std::uint64_t calls = divide_up(n, units);
    if (plan.looks.empty() || plan.looks.back() < calls) {
      plan.looks.push_back(calls);
    }
  }
  return plan;
}

BatteryResult run_battery(const Sampler& sampler, const BatteryPlan& plan,
                          const std::vector<Decider>& claims, bool sequential,
                          const std::function<bool()>& interrupted) {
  Consumer consumer(plan, claims);
  // A wave is as long as keeps all threads busy; blocks computed past the
  // deciding look are discarded.
  const auto threads =
      static_cast<std::uint64_t>(tbb::this_task_arena::max_concurrency());
  bool done = false;
  while (!done) {
    if (interrupted()) {
      consumer.result.interrupted = true;
      break;
    }
    const std::uint64_t begin = consumer.result.blocks;
    const std::uint64_t count = std::min<std::uint64_t>(
        sequential ? 1 : 2 * threads, plan.maximum_blocks - begin);
    for (const Tally& tally :
         draw_wave(sampler, plan, begin, count, sequential)) {
      if (!done) done = consumer.take(tally);
    }
  }
  BatteryResult& result = consumer.result;
  consumer.close();
  return result;
}

}  // namespace dropcheck::properties
