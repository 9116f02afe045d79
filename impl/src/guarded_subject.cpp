#include "dropcheck/impl/guarded_subject.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <mutex>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "call_thread.hpp"
#include "dropcheck/impl/input_holder.hpp"
#include "dropcheck/impl/input_watch.hpp"
#include "lending.hpp"

namespace dropcheck::impl {
namespace {

using Limit = std::chrono::nanoseconds;

/// Which calls of one subject are still made: not those of a kind that did not
/// return, and none after two of them, because each keeps a thread.
class Patience {
 public:
  explicit Patience(Limit limit) : limit_(limit) {}

  Limit limit() const { return limit_; }

  /// Throws SubjectTimeout if calls of that kind are not made any more.
  void require(const std::string& kind) {
    const std::lock_guard lock(mutex_);
    if (lost_.count(kind) == 0 && lost_.size() < kMostLost) return;
    throw SubjectTimeout(fmt::format(
        "not called: an earlier call did not return within {:g} s ({})",
        seconds(), lost_.count(kind) > 0 ? kind : *lost_.begin()));
  }

  /// Notes that a call of that kind did not return.
  [[noreturn]] void lose(const std::string& kind) {
    const std::lock_guard lock(mutex_);
    lost_.insert(kind);
    throw SubjectTimeout(fmt::format("a call did not return within {:g} s ({})",
                                     seconds(), kind));
  }

 private:
  static constexpr std::size_t kMostLost = 2;

  double seconds() const {
    return std::chrono::duration<double>(limit_).count();
  }

  Limit limit_;
  std::mutex mutex_;
  std::multiset<std::string> lost_;
};

void run(Patience& patience, CallThread& thread, const std::string& kind,
         std::function<void()> call) {
  patience.require(kind);
  if (!thread.run(std::move(call), patience.limit())) patience.lose(kind);
}

/// Values that a look at the begin of a tensor takes.
constexpr std::int64_t kGlance = 1024;

template <class Test>
bool any_at_begin(const TensorView& view, const Test& test) {
  const std::int64_t count = std::min(view.size(), kGlance);
  for (std::int64_t i = 0; i < count; ++i) {
    if (test(view.value(i))) return true;
  }
  return false;
}

bool has_nan(const TensorView& view) {
  return any_at_begin(view, [](double value) { return std::isnan(value); });
}

bool is_finite(const TensorView& view) {
  return !any_at_begin(view,
                       [](double value) { return !std::isfinite(value); });
}

/// All that a call touches; a call that is left behind keeps it alive.
struct Cell {
  std::shared_ptr<Subject> subject;
  std::unique_ptr<Layer> layer;
  InputHolder* holder = nullptr;  ///< the layer, if it may hold its inputs
  Lending inputs;
  Lending gradients;
  TensorView result;

  void take(std::unique_ptr<Layer> made) {
    layer = std::move(made);
    holder = dynamic_cast<InputHolder*>(layer.get());
    inputs = Lending(holder != nullptr);
    gradients = Lending(holder != nullptr);
  }

  /// Lets the layer hold what is lent for the call that follows.
  void hold(const Lending& lent) const {
    if (holder != nullptr) holder->hold(lent.memory());
  }
};

class GuardedLayer final : public Layer, public InputWatch {
 public:
  GuardedLayer(std::shared_ptr<Cell> cell, std::unique_ptr<CallThread> thread,
               std::shared_ptr<Patience> patience, std::string kind)
      : cell_(std::move(cell)),
        thread_(std::move(thread)),
        patience_(std::move(patience)),
        kind_(std::move(kind)),
        word_bits_(cell_->layer->word_bits()) {}

  // The layer ends where it lived. Its end may hang like any other call.
  ~GuardedLayer() override {
    try {
      if (!lost_) {
        thread_->run([cell = cell_] { cell->layer.reset(); },
                     patience_->limit());
      }
    } catch (...) {
      // Nobody is left to hear of it.
    }
  }

  TensorView forward(const Call& call) override {
    numbers_in_ = is_finite(call.input);
    Call lent = call;
    lent.input = lend(cell_->inputs, call.input);
    run(call.training ? "training" : "evaluation", [cell = cell_, lent] {
      cell->hold(cell->inputs);
      cell->result = cell->layer->forward(lent);
    });
    TensorView result = cell_->result;
    cell_->inputs.to_original(result);
    keep_taps();
    changed_input_ = true;  // unless what follows says that it is not
    changed_input_ = cell_->inputs.take_back("its input");
    const bool numbers_out = !numbers_in_ || !has_nan(result);
    if (!numbers_out && gave_numbers_) blame_reference("results");
    gave_numbers_ = gave_numbers_ || numbers_out;
    return result;
  }

  TensorView backward(const TensorView& grad_output) override {
    const TensorView lent = lend(cell_->gradients, grad_output);
    run("gradient", [cell = cell_, lent] {
      cell->hold(cell->gradients);
      cell->result = cell->layer->backward(lent);
    });
    TensorView result = cell_->result;
    cell_->gradients.to_original(result);
    cell_->gradients.take_back("its incoming gradient");
    if (numbers_in_ && is_finite(grad_output) && has_nan(result)) {
      blame_reference("gradients");
    }
    return result;
  }

  void reseed(std::uint64_t seed) override {
    run("reseed", [cell = cell_, seed] { cell->layer->reseed(seed); });
  }

  std::span<const std::uint8_t> mask() override {
    const auto copied = std::make_shared<std::vector<std::uint8_t>>();
    run("mask", [cell = cell_, copied] {
      const auto mask = cell->layer->mask();
      copied->assign(mask.begin(), mask.end());
    });
    mask_ = std::move(*copied);
    return mask_;
  }

  // The copy lives on a thread of its own; this one waits meanwhile.
  std::unique_ptr<Layer> clone() override {
    auto copy = std::make_shared<Cell>();
    copy->subject = cell_->subject;
    run("clone", [cell = cell_, copy] { copy->take(cell->layer->clone()); });
    return std::make_unique<GuardedLayer>(
        std::move(copy), std::make_unique<CallThread>(), patience_, kind_);
  }

  int word_bits() const override { return word_bits_; }

  Driven drive(const Call& call,
               std::span<const std::uint64_t> words) override {
    const auto driven = std::make_shared<Driven>();
    Call lent = call;
    lent.input = lend(cell_->inputs, call.input);
    run("driven", [cell = cell_, lent, driven,
                   own = std::vector(words.begin(), words.end())] {
      cell->hold(cell->inputs);
      *driven = cell->layer->drive(lent, own);
    });
    cell_->inputs.to_original(driven->output);
    cell_->inputs.take_back("its input");
    return *driven;
  }

  std::span<const Tap> taps() const override { return taps_; }

  bool changed_input() const override { return changed_input_; }

 private:
  /// Those of the latest call; they may lie in the input.
  void keep_taps() {
    const auto taps = cell_->layer->taps();
    taps_.assign(taps.begin(), taps.end());
    for (Tap& tap : taps_) {
      for (TensorView* view : {&tap.residual, &tap.branch, &tap.output}) {
        cell_->inputs.to_original(*view);
      }
    }
  }

  void require_returned() const {
    if (lost_) throw SubjectTimeout("an earlier call has not returned yet");
  }

  /// A copy for the next call. A lost one may still use its own.
  TensorView lend(Lending& from, const TensorView& original) const {
    require_returned();
    return from.lend(original);
  }

  void run(const char* operation, std::function<void()> call) {
    require_returned();
    const std::string kind = fmt::format("{}, {}", kind_, operation);
    patience_->require(kind);
    lost_ = !thread_->run(std::move(call), patience_->limit());
    if (lost_) patience_->lose(kind);
  }

  [[noreturn]] static void blame_reference(const char* what) {
    throw MemoryViolation(fmt::format(
        "gives NaN {} once the memory of an earlier input is overwritten: it "
        "seems to keep a reference to its input, which is lent for one call",
        what));
  }

  std::shared_ptr<Cell> cell_;
  std::unique_ptr<CallThread> thread_;
  std::shared_ptr<Patience> patience_;
  std::string kind_;
  int word_bits_;
  std::vector<Tap> taps_;
  std::vector<std::uint8_t> mask_;
  bool changed_input_ = false;
  bool lost_ = false;
  bool numbers_in_ = false;    // the latest input was finite
  bool gave_numbers_ = false;  // for a finite input, at any time
};

class GuardedSubject final : public Subject {
 public:
  GuardedSubject(std::shared_ptr<Subject> subject,
                 std::shared_ptr<Patience> patience)
      : subject_(std::move(subject)),
        patience_(std::move(patience)),
        description_(subject_->describe()) {}

  const Description& describe() const override { return description_; }

  std::unique_ptr<Layer> make(const LayerConfig& config) override {
    auto cell = std::make_shared<Cell>();
    cell->subject = subject_;
    auto thread = std::make_unique<CallThread>();
    const std::string kind = impl::describe(config);
    run(*patience_, *thread, kind + ", make",
        [cell, config] { cell->take(cell->subject->make(config)); });
    return std::make_unique<GuardedLayer>(std::move(cell), std::move(thread),
                                          patience_, kind);
  }

 private:
  std::shared_ptr<Subject> subject_;
  std::shared_ptr<Patience> patience_;
  Description description_;
};

}  // namespace

SubjectEntry guarded(SubjectEntry entry, Limit call_limit) {
  const auto patience = std::make_shared<Patience>(call_limit);
  entry.open = [open = std::move(entry.open),
                patience]() -> std::unique_ptr<Subject> {
    const auto opened = std::make_shared<std::shared_ptr<Subject>>();
    CallThread thread;
    run(*patience, thread, "open", [open, opened] { *opened = open(); });
    return std::make_unique<GuardedSubject>(*opened, patience);
  };
  entry.guard = false;
  return entry;
}

}  // namespace dropcheck::impl
