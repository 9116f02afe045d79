#include "dropcheck/impl/adapters/plugin_subjects.hpp"

#include <fmt/format.h>

#include <array>
#include <cstring>
#include <stdexcept>

#include "dropcheck/impl/adapters/protocol.hpp"
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

/// A layer of a plug-in, as `SimpleLayer` wants it.
class PluginLayer {
 public:
  PluginLayer(const dropcheck_plugin& functions, const LayerConfig& config)
      : functions_(&functions), config_(config), law_(find_law(config.layer)) {
    MessageBuffer message;
    dropcheck_message lent = message.lend();
    void* layer = nullptr;
    check(functions.create(to_json(config).c_str(), &layer, &lent), message,
          "create");
    layer_ = Handle(layer, functions.destroy);
  }

  void forward(const TensorView& input, bool training,
               const TensorView& output) {
    Lent from(input);
    Lent to(output);
    MessageBuffer message;
    dropcheck_message lent = message.lend();
    check(functions_->forward(layer_.get(), from.get(), training ? 1 : 0,
                              to.get(), &lent),
          message, "forward");
  }

  void backward(const TensorView& grad_output, const TensorView& grad_input) {
    if (functions_->backward == nullptr) {
      throw NotSupported("the plug-in has no function backward");
    }
    Lent from(grad_output);
    Lent to(grad_input);
    MessageBuffer message;
    dropcheck_message lent = message.lend();
    check(functions_->backward(layer_.get(), from.get(), to.get(), &lent),
          message, "backward");
  }

  void reseed(std::uint64_t seed) {
    if (functions_->reseed == nullptr) {
      throw NotSupported("the plug-in has no function reseed");
    }
    MessageBuffer message;
    dropcheck_message lent = message.lend();
    check(functions_->reseed(layer_.get(), seed, &lent), message, "reseed");
  }

  // Where the law has no meaning for the input the layer shall refuse it.
  Shape output_shape(const TensorView& input) const {
    try {
      return impl::output_shape(*law_, config_, input.shape);
    } catch (const std::invalid_argument&) {
      return input.shape;
    }
  }

 private:
  using Handle = std::unique_ptr<void, void (*)(void*)>;

  const dropcheck_plugin* functions_;
  LayerConfig config_;
  const Law* law_;
  Handle layer_{nullptr, [](void*) {}};
};

SubjectEntry entry_of(const PluginEntry& plugin) {
  SubjectEntry entry;
  entry.name = plugin.description.name;
  entry.layer = plugin.promise.layer;
  entry.summary = plugin.promise.summary;
  entry.spatial_axes = plugin.promise.spatial_axes;
  entry.variants = plugin.promise.variants;
  entry.strides = plugin.description.strides;
  entry.guard = true;
  const auto make = [plugin](const LayerConfig& config) {
    if (config.layer != plugin.promise.layer) {
      throw NotSupported(
          fmt::format("layer {}, only {}", config.layer, plugin.promise.layer));
    }
    return std::make_unique<SimpleLayer<PluginLayer>>(
        PluginLayer(*plugin.functions, config), config.in_place);
  };
  entry.open = [plugin, make]() -> std::unique_ptr<Subject> {
    return std::make_unique<InProcessSubject<decltype(make)>>(
        plugin.description, make);
  };
  return entry;
}

}  // namespace

std::vector<SubjectEntry> plugin_subjects(const std::string& path) {
  std::vector<SubjectEntry> entries;
  for (const PluginEntry& plugin : load_plugin(path)) {
    entries.push_back(entry_of(plugin));
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
