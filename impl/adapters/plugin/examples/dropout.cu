// Inverted dropout on a GPU: an example of a plug-in in CUDA. Tensors arrive
// in the memory of the CPU and are copied there and back.
//
//   nvcc -O2 -shared -Xcompiler -fPIC -o libdropout_cu.so dropout.cu
//   dropcheck verify lib:./libdropout_cu.so
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <new>

#include "dropcheck_plugin.h"

namespace {

__host__ __device__ std::uint64_t mix(std::uint64_t x) {
  x += 0x9E3779B97F4A7C15u;
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9u;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EBu;
  return x ^ (x >> 31);
}

/// Keeps element i where its 53 random bits are at least `drop`.
template <class T>
__global__ void multiply(const T* x, T* y, std::int64_t count, double drop,
                         std::uint64_t key) {
  const std::int64_t i =
      static_cast<std::int64_t>(blockIdx.x) * blockDim.x + threadIdx.x;
  if (i >= count) return;
  const std::uint64_t word =
      mix(key + static_cast<std::uint64_t>(i) * 0x9E3779B97F4A7C15u);
  const bool kept = static_cast<double>(word >> 11) * 0x1p-53 >= drop;
  const double scale = drop < 1 ? 1 / (1 - drop) : 0;
  y[i] = kept ? static_cast<T>(static_cast<double>(x[i]) * scale) : T(0);
}

/// Memory of the device, freed at the end of its scope.
class DeviceMemory {
 public:
  explicit DeviceMemory(std::size_t size) {
    if (cudaMalloc(&memory_, size) != cudaSuccess) memory_ = nullptr;
  }
  ~DeviceMemory() { cudaFree(memory_); }
  DeviceMemory(const DeviceMemory&) = delete;
  DeviceMemory& operator=(const DeviceMemory&) = delete;
  void* get() const { return memory_; }

 private:
  void* memory_ = nullptr;
};

struct Layer {
  double drop = 0;
  std::uint64_t seed = 1;
  std::uint64_t calls = 0;
  std::uint64_t key = 0;  // of the latest mask, which backward draws again
  bool dropped = false;
};

std::int32_t fail(dropcheck_message* message, std::int32_t status,
                  const char* why) {
  std::snprintf(message->text, message->room, "%s", why);
  return status;
}

template <class T>
void launch(const Layer& layer, const void* x, void* y, std::int64_t count) {
  constexpr int kThreads = 256;
  const auto blocks = static_cast<unsigned>((count + kThreads - 1) / kThreads);
  multiply<T><<<blocks, kThreads>>>(static_cast<const T*>(x),
                                    static_cast<T*>(y), count, layer.drop,
                                    layer.key);
}

std::int32_t run(const Layer& layer, const DLTensor* from, DLTensor* to,
                 dropcheck_message* message) {
  std::int64_t count = 1;
  for (int axis = 0; axis < from->ndim; ++axis) count *= from->shape[axis];
  const std::size_t size =
      static_cast<std::size_t>(count) * (from->dtype.bits / 8);
  if (size == 0) return DROPCHECK_OK;
  if (!layer.dropped) {
    std::memcpy(to->data, from->data, size);
    return DROPCHECK_OK;
  }
  const DeviceMemory x(size);
  const DeviceMemory y(size);
  if (x.get() == nullptr || y.get() == nullptr) {
    return fail(message, DROPCHECK_FAILED, "no memory on the device");
  }
  cudaMemcpy(x.get(), from->data, size, cudaMemcpyHostToDevice);
  if (from->dtype.bits == 32) {
    launch<float>(layer, x.get(), y.get(), count);
  } else {
    launch<double>(layer, x.get(), y.get(), count);
  }
  // Errors of the launch come out here too.
  const cudaError_t error =
      cudaMemcpy(to->data, y.get(), size, cudaMemcpyDeviceToHost);
  return error == cudaSuccess
             ? DROPCHECK_OK
             : fail(message, DROPCHECK_FAILED, cudaGetErrorString(error));
}

const char* describe() {
  return R"({"name": "dropout.cu", "version": "1", "layer": "dropout",
             "dtypes": ["f32", "f64"], "generator": "splitmix64"})";
}

std::int32_t create(const char* config, void** result,
                    dropcheck_message* message) {
  int devices = 0;
  if (cudaGetDeviceCount(&devices) != cudaSuccess || devices == 0) {
    return fail(message, DROPCHECK_FAILED, "there is no CUDA device");
  }
  const char* key = "\"drop_probability\":\"";
  const char* value = std::strstr(config, key);
  if (value == nullptr) {
    return fail(message, DROPCHECK_FAILED, "no drop_probability");
  }
  const double drop = std::strtod(value + std::strlen(key), nullptr);
  if (!(drop >= 0 && drop <= 1)) {
    return fail(message, DROPCHECK_REFUSED, "p must be in [0, 1]");
  }
  Layer* layer = new (std::nothrow) Layer;
  if (layer == nullptr) return fail(message, DROPCHECK_FAILED, "no memory");
  layer->drop = drop;
  layer->seed = mix(reinterpret_cast<std::uintptr_t>(layer)) ^ mix(clock());
  *result = layer;
  return DROPCHECK_OK;
}

std::int32_t forward(void* self, const DLTensor* input, std::int32_t training,
                     DLTensor* output, dropcheck_message* message) {
  Layer& layer = *static_cast<Layer*>(self);
  layer.dropped = training != 0 && layer.drop > 0;
  if (layer.dropped) layer.key = mix(layer.seed) ^ mix(~layer.calls++);
  return run(layer, input, output, message);
}

std::int32_t backward(void* self, const DLTensor* grad_output,
                      DLTensor* grad_input, dropcheck_message* message) {
  return run(*static_cast<Layer*>(self), grad_output, grad_input, message);
}

std::int32_t reseed(void* self, std::uint64_t seed, dropcheck_message*) {
  Layer& layer = *static_cast<Layer*>(self);
  layer.seed = seed;
  layer.calls = 0;
  return DROPCHECK_OK;
}

void destroy(void* self) { delete static_cast<Layer*>(self); }

const dropcheck_plugin kPlugin = {DROPCHECK_PLUGIN_ABI,
                                  sizeof(dropcheck_plugin),
                                  describe,
                                  create,
                                  forward,
                                  backward,
                                  reseed,
                                  destroy,
                                  nullptr};

}  // namespace

const dropcheck_plugin* dropcheck_plugin_get(std::uint32_t index) {
  return index == 0 ? &kPlugin : nullptr;
}
