#include "sampler.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>

#include "dropcheck/impl/aligned_bytes.hpp"
#include "dropcheck/impl/piecewise.hpp"
#include "dropcheck/impl/random_stream.hpp"
#include "oracle_input.hpp"

namespace dropcheck::properties {
namespace {

/// Elements asked for in one request: 1 MiB of f32, which stays in the cache of
/// a core between the layer and the reader.
constexpr std::int64_t kElementsPerRequest = std::int64_t{1} << 18;

/// Decisions of calls that are asked for in pieces at a time.
constexpr std::int64_t kBitsInPieces = std::int64_t{1} << 20;

/// Rows that counters of 16 bits hold.
constexpr std::int64_t kMostCounted = 65535;

std::size_t words_for(std::int64_t bits) {
  return static_cast<std::size_t>((bits + 63) / 64);
}

impl::Shape with_calls(const impl::Shape& shape, std::int64_t calls) {
  impl::Shape stacked = shape;
  stacked.insert(stacked.begin(), calls);
  return stacked;
}

}  // namespace

void require_result(const impl::TensorView& result, const impl::Shape& shape,
                    impl::DType dtype) {
  if (result.dtype != dtype) {
    throw impl::LayerError(fmt::format("returns {} for {} input",
                                       impl::name_of(result.dtype),
                                       impl::name_of(dtype)));
  }
  if (result.shape != shape) {
    throw impl::LayerError(fmt::format("returns the shape {} where {} is due",
                                       impl::to_string(result.shape),
                                       impl::to_string(shape)));
  }
}

std::shared_ptr<impl::Subject> SubjectPool::take() {
  const std::lock_guard lock(mutex_);
  if (idle_.empty()) return planned_.entry.open();
  auto subject = std::move(idle_.back());
  idle_.pop_back();
  return subject;
}

void SubjectPool::give_back(std::shared_ptr<impl::Subject> subject) {
  const std::lock_guard lock(mutex_);
  idle_.push_back(std::move(subject));
}

void SubjectPool::close() {
  const std::lock_guard lock(mutex_);
  idle_.clear();
}

namespace {

/// A permutation of 32 bits: murmur3's finaliser.
std::uint32_t permuted(std::uint32_t value) {
  value = (value ^ value >> 16U) * 0x85EBCA6BU;
  value = (value ^ value >> 13U) * 0xC2B2AE35U;
  return value ^ value >> 16U;
}

/// Some generators take 32 bits of a seed (mt19937 in PyTorch). The low half is
/// therefore a permutation of the index.
std::uint64_t with_distinct_low_half(std::uint64_t high, std::uint64_t base,
                                     std::uint64_t index) {
  constexpr std::uint64_t kLow = 0xFFFFFFFF;
  return (high & ~kLow) |
         ((base & kLow) ^ permuted(static_cast<std::uint32_t>(index)));
}

}  // namespace

std::uint64_t block_seed(const Experiment& experiment, std::uint64_t block) {
  return with_distinct_low_half(
      impl::keyed_word(experiment.run_seed, experiment.key, 1, block),
      impl::keyed_word(experiment.run_seed, experiment.key), block);
}

std::uint64_t distinct_seed(const Experiment& experiment, Stream stream,
                            std::uint64_t index) {
  return with_distinct_low_half(stream_seed(experiment, stream, index),
                                stream_seed(experiment, stream), index);
}

std::uint64_t stream_seed(const Experiment& experiment, Stream stream,
                          std::uint64_t index) {
  return impl::keyed_word(experiment.run_seed, experiment.key,
                          static_cast<std::uint64_t>(stream), index + 1);
}

Caller::Caller(impl::Layer& layer, const impl::Tensor& input)
    : layer_(layer), input_(input) {
  static std::atomic<std::uint64_t> latest = 0;
  number_ = ++latest;
}

impl::TensorView Caller::stacked(const impl::Shape& expected,
                                 std::int64_t repeat, bool training) {
  // A copy each time: in place the layer overwrites it, and a layer that does
  // so unasked must not reach other threads.
  scratch_ = input_;
  const impl::Call call{scratch_.view(), training, repeat, number_};
  impl::TensorView result = layer_.forward(call);
  if (repeat == 1 && result.shape == expected) {
    result.shape = with_calls(expected, 1);
    result.strides.insert(result.strides.begin(), result.size());
  }
  require_result(result, with_calls(expected, repeat), input_.dtype());
  if (result.compact()) return result;
  compact_ = impl::Tensor(result.dtype, result.shape);
  impl::copy(result, compact_.view());
  return compact_.view();
}

std::vector<impl::Tensor> draw_outputs(impl::Subject& subject,
                                       const Experiment& experiment,
                                       const impl::Tensor& input,
                                       std::uint64_t seed, std::int64_t calls) {
  const auto layer = subject.make(experiment.config);
  if (subject.describe().reseed) layer->reseed(seed);
  const impl::Shape shape =
      impl::output_shape(*experiment.law, experiment.config, input.shape());
  Caller caller(*layer, input);
  std::vector<impl::Tensor> outputs;
  const std::int64_t size =
      std::max<std::int64_t>(1, impl::element_count(shape));
  const std::int64_t batch =
      std::max<std::int64_t>(1, kElementsPerRequest / size);
  for (std::int64_t done = 0; done < calls; done += batch) {
    const std::int64_t repeat = std::min(batch, calls - done);
    const impl::TensorView result = caller.stacked(shape, repeat);
    const std::size_t bytes =
        static_cast<std::size_t>(impl::element_count(shape)) *
        impl::size_of(result.dtype);
    for (std::int64_t i = 0; i < repeat; ++i) {
      impl::Tensor one(result.dtype, shape);
      std::copy_n(static_cast<const std::byte*>(result.data) +
                      static_cast<std::size_t>(i) * bytes,
                  bytes, one.bytes());
      outputs.push_back(std::move(one));
    }
  }
  return outputs;
}

Inputs make_inputs(impl::Subject& subject, const Experiment& experiment) {
  Inputs inputs;
  inputs.input =
      make_input(*experiment.law, experiment.config, experiment.shape,
                 stream_seed(experiment, Stream::kInput));
  if (experiment.law->base == impl::Base::kInput) {
    inputs.base = inputs.input;
    return inputs;
  }
  const auto layer = subject.make(experiment.config);
  const impl::Shape shape =
      impl::output_shape(*experiment.law, experiment.config, experiment.shape);
  Caller caller(*layer, inputs.input);
  const impl::TensorView result = caller.stacked(shape, 1, false);
  inputs.base = impl::Tensor(result.dtype, shape);
  std::copy_n(static_cast<const std::byte*>(result.data),
              inputs.base.byte_count(), inputs.base.bytes());
  return inputs;
}

void count_row(const std::uint64_t* words, const StructurePlan& plan,
               Tally& tally) {
  const auto bits = static_cast<std::size_t>(plan.row_bits);
  // Pairs at a lag: the earlier ones end so much before the row does, the later
  // ones begin so far into it.
  const std::size_t lags = plan.lags.size();
  std::vector<std::size_t> places;
  places.reserve(2 * lags + 1);
  for (const std::size_t lag : plan.lags) places.push_back(bits - lag);
  places.insert(places.end(), plan.lags.begin(), plan.lags.end());
  places.push_back(bits);
  std::vector<std::uint64_t> before(places.size());
  count_before(words, bits, places, before.data());
  const std::uint64_t drops = before.back();
  tally.structure_rate += {drops, bits};
  ++tally.structure_rows;
  tally.drops_per_row.push_back(static_cast<std::uint32_t>(drops));
  count_groups(words, bits / 64, tally.groups.data());
  std::array<std::uint64_t, kShortLags> near{};
  joint_at_short_lags(words, bits, near.data());
  tally.lags.resize(lags);
  for (std::size_t j = 0; j < lags; ++j) {
    const std::size_t lag = plan.lags[j];
    PairCounts pairs;
    pairs.pairs = bits - lag;
    pairs.both =
        lag <= kShortLags ? near[lag - 1] : joint_at_lag(words, bits, lag);
    pairs.earlier = before[j];
    pairs.later = drops - before[lags + j];
    tally.lags[j] += pairs;
  }
}

/// Everything that one thread needs to draw blocks.
class Sampler::Worker {
 public:
  Worker(const Sampler& sampler, std::shared_ptr<impl::Subject> subject)
      : sampler_(sampler),
        subject_(std::move(subject)),
        layer_(subject_->make(sampler.experiment_.config)),
        caller_(*layer_, sampler.inputs_.input),
        reseeds_(subject_->describe().reseed),
        element_words_(element_stride()),
        row_stride_(words_for(sampler.units_.units())) {}

  const std::shared_ptr<impl::Subject>& subject() const { return subject_; }

  Tally block(std::uint64_t index, bool structure) {
    Tally tally;
    begin_block(index);
    if (!read_in_pieces(index, tally)) {
      sampler_.pool_.note_blocks();
      read_whole(index, tally);
    } else {
      sampler_.pool_.note_fused();
      if (tally.torn) {
        // What stood in the torn unit is gone: once more, as a whole.
        tally = {};
        begin_block(index);
        read_whole(index, tally);
      }
    }
    if (structure) count_structure(tally);
    return tally;
  }

 private:
  void begin_block(std::uint64_t index) {
    if (reseeds_) layer_->reseed(block_seed(sampler_.experiment_, index));
    rows_.assign(
        row_stride_ * static_cast<std::size_t>(sampler_.calls_per_block_) + 1,
        0);
  }

  std::size_t element_stride() const {
    return words_for(sampler_.units_.elements()) + 1;
  }

  std::uint64_t* row(std::int64_t call) {
    return rows_.data() + row_stride_ * static_cast<std::size_t>(call);
  }

  void read_whole(std::uint64_t index, Tally& tally) {
    const std::int64_t calls = sampler_.calls_per_block_;
    const std::int64_t batch = std::max<std::int64_t>(
        1, kElementsPerRequest /
               std::max<std::int64_t>(1, sampler_.units_.elements()));
    for (std::int64_t done = 0; done < calls; done += batch) {
      read_calls(index, done, std::min(batch, calls - done), tally);
    }
  }

  /// Reads each piece while it is in the cache. False where the layer gives
  /// whole results only, or could not give a block again.
  bool read_in_pieces(std::uint64_t block, Tally& tally) {
    const std::int64_t elements = sampler_.units_.elements();
    auto* const layer = dynamic_cast<impl::PiecewiseLayer*>(layer_.get());
    if (layer == nullptr || elements == 0 || !reseeds_) return false;
    // A copy: a layer that changes it unasked must not reach other threads.
    const impl::Tensor& input = sampler_.inputs_.input;
    piece_input_.resize(input.byte_count());
    std::copy_n(input.bytes(), input.byte_count(), piece_input_.data());
    const impl::TensorView view{piece_input_.data(), input.dtype(),
                                input.shape(),
                                impl::compact_strides(input.shape())};
    const std::int64_t calls = sampler_.calls_per_block_;
    const std::int64_t batch =
        std::clamp<std::int64_t>(kBitsInPieces / elements, 1, calls);
    element_words_.resize(element_stride() * static_cast<std::size_t>(batch));
    for (std::int64_t done = 0; done < calls; done += batch) {
      const std::int64_t repeat = std::min(batch, calls - done);
      wrong_.assign(static_cast<std::size_t>(repeat), 0);
      const auto take = [&](const impl::Piece& piece) {
        take_piece({block, done + piece.call, 0, 0}, piece, tally);
      };
      if (!layer->forward_in_pieces({view, true, repeat}, take)) return false;
    }
    return true;
  }

  void take_piece(Witness place, const impl::Piece& piece, Tally& tally) {
    const auto call = static_cast<std::size_t>(piece.call);
    std::uint64_t* const words =
        element_words_.data() + call * element_stride();
    const std::size_t first = sampler_.reader_.read_part(
        piece.values, static_cast<std::size_t>(piece.first),
        static_cast<std::size_t>(piece.count), words);
    if (wrong_[call] == 0 && note_wrong(place, piece, first, tally)) {
      wrong_[call] = 1;
    }
    if (piece.first + piece.count == sampler_.units_.elements()) {
      count_call(place, words, nullptr, tally);
    }
  }

  void read_calls(std::uint64_t block, std::int64_t first, std::int64_t repeat,
                  Tally& tally) {
    const impl::TensorView result =
        caller_.stacked(sampler_.output_shape_, repeat);
    const std::int64_t elements = sampler_.units_.elements();
    const std::size_t bytes =
        static_cast<std::size_t>(elements) * impl::size_of(result.dtype);
    const auto* values = static_cast<const std::byte*>(result.data);
    for (std::int64_t i = 0; i < repeat; ++i, values += bytes) {
      const Witness place{block, first + i, 0, 0};
      const impl::Piece whole{values, place.call, 0, elements};
      const std::size_t first_wrong =
          sampler_.reader_.read(values, element_words_.data());
      note_wrong(place, whole, first_wrong, tally);
      count_call(place, element_words_.data(), values, tally);
    }
  }

  /// `values` of the whole call may be missing: then a torn unit is noted
  /// without what stands there.
  void count_call(Witness place, const std::uint64_t* words,
                  const std::byte* values, Tally& tally) {
    std::uint64_t* units = row(place.call);
    const auto torn = sampler_.units_.read(words, units, tally.torn_units);
    if (torn && !tally.torn) {
      place.element = *torn;
      if (values != nullptr) place.value = value_at({values, 0, 0, 0}, *torn);
      tally.torn = place;
    }
    const std::uint64_t drops = popcount(units, row_stride_);
    tally.rate += {drops, static_cast<std::uint64_t>(sampler_.units_.units())};
    tally.call_drops.push_back(static_cast<std::uint32_t>(drops));
    ++tally.calls;
  }

  /// The value of an element of the call.
  double value_at(const impl::Piece& piece, std::int64_t element) const {
    const impl::DType dtype = sampler_.inputs_.base.dtype();
    return impl::load(static_cast<const std::byte*>(piece.values) +
                          static_cast<std::size_t>(element - piece.first) *
                              impl::size_of(dtype),
                      dtype);
  }

  /// Notes the first wrong value of a call from an element on, and returns
  /// whether there is one. A value that is a rounding of the law's, though not
  /// the model's, is none of our business: it counts as kept, which it is.
  bool note_wrong(Witness place, const impl::Piece& piece, std::size_t first,
                  Tally& tally) const {
    for (auto i = static_cast<std::int64_t>(first);
         i < piece.first + piece.count; ++i) {
      const double value = value_at(piece, i);
      if (sampler_.reader_.follows_law(static_cast<std::size_t>(i), value)) {
        continue;
      }
      ++tally.wrong_calls;
      if (tally.wrong && tally.wrong->call < place.call) return true;
      place.element = i;
      place.value = value;
      tally.wrong = place;
      return true;
    }
    return false;
  }

  void count_structure(Tally& tally) {
    const StructurePlan& plan = sampler_.structure_;
    if (plan.flat) {
      count_flat(tally);
      return;
    }
    for (std::int64_t call = 0; call < sampler_.calls_per_block_; ++call) {
      count_row(row(call), plan, tally);
    }
    count_calls(tally);
    count_positions(tally);
  }

  /// Lays the calls of the block end to end.
  void count_flat(Tally& tally) {
    const StructurePlan& plan = sampler_.structure_;
    std::vector<std::uint64_t> words(words_for(plan.row_bits) + 1);
    tally.positions.assign(static_cast<std::size_t>(plan.units), 0);
    std::size_t out = 0;
    for (std::int64_t call = 0; call < sampler_.calls_per_block_; ++call) {
      for (std::int64_t unit = 0; unit < plan.units; ++unit, ++out) {
        const std::uint64_t bit = (*row(call) >> unit) & 1U;
        words[out / 64] |= bit << (out % 64);
        tally.positions[static_cast<std::size_t>(unit)] +=
            static_cast<std::uint32_t>(bit);
      }
    }
    count_row(words.data(), plan, tally);
  }

  void count_calls(Tally& tally) {
    const StructurePlan& plan = sampler_.structure_;
    tally.call_lags.resize(plan.call_lags.size());
    // The rows of this block were counted just before.
    const auto drops = tally.drops_per_row.end() - sampler_.calls_per_block_;
    for (std::size_t j = 0; j < plan.call_lags.size(); ++j) {
      const auto lag = static_cast<std::int64_t>(plan.call_lags[j]);
      for (std::int64_t t = lag; t < sampler_.calls_per_block_; ++t) {
        PairCounts pairs;
        pairs.pairs = static_cast<std::uint64_t>(plan.units);
        pairs.earlier = drops[t - lag];
        pairs.later = drops[t];
        pairs.both = popcount_and(row(t - lag), row(t), row_stride_);
        tally.call_lags[j] += pairs;
      }
    }
  }

  void count_positions(Tally& tally) {
    const auto units = static_cast<std::size_t>(sampler_.structure_.units);
    tally.positions.assign(units, 0);
    std::vector<std::uint16_t> counters(64 * row_stride_);
    const auto flush = [&] {
      for (std::size_t i = 0; i < units; ++i) tally.positions[i] += counters[i];
      std::fill(counters.begin(), counters.end(), std::uint16_t{0});
    };
    const std::int64_t calls = sampler_.calls_per_block_;
    for (std::int64_t call = 0; call < calls; call += kMostCounted) {
      if (call > 0) flush();
      add_rows(row(call), row_stride_,
               static_cast<std::size_t>(std::min(kMostCounted, calls - call)),
               units, counters.data());
    }
    flush();
  }

  const Sampler& sampler_;
  std::shared_ptr<impl::Subject> subject_;
  std::unique_ptr<impl::Layer> layer_;
  Caller caller_;
  bool reseeds_;
  impl::AlignedBytes piece_input_;
  std::vector<std::uint64_t> element_words_;  // of calls that take turns
  std::vector<std::uint8_t> wrong_;           // which of these has such a value
  std::vector<std::uint64_t> rows_;
  std::size_t row_stride_;
};

Sampler::Sampler(const Experiment& experiment, SubjectPool& pool,
                 const Inputs& inputs, const MaskReader& reader,
                 std::int64_t calls_per_block)
    : experiment_(experiment),
      pool_(pool),
      inputs_(inputs),
      reader_(reader),
      calls_per_block_(calls_per_block),
      units_(*experiment.law, experiment.config, inputs.base.shape()),
      structure_(make_structure_plan(
          impl::unit_shape(*experiment.law, experiment.config,
                           inputs.base.shape()),
          calls_per_block)),
      output_shape_(inputs.base.shape()) {}

Sampler::~Sampler() {
  for (auto& worker : idle_) give_back(std::move(worker));
}

// The layer ends first: whoever gets the subject next may run elsewhere.
void Sampler::give_back(std::unique_ptr<Worker> worker) const {
  std::shared_ptr<impl::Subject> subject = worker->subject();
  worker.reset();
  pool_.give_back(std::move(subject));
}

std::unique_ptr<Sampler::Worker> Sampler::take_worker() const {
  {
    const std::lock_guard lock(mutex_);
    if (!idle_.empty()) {
      auto worker = std::move(idle_.back());
      idle_.pop_back();
      return worker;
    }
  }
  return std::make_unique<Worker>(*this, pool_.take());
}

Tally Sampler::block(std::uint64_t index, bool structure) const {
  auto worker = take_worker();
  try {
    Tally tally = worker->block(index, structure);
    const std::lock_guard lock(mutex_);
    idle_.push_back(std::move(worker));
    return tally;
  } catch (...) {
    give_back(std::move(worker));
    throw;
  }
}

}  // namespace dropcheck::properties
