// layout: strides, gaps, offsets and vector tails of the input.
#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "check_definition.hpp"
#include "dropcheck/impl/layout.hpp"
#include "form_trial.hpp"
#include "own_draws.hpp"
#include "shapes.hpp"
#include "value_comparison.hpp"

namespace dropcheck::properties {
namespace {

using impl::LaidOut;
using impl::Layout;
using impl::Shape;
using Fault = std::optional<std::string>;

std::string indefinite(Layout layout) {
  const std::string_view name = impl::name_of(layout);
  const bool vowel =
      std::string_view("aeiou").find(name[0]) != std::string_view::npos;
  return fmt::format("{} {} input", vowel ? "an" : "a", name);
}

/// Around a breach: which places the layer took its values from.
class Cause {
 public:
  Cause(const LawReading& reading, const LaidOut& given,
        const impl::Tensor& logical, const impl::TensorView& result)
      : reading_(reading), given_(given), values_(values_of(result)) {
    shape_ = logical.shape();
    same_shape_ = result.shape == shape_ && reading.reads_places();
  }

  /// Empty where it has no name.
  std::string text() const {
    if (!same_shape_) return {};
    if (follows_memory()) {
      return fmt::format(
          "ignores the strides of {}: it takes the values in the order in "
          "which they lie in memory",
          indefinite(given_.layout()));
    }
    if (const auto order = order_of_axes()) {
      return fmt::format(
          "gives the values of {} in the order of the axes ({}) instead of "
          "({})",
          indefinite(given_.layout()), fmt::join(*order, ", "),
          fmt::join(in_order(), ", "));
    }
    return {};
  }

 private:
  std::vector<int> in_order() const {
    std::vector<int> axes(shape_.size());
    std::iota(axes.begin(), axes.end(), 0);
    return axes;
  }

  /// Whether every value is the dropped one or belongs to the element that
  /// `element` names for its index; enough of them are kept to say so.
  template <class Element>
  bool explained_by(const Element& element) const {
    int kept = 0;
    for (std::size_t i = 0; i < values_.size(); ++i) {
      const std::int64_t from = element(static_cast<std::int64_t>(i));
      if (from >= 0 && reading_.is_kept(from, values_[i])) {
        ++kept;
      } else if (!reading_.is_dropped(values_[i])) {
        // A gap holds no element: nothing is known of what it becomes.
        if (from >= 0) return false;
      }
    }
    return kept >= 4;
  }

  bool follows_memory() const {
    const std::vector<std::int64_t>& owners = given_.owners();
    return explained_by([&](std::int64_t i) {
      const auto place = static_cast<std::size_t>(i) % owners.size();
      return owners[place];
    });
  }

  std::optional<std::vector<int>> order_of_axes() const {
    std::vector<int> order = in_order();
    if (order.size() > 5) return std::nullopt;
    while (std::next_permutation(order.begin(), order.end())) {
      const std::vector<std::int64_t> elements = elements_in(order);
      if (explained_by([&](std::int64_t i) {
            return elements[static_cast<std::size_t>(i)];
          })) {
        return order;
      }
    }
    return std::nullopt;
  }

  /// Row-major indices of the elements, taken with the axes in another order.
  std::vector<std::int64_t> elements_in(const std::vector<int>& order) const {
    const Shape strides = impl::compact_strides(shape_);
    std::vector<std::int64_t> elements{0};
    for (const int axis : order) {
      const auto at = static_cast<std::size_t>(axis);
      std::vector<std::int64_t> longer;
      longer.reserve(elements.size() * static_cast<std::size_t>(shape_[at]));
      for (const std::int64_t first : elements) {
        for (std::int64_t i = 0; i < shape_[at]; ++i) {
          longer.push_back(first + i * strides[at]);
        }
      }
      elements = std::move(longer);
    }
    return elements;
  }

  const LawReading& reading_;
  const LaidOut& given_;
  std::vector<double> values_;
  Shape shape_;
  bool same_shape_ = false;
};

/// Of one layout, for a value that is kept.
constexpr std::int64_t kMostCalls = 4096;

/// Values are at their places, in memory that is otherwise left alone.
class LayoutTrial {
 public:
  LayoutTrial(const Context& context, Finding& finding)
      : context_(context), trial_(context, finding) {}

  /// Training and evaluation on one layout of one shape.
  Fault wrong_in(const Shape& shape, Layout layout, bool thorough) {
    place_ = fmt::format(" ({}, strides {})", impl::to_string(shape),
                         fmt::join(impl::strides_of(layout, shape), ", "));
    const impl::Tensor values = trial_.input(shape);
    const impl::Tensor logical = LaidOut(values, layout).values();
    LawReading reading(context_.law(), context_.config(),
                       trial_.base_of(logical));
    try {
      if (thorough) {
        auto wrong = wrong_at_evaluation(values, logical, layout);
        if (wrong) return wrong;
      }
      return wrong_in_training(values, logical, layout, thorough, reading);
    } catch (const impl::MemoryViolation& error) {
      return fmt::format("{} where it has {}{}", error.what(),
                         indefinite(layout), place_);
    } catch (const impl::LayerError& error) {
      return fmt::format("refuses {}{}: {}", indefinite(layout), place_,
                         error.what());
    }
  }

  /// Layouts in which no kept value came by.
  std::int64_t unread() const { return unread_; }

 private:
  bool in_place(Layout layout) const {
    return context_.config().in_place && !never_in_place_ &&
           layout != Layout::kExpanded;
  }

  Fault wrong_at_evaluation(const impl::Tensor& values,
                            const impl::Tensor& logical, Layout layout) {
    const LaidOut given(values, layout);
    const impl::TensorView result = trial_.call(given.view(), false);
    if (auto wrong = wrong_form(context_, logical.shape(), result)) {
      return *wrong + place_;
    }
    if (auto wrong = wrong_memory(given, logical, true)) return wrong;
    // Other results than the input itself may be summed up in another order.
    if (context_.law().base != impl::Base::kInput) return std::nullopt;
    const std::int64_t at = first_difference(result, logical.view());
    if (at < 0) return std::nullopt;
    return fmt::format(
        "is not the identity at evaluation on {}: {} is {:.7g} where {:.7g} is "
        "due{}",
        indefinite(layout), place_of(at, logical.shape()), result.value(at),
        logical.view().value(at), place_);
  }

  Fault wrong_in_training(const impl::Tensor& values,
                          const impl::Tensor& logical, Layout layout,
                          bool thorough, LawReading& reading) {
    const std::int64_t units = units_of(context_, logical.shape());
    const std::int64_t needed = trial_.surely_keeping_calls(units, kMostCalls);
    const std::int64_t calls = thorough ? std::max<std::int64_t>(8, needed) : 1;
    std::int64_t repeat = 1;
    for (std::int64_t done = 0; done < calls; done += repeat) {
      if (done > 0 && reading.kept_each() && reading.dropped() > 0) break;
      // In place, stacked calls would work on copies.
      const bool single = done == 0 || context_.config().in_place;
      repeat = single ? 1 : std::min<std::int64_t>(8, calls - done);
      if (auto wrong = wrong_call({values, logical, layout, repeat}, reading)) {
        return wrong;
      }
    }
    if (thorough && reading.kept() == 0) ++unread_;
    return std::nullopt;
  }

  struct OneCall {
    const impl::Tensor& values;
    const impl::Tensor& logical;
    Layout layout;
    std::int64_t repeat;
  };

  Fault wrong_call(const OneCall& call, LawReading& reading) {
    const LaidOut given(call.values, call.layout);
    const impl::TensorView result =
        trial_.call(given.view(), true, call.repeat);
    const bool stacked = call.repeat > 1;
    for (std::int64_t k = 0; k < call.repeat; ++k) {
      const impl::TensorView one = stacked ? slice(result, k) : result;
      if (auto wrong = wrong_form(context_, call.logical.shape(), one)) {
        return *wrong + place_;
      }
      if (const auto breach = reading.judge(one)) {
        return in_words(*breach, Cause(reading, given, call.logical, one),
                        one.shape);
      }
    }
    bool replaces = !stacked && in_place(call.layout);
    if (replaces && first_difference(given.view(), result) >= 0) {
      if (call.layout != Layout::kContiguous) {
        return fmt::format("leaves {} as it was though in place{}",
                           indefinite(call.layout), place_);
      }
      // Never in place: that is for the check of that name to say.
      never_in_place_ = true;
      replaces = false;
    }
    return wrong_memory(given, call.logical, !replaces);
  }

  std::string in_words(const Breach& breach, const Cause& cause,
                       const Shape& shape) const {
    const std::string detail =
        fmt::format("{} {}", place_of(breach.element, shape), breach.what);
    const std::string named = cause.text();
    if (named.empty()) {
      return fmt::format("mistakes its input{}: {}", place_, detail);
    }
    return fmt::format("{}{}: {}", named, place_, detail);
  }

  /// Nothing is written beside the elements; nor to them, if `keeps`.
  Fault wrong_memory(const LaidOut& given, const impl::Tensor& logical,
                     bool keeps) const {
    if (const auto damage = given.damage("its input")) {
      return fmt::format("writes {} where it has {}{}", *damage,
                         indefinite(given.layout()), place_);
    }
    if (!keeps) return std::nullopt;
    const std::int64_t at = first_difference(given.view(), logical.view());
    if (at < 0) return std::nullopt;
    return fmt::format("changes {} though not in place: {} was {:.7g}{}",
                       indefinite(given.layout()),
                       place_of(at, logical.shape()), logical.view().value(at),
                       place_);
  }

  static impl::TensorView slice(const impl::TensorView& stacked,
                                std::int64_t index) {
    impl::TensorView one = stacked;
    const auto width = static_cast<std::int64_t>(impl::size_of(one.dtype));
    one.data =
        static_cast<std::byte*>(one.data) + index * one.strides.front() * width;
    one.shape.erase(one.shape.begin());
    one.strides.erase(one.strides.begin());
    return one;
  }

  const Context& context_;
  FormTrial trial_;
  std::string place_;
  bool never_in_place_ = false;
  std::int64_t unread_ = 0;
};

bool takes(const Context& context, Layout layout) {
  const bool writes = context.config().in_place;
  if (writes && layout == Layout::kExpanded) return false;
  return impl::needed_strides(layout) <= context.describe().strides;
}

/// Around the widths of vectors and of two and four of them, with every
/// remainder of 8.
constexpr std::int64_t kTails[] = {1,  2,  3,  4,  5,  6,  7,  8,  9,
                                   15, 17, 31, 33, 61, 62, 63, 66, 68};

/// Small but for the last axis, which is `extent` long; empty where the law has
/// no such shape.
std::optional<Shape> tail_shape(const Context& context, std::int64_t extent) {
  Shape shape = small_shapes(context.law(), context.config()).front();
  if (shape.empty()) return std::nullopt;
  for (std::int64_t& n : shape) {
    n = std::min<std::int64_t>(n, context.law().unit == impl::Unit::kBlock
                                      ? context.config().block.size
                                      : 1);
  }
  shape.back() = extent;
  return shape;
}

std::string not_tried(const Context& context) {
  std::string names;
  for (const Layout layout : impl::kLayouts) {
    if (impl::needed_strides(layout) <= context.describe().strides) continue;
    names +=
        fmt::format("{}{}", names.empty() ? "" : ", ", impl::name_of(layout));
  }
  if (names.empty()) return {};
  return fmt::format("; not supported: {} (the subject takes {} strides)",
                     names, impl::name_of(context.describe().strides));
}

Fault wrong_tail(const Context& context, LayoutTrial& trial) {
  for (const std::int64_t extent : kTails) {
    const auto shape = tail_shape(context, extent);
    if (!shape) continue;
    for (const Layout layout : {Layout::kContiguous, Layout::kOffset}) {
      if (auto wrong = trial.wrong_in(*shape, layout, false)) return wrong;
    }
  }
  return std::nullopt;
}

/// Every layout of every shape, then the tails.
Fault wrong_layout(const Context& context, LayoutTrial& trial,
                   std::int64_t& tried) {
  const Shape shape = form_shape(context.plan);
  for (const Layout layout : impl::legal_layouts(shape)) {
    if (!takes(context, layout)) continue;
    if (auto wrong = trial.wrong_in(shape, layout, true)) return wrong;
    ++tried;
  }
  // Tails are no matter of the shape that was drawn.
  if (context.plan.generated) return std::nullopt;
  return wrong_tail(context, trial);
}

}  // namespace

static Finding check_layout(const Context& context) {
  Finding finding = start_finding(context, "layout");
  LayoutTrial trial(context, finding);
  std::int64_t tried = 0;
  if (const auto wrong = wrong_layout(context, trial, tried)) {
    refute(finding, *wrong);
    return finding;
  }
  if (trial.unread() > 0) {
    leave_open(finding, fmt::format("no value was kept in {} of {} layouts: "
                                    "too high a drop probability to read them",
                                    trial.unread(), tried));
    return finding;
  }
  certify(finding,
          "the same law for every memory layout, and no byte beside the "
          "elements is written",
          fmt::format("on {} values in {} calls, {} layouts{}{}", finding.n,
                      finding.calls, tried,
                      context.plan.generated
                          ? " of this shape"
                          : " and tails of every length modulo 8",
                      not_tried(context)));
  return finding;
}

namespace {

/// Eight calls a layout, or as many as surely keep a value.
void plan_layout(const PlannedConfiguration& planned, const Settings&, double,
                 PlannedCheck& check) {
  if (!planned.generated) return;
  const Shape shape = form_shape(planned);
  const double calls = calls_that_keep(planned, shape);
  if (calls > static_cast<double>(kMostCalls)) {
    check.undecidable = "too high a drop probability to read every layout";
  }
  check.elements = std::max(8.0, calls) *
                   static_cast<double>(impl::legal_layouts(shape).size()) *
                   output_elements(planned, shape);
}

}  // namespace

constinit const CheckDefinition layout_check{
    .info = {"layout", Evidence::kDeterministic,
             "strides, gaps, offsets and odd sizes change nothing",
             "Transposed, sliced, stepped, channels-last, reversed, expanded "
             "and offset inputs between guards, and lengths of every remainder "
             "of 8: every value is the kept or dropped one of its own element, "
             "units stay whole, gaps and inputs stay as they were. That the "
             "same seed gives the same mask in another layout is promised by "
             "no library, and not asked for.",
             kNoChance, "faulty:ignores_strides"},
    .from_calls = check_layout,
    .reads_masks = false,
    .takes_chance = false,
    .before_reading = true,
    .left_out = not_first_probability,
    .plan = plan_layout};

}  // namespace dropcheck::properties
