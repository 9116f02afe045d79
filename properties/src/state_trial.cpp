#include "state_trial.hpp"

#include <algorithm>
#include <cmath>

#include "dropcheck/stats/granularity.hpp"
#include "oracle_input.hpp"
#include "shapes.hpp"
#include "value_comparison.hpp"

namespace dropcheck::properties {
namespace {

bool agree(const impl::TensorView& a, const impl::TensorView& b) {
  return a.shape == b.shape && first_difference(a, b) < 0;
}

}  // namespace

StateTrial::StateTrial(const Context& context, double tries)
    : context_(context), log_tries_(std::log(tries)) {
  const impl::Description& subject = context.describe();
  abilities_.reseed = subject.reseed;
  abilities_.backward = subject.backward && context.law().has_backward;
  abilities_.instances = subject.own_state ? kOtherProbability : 1;
  choose_sizes();
  if (repeat_ > 1) abilities_.backward = false;
  if (subject.own_state) offer_other_probability();
  abilities_.clone = false;
  if (subject.clone && subject.own_state && subject.reseed) offer_clones();
}

void StateTrial::choose_sizes() {
  const double p = context_.p0();
  // Two kinds of chance event, each with half of the budget.
  const double needed =
      context_.log_threshold("state") + log_tries_ + std::log(2.0);
  const double telling = std::max(needed / -stats::log_chance_identical(p, 1),
                                  needed / -std::log1p(-p));
  const auto decisions = static_cast<std::int64_t>(
      std::ceil(std::min(telling, most_decisions(context_.plan)) / 64) * 64);
  add_sizes(decisions);
  abilities_.sizes = static_cast<int>(sizes_.size());
  const auto a_call = static_cast<std::int64_t>(sizes_.front().decisions);
  if (a_call < kFewDecisions) {
    repeat_ = (decisions + a_call - 1) / std::max<std::int64_t>(1, a_call);
  }
  tells_ = true;
  for (Size& size : sizes_) {
    size.decisions *= static_cast<std::uint64_t>(repeat_);
    tells_ = tells_ && static_cast<double>(size.decisions) >= telling;
  }
}

void StateTrial::add_sizes(std::int64_t decisions) {
  const impl::Law& law = context_.law();
  const impl::LayerConfig& config = context_.config();
  if (context_.plan.own_shape) return add_size(context_.plan.shape);
  // Blocks take many elements: a small shape, whatever masks it tells apart.
  const bool blocks = law.unit == impl::Unit::kBlock;
  impl::Shape shape = blocks ? small_shapes(law, config).front()
                             : shape_of_units(law, config, decisions);
  add_size(shape);
  impl::Shape other =
      blocks ? shape : shape_of_units(law, config, decisions + 40);
  if (other == shape) ++other[0];
  add_size(other);
}

void StateTrial::add_size(const impl::Shape& shape) {
  const impl::Law& law = context_.law();
  const impl::LayerConfig& config = context_.config();
  Size size;
  const auto number = static_cast<std::uint64_t>(sizes_.size());
  size.input =
      make_input(law, config, shape,
                 stream_seed(context_.experiment, Stream::kState, number));
  size.output = impl::output_shape(law, config, shape);
  size.gradient =
      make_input(*impl::find_law("dropout"), config, size.output,
                 stream_seed(context_.experiment, Stream::kState, 2 + number));
  size.decisions = static_cast<std::uint64_t>(
      impl::element_count(impl::unit_shape(law, config, size.output)));
  sizes_.push_back(std::move(size));
}

/// A subject may have one drop probability only.
void StateTrial::offer_other_probability() {
  const double p = context_.config().drop_probability;
  other_p_ = p < 0.5 ? p + 0.25 : p - 0.25;
  try {
    context_.subject().make(config_of(true));
    abilities_.instances = kInstances;
  } catch (const impl::NotSupported&) {
  } catch (const impl::LayerError&) {
  }
}

/// A layer around another one may not do what that one declares.
void StateTrial::offer_clones() {
  try {
    context_.subject().make(config_of(false))->clone();
    abilities_.clone = true;
  } catch (const impl::NotSupported&) {
  }
}

impl::LayerConfig StateTrial::config_of(bool other) const {
  impl::LayerConfig config = context_.config();
  if (other) config.drop_probability = other_p_;
  return config;
}

std::unique_ptr<impl::Layer> StateTrial::make(bool other, int seed) {
  auto layer = context_.subject().make(config_of(other));
  if (abilities_.reseed) {
    layer->reseed(stream_seed(context_.experiment, Stream::kState,
                              10 + static_cast<std::uint64_t>(seed)));
  }
  return layer;
}

StateTrial::Instance& StateTrial::instance(int index) {
  Instance& instance = instances_[static_cast<std::size_t>(index)];
  if (!instance.layer) {
    instance.layer =
        make(index == kOtherProbability, model_.history(index).seed);
  }
  return instance;
}

/// An instance that was there ends: its clone must do without it.
void StateTrial::clone(const Command& command) {
  Instance& source = instance(source_of(command));
  Instance copy;
  copy.layer = source.layer->clone();
  copy.masks = source.masks;
  instances_[static_cast<std::size_t>(command.instance)] = std::move(copy);
}

impl::Shape StateTrial::result_shape(const Size& size, bool training) const {
  impl::Shape shape = size.output;
  if (training && repeat_ > 1) shape.insert(shape.begin(), repeat_);
  return shape;
}

impl::Tensor StateTrial::train(impl::Layer& layer, int index,
                               impl::Tensor& scratch,
                               impl::TensorView* result) {
  const Size& size = sizes_[static_cast<std::size_t>(index)];
  scratch = size.input;
  calls_ += static_cast<std::uint64_t>(repeat_);
  const impl::TensorView view = layer.forward({scratch.view(), true, repeat_});
  require_result(view, result_shape(size, true), context_.config().dtype);
  if (result != nullptr) *result = view;
  return copied(view);
}

/// What an instance gives that does nothing but the training calls.
impl::Tensor StateTrial::expected(const History& history, bool gradient) {
  auto& known = gradient ? gradients_ : results_;
  if (const auto found = known.find(history); found != known.end()) {
    return found->second;
  }
  const auto layer = make(history.other_probability, history.seed);
  History so_far = history;
  so_far.sizes.clear();
  impl::Tensor scratch;
  for (const int size : history.sizes) {
    so_far.sizes.push_back(size);
    results_[so_far] = train(*layer, size, scratch);
  }
  if (gradient) {
    const Size& size = sizes_[static_cast<std::size_t>(history.sizes.back())];
    impl::Tensor incoming = size.gradient;
    gradients_[history] = copied(layer->backward(incoming.view()));
  }
  if (history != model_.history(0)) restore_generator();
  return known.at(history);
}

// Where layers share a generator, the one that made what is expected has moved
// it: it is put where the only instance left it.
void StateTrial::restore_generator() {
  if (context_.describe().own_state || !abilities_.reseed) return;
  const History& now = model_.history(0);
  const auto layer = make(now.other_probability, now.seed);
  impl::Tensor scratch;
  for (const int size : now.sizes) train(*layer, size, scratch);
}

const impl::Tensor& StateTrial::expected_evaluation(bool other, int index) {
  const Size& size = sizes_[static_cast<std::size_t>(index)];
  if (context_.law().base == impl::Base::kInput) return size.input;
  const auto [place, added] = evaluations_.try_emplace({other, index});
  if (added) {
    const auto layer = make(other, 0);
    impl::Tensor scratch = size.input;
    place->second = copied(evaluate(*layer, scratch));
    restore_generator();
  }
  return place->second;
}

std::optional<Breach> StateTrial::run(const Commands& commands, bool at_end) {
  model_ = {};
  instances_ = {};
  reached_ = 0;
  for (const Command& command : commands) {
    ++reached_;
    auto breach = step(command);
    const bool last = reached_ == commands.size();
    if (breach && (last || !at_end)) return breach;
    if (breach) return std::nullopt;
  }
  return std::nullopt;
}

std::optional<Breach> StateTrial::step(const Command& command) {
  const bool clones = command.act == Act::kClone;
  Instance& own = clones
                      ? instances_[static_cast<std::size_t>(command.instance)]
                      : instance(command.instance);
  own.held.reset();
  std::optional<Breach> breach;
  try {
    if (clones) clone(command);
    model_.apply(command);
    switch (command.act) {
      case Act::kClone:
        break;
      case Act::kTrain: {
        own.held = train(*own.layer, command.choice, own.input, &own.result);
        breach = after_training(command, *own.held);
        break;
      }
      case Act::kEvaluate: {
        own.input = sizes_[static_cast<std::size_t>(command.choice)].input;
        ++calls_;
        own.result = evaluate(*own.layer, own.input);
        breach = after_evaluation(command, own.result);
        own.held = copied(own.result);
        break;
      }
      case Act::kBackward: {
        own.gradient =
            sizes_[static_cast<std::size_t>(model_.size(command.instance))]
                .gradient;
        own.result = own.layer->backward(own.gradient.view());
        breach = after_gradient(command, own.result);
        own.held = copied(own.result);
        break;
      }
      case Act::kReseed:
        own.layer->reseed(
            stream_seed(context_.experiment, Stream::kState,
                        10 + static_cast<std::uint64_t>(command.choice)));
        own.masks.clear();
        break;
    }
  } catch (const impl::LayerError& error) {
    return Breach{std::string("fails: ") + error.what(), {}};
  }
  if (!breach) breach = changed_result(command);
  return breach;
}

bool StateTrial::drops(const impl::Tensor& result) const {
  const double fill = context_.reader->dropped_value();
  for (std::int64_t i = 0; i < result.size(); ++i) {
    if (result.view().value(i) == fill) return true;
  }
  return false;
}

std::optional<Breach> StateTrial::after_training(const Command& command,
                                                 const impl::Tensor& result) {
  const History& history = model_.history(command.instance);
  if (abilities_.reseed) {
    const impl::Tensor due = expected(history, false);
    if (!agree(result.view(), due.view())) {
      const bool mask = context_.law().factor == impl::Factor::kMask;
      if (mask && drops(due) && !drops(result)) {
        return Breach{"drops nothing", {}};
      }
      for (const auto& [sizes, earlier] : instance(command.instance).masks) {
        if (sizes.back() == command.choice &&
            agree(result.view(), earlier.view())) {
          return Breach{"returns an earlier mask again", {}};
        }
      }
      return Breach{
          "gives another mask than the same training calls alone, after the "
          "same seed",
          {}};
    }
  }
  if (auto breach = repeated_mask(command, result)) return breach;
  return nothing_dropped(command, result);
}

/// Masks of one history must differ; that they agree by chance has its price.
std::optional<Breach> StateTrial::repeated_mask(const Command& command,
                                                const impl::Tensor& result) {
  const std::vector<int>& sizes = model_.history(command.instance).sizes;
  auto& masks = instance(command.instance).masks;
  std::optional<Breach> breach;
  const Size& size = sizes_[static_cast<std::size_t>(command.choice)];
  const double log_e =
      -stats::log_chance_identical(context_.p0(), size.decisions) - log_tries_ -
      std::log(2.0);
  for (const auto& [earlier, mask] : masks) {
    if (earlier.back() != command.choice ||
        !agree(result.view(), mask.view())) {
      continue;
    }
    if (command.instance != kOtherProbability &&
        log_e >= context_.log_threshold("state")) {
      breach = Breach{"returns an earlier mask again", log_e};
    }
  }
  masks[sizes] = result;
  return breach;
}

std::optional<Breach> StateTrial::nothing_dropped(
    const Command& command, const impl::Tensor& result) const {
  if (context_.law().factor != impl::Factor::kMask ||
      command.instance == kOtherProbability || drops(result)) {
    return std::nullopt;
  }
  const Size& size = sizes_[static_cast<std::size_t>(command.choice)];
  const double log_e =
      -std::log1p(-context_.p0()) * static_cast<double>(size.decisions) -
      log_tries_ - std::log(2.0);
  if (log_e < context_.log_threshold("state")) return std::nullopt;
  return Breach{"drops nothing", log_e};
}

std::optional<Breach> StateTrial::after_evaluation(
    const Command& command, const impl::TensorView& result) {
  const Size& size = sizes_[static_cast<std::size_t>(command.choice)];
  require_result(result, size.output, context_.config().dtype);
  const bool other = command.instance == kOtherProbability;
  if (agree(result, expected_evaluation(other, command.choice).view())) {
    return std::nullopt;
  }
  return Breach{context_.law().base == impl::Base::kInput
                    ? "is not the identity"
                    : "is not the function that it is at first",
                {}};
}

std::optional<Breach> StateTrial::after_gradient(
    const Command& command, const impl::TensorView& result) {
  const auto& forward = model_.forward(command.instance);
  // Nothing is known of an unseeded mask, and an evaluation around the mask
  // has a gradient of its own.
  if (forward && !abilities_.reseed) return std::nullopt;
  if (!forward && context_.law().base != impl::Base::kInput) {
    return std::nullopt;
  }
  const Size& size =
      sizes_[static_cast<std::size_t>(model_.size(command.instance))];
  const impl::Tensor due = forward ? expected(*forward, true) : size.gradient;
  if (agree(result, due.view())) return std::nullopt;
  return Breach{forward ? "is not that of the same training calls alone, after "
                          "the same seed"
                        : "is not the incoming one, after an evaluation",
                {}};
}

std::optional<Breach> StateTrial::changed_result(const Command& command) const {
  for (std::size_t i = 0; i < instances_.size(); ++i) {
    const Instance& other = instances_[i];
    if (static_cast<int>(i) == command.instance || !other.held) continue;
    if (!agree(other.result, other.held->view())) {
      return Breach{"changes a result that another instance returned before",
                    {}};
    }
  }
  return std::nullopt;
}

}  // namespace dropcheck::properties
