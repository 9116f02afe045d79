#include "dropcheck/impl/adapters/plugin_subjects.hpp"

#include <fmt/format.h>

#include <array>
#include <cstring>
#include <memory>
#include <span>
#include <stdexcept>

#include "dropcheck/impl/adapters/protocol.hpp"
#include "dropcheck/impl/guard_bands.hpp"
#include "dropcheck/impl/guarded_bytes.hpp"
#include "dropcheck/impl/simple_layer.hpp"
#include "plugin_library.hpp"
#include "worker_path.hpp"

namespace dropcheck::impl::adapters {
namespace {

/// What a plug-in may write its reason to, and a band behind it.
class MessageBuffer {
 public:
  MessageBuffer() { bytes_.fill('\0'); }

  dropcheck_message lend() { return {bytes_.data(), kRoom}; }

  /// Throws MemoryViolation where more was written than fits.
  std::string text() const {
    for (std::size_t i = kRoom; i < bytes_.size(); ++i) {
      if (bytes_[i] == '\0') continue;
      throw MemoryViolation(fmt::format(
          "writes past the end of its message, which has {} bytes", kRoom));
    }
    return {bytes_.data(), ::strnlen(bytes_.data(), kRoom)};
  }

 private:
  static constexpr std::size_t kRoom = 1024;
  static constexpr std::size_t kBand = 256;
  std::array<char, kRoom + kBand> bytes_;
};

/// Turns a status into what it means.
void check(std::int32_t status, const MessageBuffer& message,
           const char* function) {
  const std::string text = message.text();
  const std::string reason = text.empty() ? "no reason given" : text;
  switch (status) {
    case DROPCHECK_OK:
      return;
    case DROPCHECK_REFUSED:
      throw LayerError(reason);
    case DROPCHECK_NOT_SUPPORTED:
      throw NotSupported(reason);
    case DROPCHECK_FAILED:
      throw AdapterError(fmt::format("{} failed: {}", function, reason));
    default:
      throw AdapterError(fmt::format(
          "{} returned status {}, but must return 0 to 3", function, status));
  }
}

/// A tensor as the plug-in sees it; the view must outlive it.
class Lent {
 public:
  explicit Lent(const TensorView& view)
      : view_(view), tensor_(to_dlpack(view_)) {}
  Lent(const Lent&) = delete;
  Lent& operator=(const Lent&) = delete;
  DLTensor* get() { return &tensor_; }

 private:
  TensorView view_;
  DLTensor tensor_;
};

/// Where results are written, between guard bands: in memory that is offered,
/// else in our own.
class Results {
 public:
  explicit Results(const OfferedMemory* offered) : offered_(offered) {}

  /// Room for `repeat` results, stacked unless it is 1.
  TensorView place(Shape shape, DType dtype, std::int64_t repeat) {
    if (repeat != 1) shape.insert(shape.begin(), repeat);
    count_ = static_cast<std::size_t>(element_count(shape)) * size_of(dtype);
    constexpr std::size_t kBeside = 2 * kGuardBand + GuardedBytes::kAlignment;
    const std::size_t room = count_ + kBeside;
    std::span<std::byte> memory;
    if (offered_ != nullptr) memory = offered_->window;
    if (memory.size() < room) {
      if (own_.size() < room) own_.resize(room);
      memory = own_;
    }
    void* begin = memory.data() + kGuardBand;
    std::size_t left = memory.size() - kGuardBand;
    begin_ = static_cast<std::byte*>(
        std::align(GuardedBytes::kAlignment, count_, begin, left));
    paint_band(begin_ - kGuardBand);
    paint_band(begin_ + count_);
    return {begin_, dtype, shape, compact_strides(shape)};
  }

  /// Throws MemoryViolation if something was written beside that room.
  void require_whole(std::string_view what) const {
    const auto damage = band_damage(begin_, count_, what);
    if (damage) throw MemoryViolation("writes " + *damage);
  }

 private:
  const OfferedMemory* offered_;
  std::vector<std::byte> own_;
  std::byte* begin_ = nullptr;
  std::size_t count_ = 0;
};

/// A layer of a plug-in.
class PluginLayer final : public Layer {
 public:
  PluginLayer(const dropcheck_plugin& functions, const LayerConfig& config,
              const OfferedMemory* offered)
      : functions_(functions),
        config_(config),
        law_(*find_law(config.layer)),
        results_(offered),
        gradients_(nullptr) {
    void* layer = nullptr;
    run("create", [&](dropcheck_message* message) {
      return functions_.create(to_json(config_).c_str(), &layer, message);
    });
    layer_ = Handle(layer, functions_.destroy);
  }

  TensorView forward(const Call& call) override {
    input_shape_ = call.input.shape;
    masked_ = call.repeat == 1 && hands_out_masks(functions_);
    if (config_.in_place && call.repeat == 1) {
      call_forward(call.input, call.training, call.input);
      return call.input;
    }
    const Shape shape = output_shape(call.input);
    const TensorView results =
        results_.place(shape, call.input.dtype, call.repeat);
    for (std::int64_t i = 0; i < call.repeat; ++i) {
      const TensorView output =
          call.repeat == 1 ? results : detail::slice(results, shape, i);
      // In place, every call starts from a fresh copy of the input.
      if (config_.in_place) copy(call.input, output);
      call_forward(config_.in_place ? output : call.input, call.training,
                   output);
    }
    results_.require_whole("its output");
    return results;
  }

  TensorView backward(const TensorView& grad_output) override {
    require(functions_.backward != nullptr, "backward");
    const TensorView result =
        gradients_.place(input_shape_, grad_output.dtype, 1);
    Lent from(grad_output);
    Lent to(result);
    run("backward", [&](dropcheck_message* message) {
      return functions_.backward(layer_.get(), from.get(), to.get(), message);
    });
    gradients_.require_whole("its gradient");
    return result;
  }

  std::span<const std::uint8_t> mask() override {
    if (!masked_) return Layer::mask();
    return mask_;
  }

  void reseed(std::uint64_t seed) override {
    require(functions_.reseed != nullptr, "reseed");
    run("reseed", [&](dropcheck_message* message) {
      return functions_.reseed(layer_.get(), seed, message);
    });
  }

 private:
  using Handle = std::unique_ptr<void, void (*)(void*)>;

  static void require(bool there, const char* function) {
    if (there) return;
    throw NotSupported(fmt::format("the plug-in has no function {}", function));
  }

  /// Calls a function of the plug-in, whose status becomes an error.
  template <class Function>
  static void run(const char* name, const Function& function) {
    MessageBuffer message;
    dropcheck_message lent = message.lend();
    std::int32_t status = DROPCHECK_OK;
    try {
      status = function(&lent);
    } catch (...) {
      detail::rethrow_as_layer_error();
    }
    check(status, message, name);
  }

  void call_forward(const TensorView& input, bool training,
                    const TensorView& output) {
    Lent from(input);
    Lent to(output);
    if (masked_) return forward_with_mask(from, training, to, output);
    run("forward", [&](dropcheck_message* message) {
      return functions_.forward(layer_.get(), from.get(), training ? 1 : 0,
                                to.get(), message);
    });
  }

  void forward_with_mask(Lent& input, bool training, Lent& output,
                         const TensorView& result) {
    // A value that is neither 0 nor 1 shows what was never written.
    constexpr std::uint8_t kUnwritten = 0xAA;
    const auto count = static_cast<std::size_t>(result.size());
    mask_room_.assign(count + 2 * kGuardBand, kUnwritten);
    auto* const begin =
        reinterpret_cast<std::byte*>(mask_room_.data()) + kGuardBand;
    paint_band(begin - kGuardBand);
    paint_band(begin + count);
    DLTensor mask = *output.get();
    mask.data = begin;
    mask.dtype = {kDLUInt, 8, 1};
    Shape strides = compact_strides(result.shape);
    mask.strides = strides.data();
    run("forward_with_mask", [&](dropcheck_message* message) {
      return functions_.forward_with_mask(layer_.get(), input.get(),
                                          training ? 1 : 0, output.get(), &mask,
                                          message);
    });
    if (const auto damage = band_damage(begin, count, "its mask")) {
      throw MemoryViolation("writes " + *damage);
    }
    const auto* const entries = reinterpret_cast<std::uint8_t*>(begin);
    mask_.assign(entries, entries + count);
  }

  // Where the law has no meaning for the input the layer shall refuse it.
  Shape output_shape(const TensorView& input) const {
    try {
      return impl::output_shape(law_, config_, input.shape);
    } catch (const std::invalid_argument&) {
      return input.shape;
    }
  }

  const dropcheck_plugin& functions_;
  LayerConfig config_;
  const Law& law_;
  Results results_;
  Results gradients_;
  Shape input_shape_;
  bool masked_ = false;  // the latest call handed out its mask
  std::vector<std::uint8_t> mask_room_;
  std::vector<std::uint8_t> mask_;
  Handle layer_{nullptr, [](void*) {}};
};

SubjectEntry entry_of(const PluginEntry& plugin, const OfferedMemory* offered) {
  SubjectEntry entry;
  entry.name = plugin.description.name;
  entry.layer = plugin.promise.layer;
  entry.summary = plugin.promise.summary;
  entry.spatial_axes = plugin.promise.spatial_axes;
  entry.variants = plugin.promise.variants;
  entry.strides = plugin.description.strides;
  entry.guard = true;
  const auto make = [plugin, offered](const LayerConfig& config) {
    if (config.layer != plugin.promise.layer) {
      throw NotSupported(
          fmt::format("layer {}, only {}", config.layer, plugin.promise.layer));
    }
    return std::make_unique<PluginLayer>(*plugin.functions, config, offered);
  };
  entry.open = [plugin, make]() -> std::unique_ptr<Subject> {
    return std::make_unique<InProcessSubject<decltype(make)>>(
        plugin.description, make);
  };
  return entry;
}

}  // namespace

std::vector<SubjectEntry> plugin_subjects(const std::string& path,
                                          const OfferedMemory* offered) {
  std::vector<SubjectEntry> entries;
  for (const PluginEntry& plugin : load_plugin(path)) {
    entries.push_back(entry_of(plugin, offered));
  }
  return entries;
}

std::string plugin_worker_path() {
#ifdef DROPCHECK_PLUGIN_WORKER_PATH
  constexpr const char* kBuilt = DROPCHECK_PLUGIN_WORKER_PATH;
#else
  constexpr const char* kBuilt = "";
#endif
  return worker_path("dropcheck-plugin-worker", "DROPCHECK_PLUGIN_WORKER",
                     kBuilt);
}

}  // namespace dropcheck::impl::adapters
