#include "network_evidence.hpp"

#include <fmt/format.h>
#include <tbb/parallel_for.h>
#include <tbb/task_arena.h>

#include <algorithm>
#include <bit>
#include <mutex>
#include <utility>

#include "mask_kernels.hpp"
#include "oracle_input.hpp"
#include "value_sums.hpp"

namespace dropcheck::properties {
namespace {

/// Calls on which values are learned, in all and at least.
constexpr int kCalibrationCalls = 8;

std::size_t words_for(std::int64_t bits) {
  return static_cast<std::size_t>((bits + 63) / 64);
}

impl::Shape tap_shape(const Context& context) {
  const impl::Extents extents =
      impl::network_law(context.law(), context.config()).tap;
  impl::Shape shape{context.plan.shape[0]};
  shape.insert(shape.end(), extents.begin(), extents.end());
  return shape;
}

const void* compact_data(const impl::TensorView& view, const char* what,
                         const Context& context,
                         std::vector<impl::Tensor>& room) {
  const impl::Shape due = tap_shape(context);
  if (view.data == nullptr || view.dtype != context.config().dtype ||
      view.shape != due) {
    throw impl::LayerError(fmt::format(
        "offers {} {} as the {} of a tap, where {} {} is due",
        impl::name_of(view.dtype), impl::to_string(view.shape), what,
        impl::name_of(context.config().dtype), impl::to_string(due)));
  }
  if (view.compact()) return view.data;
  room.emplace_back(view.dtype, view.shape);
  impl::copy(view, room.back().view());
  return room.back().bytes();
}

/// The rows of decisions of one block: one row a call and tap.
class Decisions {
 public:
  Decisions(const NetworkPlan& plan)
      : taps_(plan.rates.size()),
        words_(words_for(plan.units)),
        bits_(static_cast<std::size_t>(plan.calls_per_block) * taps_ * words_) {
  }

  std::uint64_t* row(std::int64_t call, std::size_t tap) {
    return bits_.data() +
           (static_cast<std::size_t>(call) * taps_ + tap) * words_;
  }
  std::size_t words() const { return words_; }

 private:
  std::size_t taps_;
  std::size_t words_;
  std::vector<std::uint64_t> bits_;
};

PairCounts count_rows(const std::uint64_t* earlier, const std::uint64_t* later,
                      std::size_t words, std::int64_t units) {
  PairCounts pairs;
  pairs.pairs = static_cast<std::uint64_t>(units);
  pairs.earlier = popcount(earlier, words);
  pairs.later = popcount(later, words);
  pairs.both = popcount_and(earlier, later, words);
  return pairs;
}

/// Drops from unit `first` to `last`, not included.
std::uint64_t drops_between(const std::uint64_t* row, std::size_t first,
                            std::size_t last) {
  std::uint64_t drops = 0;
  while (first < last) {
    const std::size_t offset = first % 64;
    const std::size_t count = std::min(64 - offset, last - first);
    const std::uint64_t bits = row[first / 64] >> offset;
    const std::uint64_t mask =
        count == 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << count) - 1;
    drops += static_cast<std::uint64_t>(std::popcount(bits & mask));
    first += count;
  }
  return drops;
}

PairCounts count_lag(const std::uint64_t* row, std::int64_t units,
                     std::size_t lag) {
  const auto bits = static_cast<std::size_t>(units);
  PairCounts pairs;
  pairs.pairs = bits - lag;
  pairs.both = joint_at_lag(row, bits, lag);
  pairs.earlier = drops_between(row, 0, bits - lag);
  pairs.later = drops_between(row, lag, bits);
  return pairs;
}

TapMoments moments_of(const TapValues& values) {
  const std::int64_t count = values.units * values.unit_size;
  const PowerSums sums = power_sums(values.dtype, values.output,
                                    static_cast<std::size_t>(count), 0);
  const auto n = static_cast<double>(count);
  return {sums.first / n, sums.second / n};
}

/// Everything that one thread needs to draw blocks.
class Worker {
 public:
  Worker(const Context& context, const NetworkEvidence& evidence,
         std::shared_ptr<impl::Subject> subject)
      : context_(context),
        evidence_(evidence),
        subject_(std::move(subject)),
        layer_(subject_->make(context.config())),
        decisions_(evidence.plan) {}

  const std::shared_ptr<impl::Subject>& subject() const { return subject_; }

  NetworkTally block(std::uint64_t index) {
    const NetworkPlan& plan = evidence_.plan;
    NetworkTally tally;
    tally.blocks = 1;
    tally.taps.resize(plan.rates.size());
    tally.moments.resize(plan.depths.size());
    if (subject_->describe().reseed) {
      layer_->reseed(block_seed(context_.experiment, index));
    }
    const impl::Tensor input = input_of(index);
    for (std::int64_t call = 0; call < plan.calls_per_block; ++call) {
      read_call(input, {0, index, call, 0, {}}, tally);
    }
    count_structure(tally);
    return tally;
  }

 private:
  /// Moments are over inputs too; all other claims hold for any input.
  impl::Tensor input_of(std::uint64_t index) const {
    if (!evidence_.law().keeps_moments) return evidence_.input;
    return make_normal(
        context_.config().dtype, context_.plan.shape,
        stream_seed(context_.experiment, Stream::kInput, index + 1));
  }

  void read_call(impl::Tensor input, TapWitness place, NetworkTally& tally) {
    layer_->forward({input.view(), true, 1});
    ++tally.calls;
    room_.clear();
    const auto taps = tap_values(*layer_, context_, evidence_.plan, room_);
    for (place.tap = 0; place.tap < taps.size(); ++place.tap) {
      evidence_.readers[place.tap].read(taps[place.tap], reading_);
      read_tap(place, tally);
    }
    for (std::size_t i = 0; i < evidence_.plan.depths.size(); ++i) {
      tally.moments[i].push_back(moments_of(taps[evidence_.plan.depths[i]]));
    }
  }

  void read_tap(TapWitness place, NetworkTally& tally) {
    TapCounts& counts = tally.taps[place.tap];
    std::uint64_t* row = decisions_.row(place.call, place.tap);
    std::fill_n(row, decisions_.words(), 0);
    for (std::size_t unit = 0; unit < reading_.fates.size(); ++unit) {
      const Fate fate = reading_.fates[unit];
      const bool dropped = fate == Fate::kDropped;
      if (dropped) row[unit / 64] |= std::uint64_t{1} << (unit % 64);
      if (fate == Fate::kKept || dropped) {
        ++counts.rate.n;
        counts.rate.drops += dropped ? 1 : 0;
      } else {
        ++counts.unread;
        counts.torn += fate == Fate::kTorn ? 1 : 0;
      }
    }
    counts.wrong += static_cast<std::uint64_t>(reading_.wrong);
    if (reading_.first_wrong < 0 || tally.wrong) return;
    place.unit = reading_.first_wrong;
    place.fate = reading_.fates[static_cast<std::size_t>(place.unit)];
    tally.wrong = place;
  }

  void count_structure(NetworkTally& tally) {
    const NetworkPlan& plan = evidence_.plan;
    const std::size_t count = plan.rates.size();
    tally.pairs.resize(count * (count - 1) / 2);
    for (std::size_t tap = 0; tap < count; ++tap) {
      TapCounts& counts = tally.taps[tap];
      counts.lags.resize(plan.lags.size());
      counts.call_lags.resize(plan.call_lags.size());
      for (std::int64_t call = 0; call < plan.calls_per_block; ++call) {
        count_call(call, tap, tally);
      }
    }
  }

  void count_call(std::int64_t call, std::size_t tap, NetworkTally& tally) {
    const NetworkPlan& plan = evidence_.plan;
    const std::uint64_t* row = decisions_.row(call, tap);
    const std::size_t words = decisions_.words();
    TapCounts& counts = tally.taps[tap];
    for (std::size_t i = 0; i < plan.lags.size(); ++i) {
      counts.lags[i] += count_lag(row, plan.units, plan.lags[i]);
    }
    for (std::size_t i = 0; i < plan.call_lags.size(); ++i) {
      const auto lag = static_cast<std::int64_t>(plan.call_lags[i]);
      if (call < lag) continue;
      counts.call_lags[i] +=
          count_rows(decisions_.row(call - lag, tap), row, words, plan.units);
    }
    for (std::size_t before = 0; before < tap; ++before) {
      tally.pairs[NetworkTally::pair_index(before, tap)] +=
          count_rows(decisions_.row(call, before), row, words, plan.units);
    }
  }

  const Context& context_;
  const NetworkEvidence& evidence_;
  std::shared_ptr<impl::Subject> subject_;
  std::unique_ptr<impl::Layer> layer_;
  Decisions decisions_;
  TapReading reading_;
  std::vector<impl::Tensor> room_;
};

/// Workers that are not at work.
class Workers {
 public:
  Workers(const Context& context, const NetworkEvidence& evidence)
      : context_(context), evidence_(evidence) {}
  ~Workers() {
    for (auto& worker : idle_) {
      // The layer ends first: the subject's next user may run elsewhere.
      std::shared_ptr<impl::Subject> subject = worker->subject();
      worker.reset();
      context_.pool.give_back(std::move(subject));
    }
  }
  Workers(const Workers&) = delete;
  Workers& operator=(const Workers&) = delete;

  NetworkTally block(std::uint64_t index) {
    auto worker = take();
    NetworkTally tally = worker->block(index);
    const std::lock_guard lock(mutex_);
    idle_.push_back(std::move(worker));
    return tally;
  }

 private:
  std::unique_ptr<Worker> take() {
    {
      const std::lock_guard lock(mutex_);
      if (!idle_.empty()) {
        auto worker = std::move(idle_.back());
        idle_.pop_back();
        return worker;
      }
    }
    return std::make_unique<Worker>(context_, evidence_, context_.pool.take());
  }

  const Context& context_;
  const NetworkEvidence& evidence_;
  std::mutex mutex_;
  std::vector<std::unique_ptr<Worker>> idle_;
};

/// Normal values, a function of the configuration's key only.
impl::Tensor first_input(const Context& context, std::uint64_t number) {
  return make_normal(context.config().dtype, context.plan.shape,
                     stream_seed(context.experiment, Stream::kInput, number));
}

bool is_zero(const TapCopy& tap, std::int64_t unit) {
  const auto first = tap.branch.begin() + unit * tap.unit_size;
  return std::all_of(first, first + tap.unit_size,
                     [](double value) { return value == 0; });
}

/// Samples whose branch is zero at some tap cannot be read: they get another
/// input, which draws on no decision.
impl::Tensor readable_input(impl::Layer& layer, const Context& context,
                            const NetworkPlan& plan) {
  impl::Tensor input = first_input(context, 0);
  if (plan.units != context.plan.shape[0]) return input;
  const std::int64_t size = input.size() / plan.units;
  for (std::uint64_t attempt = 1; attempt <= 16; ++attempt) {
    impl::Tensor given = input;
    layer.forward({given.view(), false, 1});
    std::vector<impl::Tensor> room;
    const impl::Tensor other = first_input(context, attempt << 32U);
    bool changed = false;
    for (const TapValues& values : tap_values(layer, context, plan, room)) {
      const TapCopy copy(values);
      for (std::int64_t unit = 0; unit < plan.units; ++unit) {
        if (!is_zero(copy, unit)) continue;
        changed = true;
        for (std::int64_t i = unit * size; i < (unit + 1) * size; ++i) {
          input.view().set(i, other.view().value(i));
        }
      }
    }
    if (!changed) break;
  }
  return input;
}

void calibrate(const Context& context, NetworkEvidence& evidence) {
  const auto layer = context.subject().make(context.config());
  evidence.input = readable_input(*layer, context, evidence.plan);
  if (context.describe().reseed) {
    layer->reseed(stream_seed(context.experiment, Stream::kCalibration));
  }
  std::vector<std::vector<TapCopy>> copies(evidence.plan.rates.size());
  for (int call = 0; call < kCalibrationCalls; ++call) {
    impl::Tensor input = evidence.input;
    layer->forward({input.view(), true, 1});
    std::vector<impl::Tensor> room;
    const auto taps = tap_values(*layer, context, evidence.plan, room);
    for (std::size_t tap = 0; tap < taps.size(); ++tap) {
      copies[tap].emplace_back(taps[tap]);
    }
  }
  for (std::size_t tap = 0; tap < copies.size(); ++tap) {
    evidence.readers[tap].calibrate(copies[tap]);
  }
}

void make_readers(const Context& context, NetworkEvidence& evidence) {
  const impl::NetworkLaw& law = evidence.law();
  for (const double rate : evidence.plan.rates) {
    impl::LayerConfig config;
    config.layer = law.drop_layer;
    config.dtype = context.config().dtype;
    config.drop_probability = rate;
    evidence.readers.emplace_back(*impl::find_law(law.drop_layer), config,
                                  law.residual);
  }
}

}  // namespace

std::vector<TapValues> tap_values(const impl::Layer& layer,
                                  const Context& context,
                                  const NetworkPlan& plan,
                                  std::vector<impl::Tensor>& room) {
  const auto taps = layer.taps();
  const impl::NetworkLaw& law = plan.law;
  if (taps.size() != law.taps()) {
    throw impl::LayerError(fmt::format("offers {} taps, where {} are due",
                                       taps.size(), law.taps()));
  }
  std::vector<TapValues> values;
  room.reserve(3 * taps.size());
  for (const impl::Tap& tap : taps) {
    TapValues one{context.config().dtype, nullptr, nullptr, nullptr, plan.units,
                  plan.unit_size};
    if (law.residual) {
      one.residual = compact_data(tap.residual, "residual", context, room);
    }
    one.branch = compact_data(tap.branch, "branch", context, room);
    one.output = compact_data(tap.output, "output", context, room);
    values.push_back(one);
  }
  return values;
}

stats::Counts NetworkEvidence::block_counts(int block) const {
  stats::Counts counts;
  for (std::size_t tap = 0; tap < taps(); ++tap) {
    if (law().block_of(tap) == block) counts += tally.taps[tap].rate;
  }
  return counts;
}

double NetworkEvidence::block_rate(int block) const {
  return plan.rates[static_cast<std::size_t>(block) * law().branches.size()];
}

std::string NetworkEvidence::block_name(int block) const {
  if (law().blocks == 1) return "the drop layer";
  return fmt::format("block {} of {} (from 0)", block, law().blocks);
}

std::string NetworkEvidence::tap_name(std::size_t tap) const {
  const std::string block = block_name(law().block_of(tap));
  const std::size_t branches = law().branches.size();
  if (branches == 1) return block;
  return fmt::format("the {} branch of {}", law().branches[tap % branches],
                     block);
}

std::shared_ptr<const NetworkEvidence> gather_network(
    const Context& context, const std::function<bool()>& interrupted) {
  auto evidence = std::make_shared<NetworkEvidence>();
  evidence->plan = make_network_plan(context.plan);
  make_readers(context, *evidence);
  calibrate(context, *evidence);
  Workers workers(context, *evidence);
  const bool sequential = !context.pool.planned().repeatable();
  constexpr std::uint64_t kWave = 64;
  const std::uint64_t blocks = evidence->plan.blocks;
  for (std::uint64_t begin = 0; begin < blocks && !interrupted();
       begin += kWave) {
    std::vector<NetworkTally> tallies(std::min(kWave, blocks - begin));
    const auto draw = [&](std::size_t i) {
      tallies[i] = workers.block(begin + i);
    };
    if (sequential) {
      for (std::size_t i = 0; i < tallies.size(); ++i) draw(i);
    } else {
      // Isolated: a thread that waits here must not begin another
      // configuration.
      tbb::this_task_arena::isolate(
          [&] { tbb::parallel_for(std::size_t{0}, tallies.size(), draw); });
    }
    for (const NetworkTally& tally : tallies) evidence->tally.merge(tally);
  }
  evidence->complete = evidence->tally.blocks == blocks;
  return evidence;
}

}  // namespace dropcheck::properties
