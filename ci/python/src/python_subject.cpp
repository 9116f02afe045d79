#include "python_subject.hpp"

#include <fmt/format.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <cstring>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "dropcheck/impl/input_holder.hpp"
#include "dropcheck/impl/simple_layer.hpp"

namespace dropcheck::python {
namespace {

namespace nb = nanobind;
using impl::DType;
using impl::Shape;
using impl::TensorView;
using Array = nb::ndarray<nb::ro>;

/// "ValueError: p must be in [0, 1]", as one line.
std::string words_of(const nb::python_error& error) {
  std::string words =
      nb::cast<std::string>(nb::str(error.type().attr("__name__")));
  std::string message = nb::cast<std::string>(nb::str(error.value()));
  for (char& c : message) c = c == '\n' || c == '\r' ? ' ' : c;
  if (!message.empty()) words += ": " + message;
  return words;
}

[[noreturn]] void rethrow(const nb::python_error& error) {
  const nb::object type =
      nb::module_::import_("dropcheck._errors").attr("NotSupported");
  if (error.matches(type)) {
    throw impl::NotSupported(nb::cast<std::string>(nb::str(error.value())));
  }
  throw impl::LayerError(words_of(error));
}

/// Runs `f` with the interpreter's lock; what Python raises is a refusal.
template <class F>
auto with_python(const F& f) {
  const nb::gil_scoped_acquire lock;
  try {
    return f();
  } catch (const nb::python_error& error) {
    rethrow(error);
  }
}

nb::dict to_dict(const impl::LayerConfig& config) {
  nb::dict block;
  block["size"] = config.block.size;
  block["whole_map"] = config.block.whole_map;
  block["shared_by_channels"] = config.block.shared_by_channels;
  block["plain_gamma"] = config.block.plain_gamma;
  block["fixed_scale"] = config.block.fixed_scale;
  nb::dict dict;
  dict["layer"] = config.layer;
  dict["p"] = config.drop_probability;
  dict["dtype"] = std::string(impl::name_of(config.dtype));
  dict["in_place"] = config.in_place;
  dict["channels_last"] = config.channels_last;
  dict["scale_by_keep"] = config.scale_by_keep;
  dict["shared_axes"] = config.shared_axes;
  dict["samples"] = config.samples;
  dict["block"] = block;
  return dict;
}

nb::dlpack::dtype dlpack_type(DType dtype) {
  const auto code = dtype == DType::kBFloat16 ? nb::dlpack::dtype_code::Bfloat
                                              : nb::dlpack::dtype_code::Float;
  return {static_cast<std::uint8_t>(code),
          static_cast<std::uint8_t>(8 * impl::size_of(dtype)), 1};
}

DType dtype_of(const Array& array) {
  for (const DType dtype :
       {DType::kFloat64, DType::kFloat32, DType::kFloat16, DType::kBFloat16}) {
    if (array.dtype() == dlpack_type(dtype)) return dtype;
  }
  throw impl::LayerError(fmt::format(
      "returned numbers of DLPack type {} with {} bits, but must return f64, "
      "f32, f16 or bf16",
      array.dtype().code, array.dtype().bits));
}

std::string type_name(const nb::object& object) {
  return nb::cast<std::string>(nb::str(object.type().attr("__name__")));
}

/// What Python returned, and keeps alive.
struct Returned {
  Array array;
  TensorView view;
};

Returned read(const nb::object& object) {
  Returned result;
  if (!nb::try_cast<Array>(object, result.array, false)) {
    throw impl::LayerError(
        fmt::format("returned a {}, but must return an array on the CPU that "
                    "DLPack or the buffer protocol can read",
                    type_name(object)));
  }
  if (result.array.device_type() != nb::device::cpu::value) {
    throw impl::LayerError(fmt::format(
        "returned a {} on DLPack device type {}, but must return it on the CPU",
        type_name(object), result.array.device_type()));
  }
  TensorView& view = result.view;
  view.dtype = dtype_of(result.array);
  view.data = const_cast<void*>(result.array.data());
  for (std::size_t axis = 0; axis < result.array.ndim(); ++axis) {
    view.shape.push_back(static_cast<std::int64_t>(result.array.shape(axis)));
    view.strides.push_back(result.array.stride(axis));
  }
  return result;
}

/// Where the elements of a view lie, counted from its first one.
struct Extent {
  std::int64_t first = 0;
  std::int64_t last = 0;
};

Extent extent_of(const TensorView& view) {
  Extent extent;
  for (std::size_t axis = 0; axis < view.shape.size(); ++axis) {
    if (view.shape[axis] == 0) return {};
    const std::int64_t step = (view.shape[axis] - 1) * view.strides[axis];
    (step < 0 ? extent.first : extent.last) += step;
  }
  return extent;
}

/// An array on the memory of a view; `owner` keeps it alive.
nb::object array_of(const TensorView& view, const nb::capsule& owner) {
  const std::vector<std::size_t> shape(view.shape.begin(), view.shape.end());
  return nb::cast(nb::ndarray<nb::array_api>(
      view.data, shape.size(), shape.data(), owner, view.strides.data(),
      dlpack_type(view.dtype), nb::device::cpu::value));
}

/// An array on memory that Python may hold a share of.
nb::object array_of(const TensorView& view,
                    std::shared_ptr<const void> memory) {
  using Share = std::shared_ptr<const void>;
  return array_of(
      view, nb::capsule(new Share(std::move(memory)), [](void* share) noexcept {
        delete static_cast<Share*>(share);
      }));
}

/// A tensor that Python may keep for as long as it likes: `memory`, a share of
/// what it lies in, or a copy.
class Lent {
 public:
  Lent(const TensorView& original, std::shared_ptr<const void> memory)
      : object_(array_of(original, std::move(memory))) {}

  explicit Lent(const TensorView& original) : original_(original) {
    const Extent extent = extent_of(original);
    const std::size_t width = impl::size_of(original.dtype);
    const auto count = static_cast<std::size_t>(extent.last - extent.first + 1);
    bytes_ = count * width;
    auto memory = std::make_unique_for_overwrite<std::byte[]>(bytes_);
    // Gaps between the elements hold no secrets, but must not differ by run.
    if (!original.compact()) std::memset(memory.get(), 0, bytes_);
    first_byte_ = memory.get();
    view_ = original;
    view_.data = memory.get() - extent.first * static_cast<std::int64_t>(width);
    impl::copy(original, view_);
    const nb::capsule owner(memory.release(), [](void* held) noexcept {
      delete[] static_cast<std::byte*>(held);
    });
    object_ = array_of(view_, owner);
  }

  const nb::object& object() const { return object_; }

  /// What Python wrote into it is the original's.
  void give_back() const {
    if (first_byte_ != nullptr) impl::copy(view_, original_);
  }

  /// A result inside this memory as one inside the original's.
  std::optional<TensorView> aliased(const TensorView& result) const {
    const auto* begin = static_cast<const std::byte*>(result.data);
    if (first_byte_ == nullptr || begin < first_byte_ ||
        begin >= first_byte_ + bytes_) {
      return std::nullopt;
    }
    TensorView view = result;
    view.data = static_cast<std::byte*>(original_.data) +
                (begin - static_cast<const std::byte*>(view_.data));
    return view;
  }

 private:
  TensorView original_;
  TensorView view_;
  const std::byte* first_byte_ = nullptr;
  std::size_t bytes_ = 0;
  nb::object object_;
};

class PythonLayer final : public impl::Layer, public impl::InputHolder {
 public:
  explicit PythonLayer(nb::object layer) : layer_(std::move(layer)) {}

  ~PythonLayer() override {
    if (!Py_IsInitialized()) return;
    const nb::gil_scoped_acquire lock;
    result_.array = {};
    gradient_.array = {};
  }

  TensorView forward(const impl::Call& call) override {
    return with_python([&] {
      if (call.repeat == 1) return once(call);
      TensorView place;
      for (std::int64_t i = 0; i < call.repeat; ++i) stack(call, i, place);
      return stacked_.view();
    });
  }

  TensorView backward(const TensorView& grad_output) override {
    return with_python([&] {
      const Lent lent = lend(grad_output);
      gradient_ = read(layer_.get().attr("backward")(lent.object()));
      return gradient_.view;
    });
  }

  std::span<const std::uint8_t> mask() override {
    return with_python([&]() -> std::span<const std::uint8_t> {
      const auto bytes = nb::cast<nb::bytes>(layer_.get().attr("mask")());
      const auto* begin = static_cast<const std::uint8_t*>(bytes.data());
      mask_.assign(begin, begin + bytes.size());
      return mask_;
    });
  }

  void reseed(std::uint64_t seed) override {
    with_python([&] { layer_.get().attr("reseed")(seed); });
  }

  void hold(std::shared_ptr<const void> memory) override {
    memory_ = std::move(memory);
  }

 private:
  Lent lend(const TensorView& original) {
    return memory_ ? Lent(original, std::move(memory_)) : Lent(original);
  }

  TensorView once(const impl::Call& call) {
    const Lent lent = lend(call.input);
    result_ = read(layer_.get().attr("forward")(lent.object(), call.training));
    lent.give_back();
    return lent.aliased(result_.view).value_or(result_.view);
  }

  // In place, every call starts from a fresh copy of the input.
  void stack(const impl::Call& call, std::int64_t index, TensorView& place) {
    const Lent lent(call.input);
    const Returned result =
        read(layer_.get().attr("forward")(lent.object(), call.training));
    if (index == 0) {
      Shape shape = result.view.shape;
      shape.insert(shape.begin(), call.repeat);
      stacked_ = impl::Tensor(result.view.dtype, shape);
      place = stacked_.view();
      place.shape.erase(place.shape.begin());
      place.strides.erase(place.strides.begin());
    } else {
      impl::detail::require_same_kind(place, result.view);
      place.data = static_cast<std::byte*>(place.data) +
                   impl::element_count(place.shape) *
                       static_cast<std::int64_t>(impl::size_of(place.dtype));
    }
    impl::copy(result.view, place);
  }

  Held layer_;
  std::shared_ptr<const void> memory_;
  Returned result_;
  Returned gradient_;
  impl::Tensor stacked_;
  std::vector<std::uint8_t> mask_;
};

class PythonSubject final : public impl::Subject {
 public:
  PythonSubject(impl::Description description, std::shared_ptr<Held> make)
      : description_(std::move(description)), make_(std::move(make)) {}

  const impl::Description& describe() const override { return description_; }

  std::unique_ptr<impl::Layer> make(const impl::LayerConfig& config) override {
    return with_python([&]() -> std::unique_ptr<impl::Layer> {
      return std::make_unique<PythonLayer>(
          nb::object(make_->get()(to_dict(config))));
    });
  }

 private:
  impl::Description description_;
  std::shared_ptr<Held> make_;
};

}  // namespace

Held::~Held() {
  if (!Py_IsInitialized()) {
    object_.release();
    return;
  }
  const nanobind::gil_scoped_acquire lock;
  object_.reset();
}

impl::SubjectEntry python_subject(impl::SubjectEntry entry,
                                  impl::Description description,
                                  nanobind::object make) {
  const auto held = std::make_shared<Held>(std::move(make));
  entry.open = [description = std::move(description),
                held]() -> std::unique_ptr<impl::Subject> {
    return std::make_unique<PythonSubject>(description, held);
  };
  entry.guard = true;
  return entry;
}

}  // namespace dropcheck::python
