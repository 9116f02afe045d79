// Dropout of whole channels in C++: an example of a plug-in with two layers,
// dropout2d and dropout3d, and of exceptions that stay inside.
//
//   c++ -std=c++17 -O2 -shared -fPIC -o libspatial.so spatial_dropout.cpp
//   dropcheck verify lib:./libspatial.so
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

#include "dropcheck_plugin.h"

namespace {

/// The configuration asks for what this layer does not have.
struct NotSupported : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// The value behind `key` in the flat JSON object that dropcheck sends.
std::string value_of(const std::string& config, const std::string& key) {
  const std::size_t at = config.find('"' + key + "\":");
  if (at == std::string::npos) throw std::invalid_argument("no " + key);
  const std::size_t begin = at + key.size() + 3;
  return config.substr(begin, config.find_first_of(",}", begin) - begin);
}

class SpatialDropout {
 public:
  SpatialDropout(const std::string& config, int spatial_axes)
      : spatial_axes_(spatial_axes) {
    if (value_of(config, "channels_last") != "false") {
      throw NotSupported("channels are the axis before the spatial ones");
    }
    const std::string text = value_of(config, "drop_probability");
    drop_ = std::strtod(text.c_str() + 1, nullptr);  // behind the quote
    if (!(drop_ >= 0 && drop_ <= 1)) {
      throw std::invalid_argument("p is " + text + ", must be in [0, 1]");
    }
  }

  void reseed(std::uint64_t seed) {
    std::seed_seq words{static_cast<std::uint32_t>(seed),
                        static_cast<std::uint32_t>(seed >> 32), 1U};
    engine_.seed(words);
  }

  void forward(const DLTensor& input, bool training, DLTensor& output) {
    if (input.ndim != spatial_axes_ + 1 && input.ndim != spatial_axes_ + 2) {
      throw std::invalid_argument("the rank is " + std::to_string(input.ndim));
    }
    std::int64_t channels = 1;
    area_ = 1;
    for (int axis = 0; axis < input.ndim; ++axis) {
      const bool spatial = axis >= input.ndim - spatial_axes_;
      (spatial ? area_ : channels) *= input.shape[axis];
    }
    std::uniform_real_distribution<double> uniform;
    const double scale = drop_ < 1 ? 1 / (1 - drop_) : 0;
    factors_.assign(static_cast<std::size_t>(channels), 1.0);
    if (training && drop_ > 0) {
      for (double& factor : factors_) {
        factor = uniform(engine_) < drop_ ? 0 : scale;
      }
    }
    multiply(input, output);
  }

  void multiply(const DLTensor& from, DLTensor& to) const {
    if (from.dtype.bits == 32) {
      multiply_as<float>(from, to);
    } else {
      multiply_as<double>(from, to);
    }
  }

 private:
  template <class T>
  void multiply_as(const DLTensor& from, DLTensor& to) const {
    const T* x = static_cast<const T*>(from.data);
    T* y = static_cast<T*>(to.data);
    for (const double factor : factors_) {
      for (std::int64_t i = 0; i < area_; ++i, ++x, ++y) {
        *y = factor == 0 ? T(0) : static_cast<T>(double{*x} * factor);
      }
    }
  }

  int spatial_axes_;
  double drop_ = 0;
  std::int64_t area_ = 1;
  std::vector<double> factors_;
  std::mt19937_64 engine_{static_cast<std::uint64_t>(
      std::chrono::steady_clock::now().time_since_epoch().count())};
};

/// Runs `body`; what it throws becomes a status.
template <class Body>
std::int32_t guarded(dropcheck_message* message, const Body& body) {
  std::int32_t status = DROPCHECK_OK;
  const auto note = [&](std::int32_t what, const char* why) {
    std::snprintf(message->text, message->room, "%s", why);
    status = what;
  };
  try {
    body();
  } catch (const NotSupported& error) {
    note(DROPCHECK_NOT_SUPPORTED, error.what());
  } catch (const std::invalid_argument& error) {
    note(DROPCHECK_REFUSED, error.what());
  } catch (const std::exception& error) {
    note(DROPCHECK_FAILED, error.what());
  }
  return status;
}

SpatialDropout& of(void* layer) { return *static_cast<SpatialDropout*>(layer); }

// Rank 3 is one sample without a batch: two spatial axes, said explicitly
// because the law, as PyTorch has it, takes (batch, channel, length) too.
const char* describe2d() {
  return R"({"name": "dropout2d.cpp", "version": "1", "layer": "dropout2d",
             "dtypes": ["f32", "f64"], "generator": "mt19937_64",
             "spatial_axes": 2})";
}
const char* describe3d() {
  return R"({"name": "dropout3d.cpp", "version": "1", "layer": "dropout3d",
             "dtypes": ["f32", "f64"], "generator": "mt19937_64"})";
}

template <int SpatialAxes>
std::int32_t create(const char* config, void** layer,
                    dropcheck_message* message) {
  return guarded(message,
                 [&] { *layer = new SpatialDropout(config, SpatialAxes); });
}

std::int32_t forward(void* layer, const DLTensor* input, std::int32_t training,
                     DLTensor* output, dropcheck_message* message) {
  return guarded(message,
                 [&] { of(layer).forward(*input, training != 0, *output); });
}

std::int32_t backward(void* layer, const DLTensor* grad_output,
                      DLTensor* grad_input, dropcheck_message* message) {
  return guarded(message,
                 [&] { of(layer).multiply(*grad_output, *grad_input); });
}

std::int32_t reseed(void* layer, std::uint64_t seed,
                    dropcheck_message* message) {
  return guarded(message, [&] { of(layer).reseed(seed); });
}

void destroy(void* layer) { delete static_cast<SpatialDropout*>(layer); }

constexpr dropcheck_plugin plugin(const char* (*describe)(),
                                  decltype(dropcheck_plugin::create) create) {
  return {DROPCHECK_PLUGIN_ABI,
          sizeof(dropcheck_plugin),
          describe,
          create,
          forward,
          backward,
          reseed,
          destroy,
          nullptr};
}

constexpr dropcheck_plugin kPlugins[] = {plugin(describe2d, create<2>),
                                         plugin(describe3d, create<3>)};

}  // namespace

const dropcheck_plugin* dropcheck_plugin_get(std::uint32_t index) {
  return index < 2 ? &kPlugins[index] : nullptr;
}
