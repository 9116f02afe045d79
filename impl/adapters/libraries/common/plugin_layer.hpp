// A class as a layer of a plug-in (dropcheck_plugin.h), for adapters of C++
// libraries:
//
//   struct Mine {
//     explicit Mine(const Config& config);
//     void forward(const DLTensor& x, bool training, DLTensor& y);
//     void backward(const DLTensor& grad_output, DLTensor& grad_input);
//     void reseed(std::uint64_t seed);                        // optional
//   };
//   constexpr dropcheck_plugin kPlugin = plugin<Mine, describe>();
//
// What a layer throws is its refusal; NotSupported is what it does not have.
#pragma once

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <stdexcept>
#include <string>
#include <utility>

#include "../../plugin/dropcheck_plugin.h"

struct NotSupported : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// The flat JSON object that dropcheck sends.
class Config {
 public:
  explicit Config(std::string text) : text_(std::move(text)) {}

  /// The value of a key as it stands there.
  std::string text(const std::string& key) const {
    const std::size_t at = text_.find('"' + key + "\":");
    if (at == std::string::npos) throw NotSupported("no " + key);
    const std::size_t begin = at + key.size() + 3;
    return text_.substr(begin, text_.find_first_of(",}", begin) - begin);
  }

  bool flag(const std::string& key) const { return text(key) == "true"; }

  /// NaN and infinities too.
  double drop_probability() const {
    const std::string quoted = text("drop_probability");
    return std::strtod(quoted.c_str() + 1, nullptr);
  }

 private:
  std::string text_;
};

inline std::int64_t size_of(const DLTensor& tensor) {
  std::int64_t size = 1;
  for (int axis = 0; axis < tensor.ndim; ++axis) size *= tensor.shape[axis];
  return size;
}

template <class Body>
std::int32_t guarded(dropcheck_message* message, const Body& body) {
  const auto note = [&](std::int32_t status, const char* why) {
    std::snprintf(message->text, message->room, "%s", why);
    return status;
  };
  try {
    body();
    return DROPCHECK_OK;
  } catch (const NotSupported& error) {
    return note(DROPCHECK_NOT_SUPPORTED, error.what());
  } catch (const std::exception& error) {
    return note(DROPCHECK_REFUSED, error.what());
  }
}

template <class Layer, const char* (*describe)()>
constexpr dropcheck_plugin plugin() {
  dropcheck_plugin made{};
  made.abi = DROPCHECK_PLUGIN_ABI;
  made.size = sizeof(dropcheck_plugin);
  made.describe = describe;
  made.create = [](const char* config, void** layer,
                   dropcheck_message* message) {
    return guarded(message, [&] { *layer = new Layer(Config(config)); });
  };
  made.forward = [](void* layer, const DLTensor* x, std::int32_t training,
                    DLTensor* y, dropcheck_message* message) {
    return guarded(message, [&] {
      static_cast<Layer*>(layer)->forward(*x, training != 0, *y);
    });
  };
  made.backward = [](void* layer, const DLTensor* grad_output,
                     DLTensor* grad_input, dropcheck_message* message) {
    return guarded(message, [&] {
      static_cast<Layer*>(layer)->backward(*grad_output, *grad_input);
    });
  };
  if constexpr (requires(Layer & layer) { layer.reseed(1); }) {
    made.reseed = [](void* layer, std::uint64_t seed,
                     dropcheck_message* message) {
      return guarded(message,
                     [&] { static_cast<Layer*>(layer)->reseed(seed); });
    };
  }
  made.destroy = [](void* layer) { delete static_cast<Layer*>(layer); };
  return made;
}
