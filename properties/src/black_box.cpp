#include "black_box.hpp"

#include <algorithm>
#include <exception>
#include <new>

#include "dropcheck/impl/random_stream.hpp"
#include "oracle_input.hpp"
#include "value_comparison.hpp"

namespace dropcheck::properties {
namespace {

/// Values asked for in one request.
constexpr std::int64_t kElementsPerRequest = std::int64_t{1} << 18;

}  // namespace

std::uint64_t BlackBox::next_seed() {
  return impl::keyed_word(seed_, 1, ++streams_);
}

impl::Tensor BlackBox::input(const impl::Shape& shape) {
  // Scores that no softmax swallows, none of them near SELU's saturation
  // value: fit for every law there is.
  impl::Law any;
  any.base = impl::Base::kEvaluation;
  any.scaling = impl::Scaling::kSelu;
  return make_input(any, config_, shape,
                    impl::keyed_word(seed_, 2, ++streams_));
}

BoxedLayer::BoxedLayer(BlackBox& box, const impl::Tensor& input)
    : box_(box), input_(input), layer_(box.make()), caller_(*layer_, input) {
  reseed(box.next_seed());
}

void BoxedLayer::reseed(std::uint64_t seed) {
  if (box_.reseeds()) layer_->reseed(seed);
}

const impl::Shape& BoxedLayer::shape(bool training) {
  if (!shape_) {
    impl::Tensor scratch = input_;
    const impl::TensorView result =
        layer_->forward({scratch.view(), training, 1});
    const bool same_memory = result.data == scratch.view().data;
    if (training) {
      box_.note_memory(first_difference(scratch.view(), input_.view()) >= 0,
                       same_memory);
    }
    shape_ = result.shape;
    box_.count_calls(1);
  }
  return *shape_;
}

impl::TensorView BoxedLayer::stacked(std::int64_t repeat, bool training) {
  const impl::Shape due = shape(training);
  box_.count_calls(repeat);
  return caller_.stacked(due, repeat, training);
}

void BoxedLayer::append(Responses& responses, std::int64_t calls, bool training,
                        bool seeds) {
  responses.shape = shape(training);
  responses.input = input_;
  const std::int64_t size = std::max<std::int64_t>(1, responses.size());
  // A layer that spoils its input unasked gets a fresh one for each call.
  const bool single = seeds || (box_.changes_input() && !box_.works_in_place());
  const std::int64_t batch =
      single ? 1 : std::max<std::int64_t>(1, kElementsPerRequest / size);
  for (std::int64_t done = 0; done < calls; done += batch) {
    if (seeds) reseed(box_.next_seed());
    const std::int64_t repeat = std::min(batch, calls - done);
    const impl::TensorView result = stacked(repeat, training);
    const auto* bytes = static_cast<const std::byte*>(result.data);
    const std::size_t step = impl::size_of(result.dtype);
    const auto count = static_cast<std::size_t>(result.size());
    for (std::size_t i = 0; i < count; ++i) {
      responses.values.push_back(impl::load(bytes + i * step, result.dtype));
    }
    responses.calls += repeat;
  }
}

std::optional<std::string> refusal_of(const std::function<void()>& step) {
  try {
    step();
  } catch (const impl::SubjectCrashed&) {
    throw;
  } catch (const impl::SubjectTimeout&) {
    throw;
  } catch (const impl::AdapterError&) {
    throw;
  } catch (const std::bad_alloc&) {
    throw;
  } catch (const std::exception& error) {
    return error.what();
  } catch (...) {
    return "it throws what is no std::exception";
  }
  return std::nullopt;
}

std::optional<Responses> evaluate_once(BlackBox& box,
                                       const impl::Tensor& input) {
  Responses responses;
  const auto refusal = refusal_of([&] {
    BoxedLayer layer(box, input);
    layer.append(responses, 1, false);
  });
  if (refusal) return std::nullopt;
  return responses;
}

}  // namespace dropcheck::properties
