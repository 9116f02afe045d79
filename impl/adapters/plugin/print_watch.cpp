#include "print_watch.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <memory>
#include <utility>

#include "printable.hpp"

namespace dropcheck::impl::adapters {
namespace {

class WatchedLayer final : public Layer {
 public:
  WatchedLayer(std::unique_ptr<Layer> layer, PrintWatch& watch)
      : layer_(std::move(layer)), watch_(watch) {}

  TensorView forward(const Call& call) override {
    watch_.take();  // another layer's, or that of an end
    const TensorView result = layer_->forward(call);
    refuse_prints();
    return result;
  }
  TensorView backward(const TensorView& grad_output) override {
    watch_.take();
    const TensorView result = layer_->backward(grad_output);
    refuse_prints();
    return result;
  }
  std::span<const std::uint8_t> mask() override { return layer_->mask(); }
  void reseed(std::uint64_t seed) override { layer_->reseed(seed); }

 private:
  void refuse_prints() {
    const std::string text = watch_.take();
    if (text.empty()) return;
    throw MemoryViolation(fmt::format("prints on standard output: '{}'", text));
  }

  std::unique_ptr<Layer> layer_;
  PrintWatch& watch_;
};

class WatchedSubject final : public Subject {
 public:
  WatchedSubject(std::unique_ptr<Subject> subject, PrintWatch& watch)
      : subject_(std::move(subject)), watch_(watch) {}

  const Description& describe() const override { return subject_->describe(); }
  std::unique_ptr<Layer> make(const LayerConfig& config) override {
    return std::make_unique<WatchedLayer>(subject_->make(config), watch_);
  }

 private:
  std::unique_ptr<Subject> subject_;
  PrintWatch& watch_;
};

}  // namespace

PrintWatch::PrintWatch()
    : descriptor_(::memfd_create("dropcheck-prints", MFD_CLOEXEC)) {
  if (descriptor_ < 0) throw AdapterError("no memory for what is printed");
  ::fcntl(descriptor_, F_SETFL, O_APPEND);
}

PrintWatch::~PrintWatch() { ::close(descriptor_); }

std::string PrintWatch::take() {
  std::fflush(stdout);
  std::array<std::byte, 200> buffer{};
  const ssize_t got = ::pread(descriptor_, buffer.data(), buffer.size(), 0);
  if (got <= 0) return "";
  if (::ftruncate(descriptor_, 0) != 0) return "";
  return printable(std::span(buffer).first(static_cast<std::size_t>(got)),
                   buffer.size());
}

SubjectEntry watched(SubjectEntry entry, PrintWatch& watch) {
  entry.open = [open = std::move(entry.open),
                &watch]() -> std::unique_ptr<Subject> {
    return std::make_unique<WatchedSubject>(open(), watch);
  };
  return entry;
}

}  // namespace dropcheck::impl::adapters
