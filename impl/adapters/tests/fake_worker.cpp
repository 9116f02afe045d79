// A worker whose layer misbehaves as its one argument says. Most modes go
// through the real worker loop; "mute", "old", "garbage" and "exit" end
// before it, as a program does that is no worker at all.
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string>
#include <thread>
#include <vector>

#include "dropcheck/impl/adapters/worker.hpp"

namespace {

using namespace dropcheck::impl;

class FakeLayer final : public Layer {
 public:
  FakeLayer(std::string mode, LayerConfig config)
      : mode_(std::move(mode)), config_(std::move(config)) {
    ++living_;
  }
  ~FakeLayer() override { --living_; }
  FakeLayer(const FakeLayer&) = delete;
  FakeLayer& operator=(const FakeLayer&) = delete;

  TensorView forward(const Call& call) override {
    if (mode_ == "crash") crash();
    if (mode_ == "abort") complain_and_abort();
    if (mode_ == "quit") std::_Exit(3);
    if (mode_ == "hang") std::this_thread::sleep_for(std::chrono::hours(1));
    if (mode_ == "stop") ::raise(SIGSTOP);
    if (mode_ == "compute") {
      for (volatile bool on = true; on;) {
      }
    }
    if (mode_ == "memory") use_memory_forever();
    if (mode_ == "noise") write_all("nobody expects this text");
    if (mode_ == "layer-error") throw LayerError("p is wrong");
    if (mode_ == "not-supported") throw NotSupported("not here");
    if (mode_ == "adapter-error") throw std::runtime_error("broken");
    if (mode_ == "wrong-shape") return fresh({2, 2});
    if (mode_ == "changes-input") call.input.set(0, -1);
    if (mode_ == "fills-gaps") std::fill_n(words_of(call.input), 2, 7.0F);
    return result(call);
  }

  TensorView backward(const TensorView& gradient) override {
    output_ = Tensor(gradient.dtype, gradient.shape);
    copy(gradient, output_.view());
    return output_.view();
  }

  std::span<const std::uint8_t> mask() override {
    if (mode_ != "masked") return Layer::mask();
    return mask_;
  }

  void reseed(std::uint64_t seed) override { seed_ = seed; }

  std::unique_ptr<Layer> clone() override {
    auto copy = std::make_unique<FakeLayer>(mode_, config_);
    copy->seed_ = seed_;
    return copy;
  }

 private:
  static float* words_of(const TensorView& view) {
    return static_cast<float*>(view.data);
  }

  // "mirror" tells in its result what arrived: strides, repeat, seed and where
  // the input lies;
  // "census", how many layers there are.
  TensorView result(const Call& call) {
    if (mode_ == "census") {
      output_ = Tensor(DType::kFloat64, {1}, {static_cast<double>(living_)});
      return output_.view();
    }
    if (mode_ == "mirror") {
      const auto address = reinterpret_cast<std::uintptr_t>(call.input.data);
      output_ =
          Tensor(DType::kFloat64, {4},
                 {static_cast<double>(call.input.strides.back()),
                  static_cast<double>(call.repeat), static_cast<double>(seed_),
                  static_cast<double>(address % 16)});
      return output_.view();
    }
    if (mode_ == "alias" || config_.in_place) {
      if (config_.in_place) call.input.set(0, 42);
      return call.input;
    }
    if (mode_ == "transposed") return transposed(call.input);
    Shape shape = call.input.shape;
    if (call.repeat > 1) shape.insert(shape.begin(), call.repeat);
    output_ = Tensor(call.input.dtype, shape);
    for (std::int64_t i = 0; i < output_.size(); ++i) {
      output_.view().set(i, call.input.value(i % call.input.size()));
    }
    return output_.view();
  }

  TensorView fresh(const Shape& shape) {
    output_ = Tensor(DType::kFloat32, shape);
    return output_.view();
  }

  TensorView transposed(const TensorView& input) {
    TensorView view = fresh({input.shape.at(1), input.shape.at(0)});
    std::swap(view.shape.at(0), view.shape.at(1));
    std::swap(view.strides.at(0), view.strides.at(1));
    copy(input, view);
    return view;
  }

  static void write_all(const char* text) {
    if (::write(STDOUT_FILENO, text, std::strlen(text)) < 0) std::_Exit(9);
  }

  // Sanitizers turn the signal into an exit unless told not to.
  static void crash() {
    std::signal(SIGSEGV, SIG_DFL);
    std::raise(SIGSEGV);
  }

  // Slowly: an uncontrolled one would fill the machine of a broken host.
  [[noreturn]] static void use_memory_forever() {
    std::vector<std::vector<char>> kept;
    for (;;) {
      kept.emplace_back(std::size_t{4} << 20, 'x');
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
  }

  static void complain_and_abort() {
    const char* text = "assertion failed: mask\n";
    if (::write(STDERR_FILENO, text, std::strlen(text)) < 0) std::_Exit(9);
    std::abort();
  }

  inline static int living_ = 0;
  std::string mode_;
  LayerConfig config_;
  Tensor output_;
  std::uint64_t seed_ = 0;
  std::vector<std::uint8_t> mask_ = {1, 0, 1};
};

class FakeSubject final : public Subject {
 public:
  explicit FakeSubject(std::string mode) : mode_(std::move(mode)) {
    description_.name = "fake";
    description_.version = std::to_string(::getpid());
    description_.in_place = true;
    description_.strides =
        mode_ == "compact" ? Strides::kCompact : Strides::kNonNegative;
    description_.own_state = mode_ != "stateful";
    description_.clone = mode_ != "stateful";
    description_.mask_output = mode_ == "masked";
    if (mode_ == "declares") description_.options = {{"at_one", "error"}};
  }
  const Description& describe() const override { return description_; }
  std::unique_ptr<Layer> make(const LayerConfig& config) override {
    if (!(config.drop_probability <= 1)) throw LayerError("p > 1");
    return std::make_unique<FakeLayer>(mode_, config);
  }

 private:
  std::string mode_;
  Description description_;
};

}  // namespace

int main(int count, char** arguments) {
  const std::string mode = count > 1 ? arguments[1] : "";
  if (mode == "garbage") return ::puts("Hello, I am no worker.") < 0;
  if (mode == "exit") return 7;
  if (mode == "mute") ::sleep(3600);
  const std::string name = "fake";
  SubjectEntry entry;
  entry.name = name;
  entry.layer = "dropout";
  entry.summary = mode;
  entry.open = [mode] { return std::make_unique<FakeSubject>(mode); };
  // "noise" spoils the very stream that carries its frames.
  if (mode == "noise") {
    return adapters::serve({entry}, STDIN_FILENO, STDOUT_FILENO);
  }
  ::puts("printed by a library at its start");
  return adapters::run_worker({entry});
}
