#include "special_rounds.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <set>

#include "dropcheck/impl/block_law.hpp"
#include "dtype_limits.hpp"
#include "value_comparison.hpp"

namespace dropcheck::properties {
namespace {

const std::byte* address(const impl::Tensor& tensor, std::int64_t element) {
  return tensor.bytes() +
         static_cast<std::size_t>(element) * impl::size_of(tensor.dtype());
}

double value_at(const impl::Tensor& tensor, std::int64_t element) {
  return impl::load(address(tensor, element), tensor.dtype());
}

bool same_bits(const impl::Tensor& a, const impl::Tensor& b,
               std::int64_t element) {
  return std::memcmp(address(a, element), address(b, element),
                     impl::size_of(a.dtype())) == 0;
}

/// What the layer does with ordinary numbers is taken as it is: `support` says
/// whether it is right.
Answering answering_of(const Context& context) {
  const MaskReader& reader = *context.reader;
  Answering answering;
  answering.dtype = context.config().dtype;
  answering.fill = reader.dropped_value();
  if (const auto& model = reader.model()) {
    answering.slope = model->factor();
    answering.offset = model->offset;
  } else {
    answering.slope = reader.line().slope;
    answering.offset = reader.line().offset;
    answering.slack = std::ldexp(8, -impl::significand_bits(answering.dtype));
  }
  return answering;
}

}  // namespace

SpecialRounds::SpecialRounds(const Context& context, Finding& finding)
    : context_(context),
      finding_(finding),
      answering_(answering_of(context)),
      base_(context.inputs.base),
      key_(stream_seed(context.experiment, Stream::kSpecials)),
      layer_(context.subject().make(context.config())) {
  if (context.law().base == impl::Base::kEvaluation) {
    evaluator_ = context.subject().make(context.config());
  }
  noise_ = context.law().factor == impl::Factor::kNormal;
  factors_ = noise_ || impl::measures_scale(context.law(), context.config());
  unknown_ = factors_ && !context.describe().reseed;
}

bool SpecialRounds::reseeded_round(std::uint64_t round) {
  const std::uint64_t seed =
      stream_seed(context_.experiment, Stream::kSpecials, round + 1);
  put(round);
  const impl::Tensor plain = call_after(seed, context_.inputs.input);
  const impl::Tensor special = call_after(seed, input_);
  if (const auto strange = first_strange(plain, special)) {
    const impl::Tensor again = call_after(seed, context_.inputs.input);
    const bool repeats = first_difference(again.view(), plain.view()) < 0;
    blame(*strange, plain, special, repeats);
    return false;
  }
  std::vector<std::uint64_t> drops(static_cast<std::size_t>(base_.size()) / 64 +
                                   1);
  context_.reader->read(plain.view().data, drops.data());
  for (std::int64_t i = 0; i < base_.size(); ++i) {
    if (is_ordinary(i)) continue;
    const bool dropped =
        !noise_ && (drops[static_cast<std::size_t>(i / 64)] >> i % 64 & 1U);
    judge(i, dropped, value_at(plain, i), value_at(special, i));
  }
  return true;
}

bool SpecialRounds::blind_round(std::uint64_t round) {
  put(round);
  const impl::Tensor result = call(input_);
  std::array<std::set<std::uint32_t>, kSpecials> units;
  for (std::int64_t i = 0; i < base_.size(); ++i) {
    const double y = value_at(result, i);
    if (is_ordinary(i)) {
      if (!std::isnan(y)) continue;
      blame(i, result, result, true);
      return false;
    }
    judge_blind(i, y);
    const auto kind = static_cast<std::size_t>(kind_at(i));
    if (unit_of(i) != impl::kNoUnit) units[kind].insert(unit_of(i));
  }
  for (std::size_t k = 0; k < kSpecials; ++k) {
    seen_[k].decisions += units[k].size();
  }
  return true;
}

bool SpecialRounds::saw_all() const {
  return std::all_of(seen_.begin(), seen_.end(), [this](const Seen& seen) {
    const bool came = seen.kept + seen.dropped > 0;
    return !came || noise_ || unknown_ || (seen.kept > 0 && seen.dropped > 0);
  });
}

void SpecialRounds::put(std::uint64_t round) {
  input_ = context_.inputs.input;
  const bool scores = evaluator_ != nullptr && context_.config().samples == 0;
  put_specials(input_, scores && context_.law().minimum_rank >= 2,
               answering_.slope, key_, round);
  if (evaluator_) {
    impl::Tensor scratch = input_;
    const impl::TensorView result = evaluate(*evaluator_, scratch);
    require_result(result, base_.shape(), base_.dtype());
    special_base_ = copied(result);
  } else {
    special_base_ = input_;
  }
}

impl::Tensor SpecialRounds::call(const impl::Tensor& input) {
  impl::Tensor scratch = input;
  const impl::TensorView result = layer_->forward({scratch.view(), true, 1});
  require_result(result, base_.shape(), base_.dtype());
  ++finding_.calls;
  finding_.n += static_cast<std::uint64_t>(base_.size());
  return copied(result);
}

impl::Tensor SpecialRounds::call_after(std::uint64_t seed,
                                       const impl::Tensor& input) {
  layer_->reseed(seed);
  return call(input);
}

bool SpecialRounds::is_ordinary(std::int64_t i) const {
  return same_bits(base_, special_base_, i);
}

Special SpecialRounds::kind_at(std::int64_t i) const {
  return kind_of(value_at(special_base_, i), base_.dtype());
}

std::uint32_t SpecialRounds::unit_of(std::int64_t i) {
  if (units_.empty()) {
    units_ =
        impl::unit_of_element(context_.law(), context_.config(), base_.shape());
  }
  return units_[static_cast<std::size_t>(i)];
}

std::optional<std::int64_t> SpecialRounds::first_strange(
    const impl::Tensor& plain, const impl::Tensor& special) const {
  for (std::int64_t i = 0; i < base_.size(); ++i) {
    if (is_ordinary(i) && !same_bits(plain, special, i)) {
      return i;
    }
  }
  return std::nullopt;
}

void SpecialRounds::blame(std::int64_t i, const impl::Tensor& plain,
                          const impl::Tensor& special, bool repeats) {
  const double x = value_at(base_, i);
  const double y = value_at(special, i);
  if (!repeats) {
    open_ = true;
    sentence_ =
        "a seed does not repeat its mask, so it is not known where special "
        "values were dropped: see seeding";
  } else if (std::isnan(y) || noise_) {
    sentence_ = fmt::format(
        "special values contaminate others: the ordinary {} at {} becomes {} "
        "where NaN and infinities stand elsewhere",
        text_of(x), place_of(i, base_.shape()), text_of(y));
  } else {
    sentence_ = fmt::format(
        "special values change the mask of others, or their scale: with one "
        "seed, x = {} at {} becomes {} among ordinary numbers and {} among "
        "special ones",
        text_of(x), place_of(i, base_.shape()), text_of(value_at(plain, i)),
        text_of(y));
  }
}

void SpecialRounds::note(Wrong wrong, std::int64_t i, double y) {
  if (wrong == Wrong::kNothing) return;
  WrongValue& value = wrong_[static_cast<std::size_t>(wrong)];
  if (value.count++ > 0) return;
  value.place = place_of(i, base_.shape());
  value.x = value_at(special_base_, i);
  value.y = y;
  value.fill = answering_.fill;
}

void SpecialRounds::judge(std::int64_t i, bool dropped, double plain,
                          double y) {
  const double x = value_at(special_base_, i);
  Seen& seen = seen_[static_cast<std::size_t>(kind_at(i))];
  if (dropped) {
    ++seen.dropped;
    note(judge_dropped(answering_, context_.law().options, x, y), i, y);
    return;
  }
  ++seen.kept;
  Answering here = answering_;
  if (factors_) {
    here.slope = plain / value_at(base_, i);
    here.offset = 0;
    here.slack =
        std::ldexp(4, -impl::significand_bits(here.dtype)) +
        (plain == 0 ? 0 : smallest_subnormal(here.dtype) / std::abs(plain));
  }
  note(judge_kept(here, x, y), i, y);
}

Wrong SpecialRounds::judge_unknown(double x, double y) const {
  const bool may_drop = !noise_ && y == 0;
  if (std::isnan(x)) {
    return std::isnan(y) || may_drop ? Wrong::kNothing : Wrong::kNaNLost;
  }
  if (std::isinf(x)) {
    return std::isinf(y) || may_drop ? Wrong::kNothing : Wrong::kInfinityLost;
  }
  if (x == 0) return y == 0 ? Wrong::kNothing : Wrong::kZeroLost;
  return std::isnan(y) ? Wrong::kKeptWrong : Wrong::kNothing;
}

void SpecialRounds::judge_blind(std::int64_t i, double y) {
  const double x = value_at(special_base_, i);
  Seen& seen = seen_[static_cast<std::size_t>(kind_at(i))];
  if (unknown_) {
    ++seen.kept;
    note(judge_unknown(x, y), i, y);
    return;
  }
  const Wrong kept = judge_kept(answering_, x, y);
  const Wrong dropped = judge_dropped(answering_, context_.law().options, x, y);
  seen.kept += kept == Wrong::kNothing ? 1 : 0;
  seen.dropped += dropped == Wrong::kNothing ? 1 : 0;
  if (kept != Wrong::kNothing && dropped != Wrong::kNothing) {
    note(std::isnan(y) || y == 0 ? dropped : kept, i, y);
  }
}

}  // namespace dropcheck::properties
