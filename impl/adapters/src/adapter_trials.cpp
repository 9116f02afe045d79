#include "dropcheck/impl/adapters/adapter_trials.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "dropcheck/impl/law.hpp"
#include "endian.hpp"
#include "worker_process.hpp"

namespace dropcheck::impl::adapters {
namespace {

/// Ends a trial that could not be made.
struct NotTried {
  std::string reason;
};

/// Ends a trial that the adapter failed.
struct Failed {
  std::string sentence;
};

/// What the layer returned, detached from it.
struct Result {
  DType dtype = DType::kFloat32;
  Shape shape;
  Tensor values;

  bool operator==(const Result& other) const {
    return dtype == other.dtype && shape == other.shape &&
           values.byte_count() == other.values.byte_count() &&
           std::memcmp(values.bytes(), other.values.bytes(),
                       values.byte_count()) == 0;
  }
};

Result result_of(const TensorView& view) {
  Result result{view.dtype, view.shape, Tensor(view.dtype, view.shape)};
  copy(view, result.values.view());
  return result;
}

/// Values that differ, none of them 0: all masks can be seen.
Tensor input_of(DType dtype, Shape shape, double offset = 1) {
  Tensor input(dtype, std::move(shape));
  constexpr std::int64_t kPeriod = 64;  // exact in every dtype
  for (std::int64_t i = 0; i < input.size(); ++i) {
    input.view().set(i, offset + static_cast<double>(i % kPeriod));
  }
  return input;
}

/// The trials of one subject of one adapter.
class Trials {
 public:
  explicit Trials(const WorkerOptions& options)
      : options_(options), subject_(options) {
    const std::string& layer = subject_.promise().layer;
    law_ = find_law(layer.empty() ? "dropout" : layer);
  }

  std::vector<AdapterTrial> run() {
    using Test = std::string (Trials::*)();
    const std::pair<const char*, Test> tests[] = {
        {"describe", &Trials::describe},
        {"silence", &Trials::silence},
        {"make", &Trials::make},
        {"destroy", &Trials::destroy},
        {"unknown option", &Trials::unknown_option},
        {"unknown law", &Trials::unknown_law},
        {"odd probabilities", &Trials::odd_probabilities},
        {"forward", &Trials::forward},
        {"repeat", &Trials::repeat},
        {"evaluation", &Trials::evaluation},
        {"odd shapes", &Trials::odd_shapes},
        {"reseed", &Trials::reseed},
        {"own state", &Trials::own_state},
        {"backward", &Trials::backward},
        {"mask", &Trials::mask},
        {"in place", &Trials::in_place},
        {"strides", &Trials::strides},
        {"inputs kept", &Trials::inputs_kept},
        {"large tensors", &Trials::large_tensors},
        {"unknown operation", &Trials::unknown_operation},
        {"unknown layer", &Trials::unknown_layer},
        {"no frame", &Trials::no_frame},
        {"length of 2^63", &Trials::huge_length},
        {"half a frame", &Trials::half_a_frame},
        {"end of input", &Trials::end_of_input},
        {"quit", &Trials::quit},
    };
    std::vector<AdapterTrial> trials;
    for (const auto& [name, test] : tests) {
      if (timeouts_ == kMostTimeouts) {
        trials.push_back({name, Outcome::kNotTried,
                          fmt::format("{} requests were not answered in time",
                                      kMostTimeouts)});
        continue;
      }
      trials.push_back(
          carry_out(name, [this, test = test] { return (this->*test)(); }));
    }
    return trials;
  }

 private:
  using Outcome = AdapterTrial::Outcome;

  /// Each costs a whole timeout.
  static constexpr int kMostTimeouts = 2;

  template <class Test>
  AdapterTrial carry_out(const char* name, const Test& test) {
    try {
      return {name, Outcome::kPassed, test()};
    } catch (const NotTried& none) {
      return {name, Outcome::kNotTried, none.reason};
    } catch (const Failed& failure) {
      return {name, Outcome::kFailed, failure.sentence};
    } catch (const LayerError& error) {
      return {name, Outcome::kFailed,
              fmt::format("the layer refuses: {}", error.what())};
    } catch (const NotSupported& error) {
      return {name, Outcome::kFailed,
              fmt::format("not supported: {}", error.what())};
    } catch (const SubjectTimeout& error) {
      ++timeouts_;
      return {name, Outcome::kFailed, error.what()};
    } catch (const std::exception& error) {
      return {name, Outcome::kFailed, error.what()};
    }
  }

  const Description& description() const { return subject_.describe(); }

  LayerConfig config(double drop = 0.5) const {
    LayerConfig config;
    config.layer = law_->layer;
    config.drop_probability = drop;
    config.dtype = description().dtypes.front();
    return config;
  }

  /// A shape that the law takes, with some hundred decisions.
  Shape shape() const {
    const int spatial =
        subject_.promise().spatial_axes.value_or(law_->spatial_axes);
    if (law_->unit == Unit::kElement) return {32, 32};
    Shape shape = {8, 32};
    for (int axis = 0; axis < std::max(spatial, 1); ++axis) shape.push_back(8);
    return shape;
  }

  Tensor input(double offset = 1) const {
    return input_of(description().dtypes.front(), shape(), offset);
  }

  static Result call(Layer& layer, const Tensor& values, bool training = true,
                     std::int64_t repeat = 1) {
    Tensor own = values;
    return result_of(layer.forward({own.view(), training, repeat}));
  }

  Shape expected_shape(const LayerConfig& config) const {
    return output_shape(*law_, config, shape());
  }

  // ---- what it says ----

  std::string describe() {
    const Description& said = description();
    if (said.dtypes.empty()) throw Failed{"no dtype is named"};
    WorkerProcess process(options_);
    const Frame frame =
        ask(process, {{"op", "describe"}, {"subject", options_.subject}});
    for (const char* flag :
         {"reseed", "own_state", "backward", "in_place", "mask_output"}) {
      const std::string value = frame.message.field(flag, "0");
      if (value == "0" || value == "1") continue;
      throw Failed{fmt::format("{} is '{}', but must be 0 or 1", flag, value)};
    }
    std::string dtypes;
    for (const DType dtype : said.dtypes) {
      dtypes += fmt::format(" {}", name_of(dtype));
    }
    const std::string& layer = subject_.promise().layer;
    return fmt::format("{} {}: {}, in{}", said.name, said.version,
                       layer.empty() ? "no layer is named" : layer, dtypes);
  }

  std::string silence() {
    WorkerProcess process(options_);
    ask(process, {{"op", "describe"}, {"subject", options_.subject}});
    ask(process, {{"op", "describe"}, {"subject", options_.subject}});
    require_silence(process);
    return "two requests get two answers and nothing else";
  }

  static void require_silence(const WorkerProcess& process) {
    constexpr std::chrono::milliseconds kLongEnough(200);
    if (process.says_nothing(kLongEnough)) return;
    throw Failed{"something follows the answer to a request"};
  }

  // ---- layers ----

  std::string make() {
    for (const DType dtype : description().dtypes) {
      LayerConfig wanted = config();
      wanted.dtype = dtype;
      subject_.make(wanted);
    }
    return "a layer in every dtype that is named";
  }

  std::string destroy() {
    WorkerProcess process(options_);
    ask(process, {{"op", "describe"}, {"subject", options_.subject}});
    for (const char* id : {"1", "2"}) {
      ask(process, {{"op", "make"},
                    {"subject", options_.subject},
                    {"id", id},
                    {"config", to_json(config())}});
    }
    ask(process, {{"op", "destroy"}, {"layer", "1"}});
    require_silence(process);
    try {
      ask(process, {{"op", "reseed"}, {"layer", "1"}, {"seed", "1"}});
      throw Failed{"a layer that was destroyed is still there"};
    } catch (const NotSupported&) {
    } catch (const AdapterError&) {
    }
    ask(process, {{"op", "destroy"}, {"layer", "2"}});
    return "one layer goes, another stays";
  }

  std::string refuses_config(const std::string& text, const char* what) {
    WorkerProcess process(options_);
    ask(process, {{"op", "describe"}, {"subject", options_.subject}});
    try {
      ask(process, {{"op", "make"},
                    {"subject", options_.subject},
                    {"id", "1"},
                    {"config", text}});
    } catch (const SubjectCrashed&) {
      throw;
    } catch (const SubjectTimeout&) {
      throw;
    } catch (const std::runtime_error& error) {
      return fmt::format("refused: {}", first_line(error.what()));
    }
    throw Failed{fmt::format(
        "a layer with {} is made, and would be verified as if it had it",
        what)};
  }

  std::string unknown_option() {
    auto object = nlohmann::json::parse(to_json(config()));
    object["no_such_option"] = true;
    return refuses_config(object.dump(), "an option that is not known");
  }

  std::string unknown_law() {
    auto object = nlohmann::json::parse(to_json(config()));
    object["layer"] = "no_such_layer";
    return refuses_config(object.dump(), "a law that is not known");
  }

  std::string odd_probabilities() {
    std::string refused;
    for (const double drop : {0.0, 1.0, 1.5, -0.1, std::nan("")}) {
      try {
        subject_.make(config(drop));
      } catch (const LayerError&) {
        refused += ' ' + number_to_text(drop);
      } catch (const NotSupported&) {
        refused += ' ' + number_to_text(drop);
      }
    }
    return refused.empty() ? "none is refused, none breaks the adapter"
                           : "refused:" + refused;
  }

  std::string forward() {
    for (const DType dtype : description().dtypes) {
      LayerConfig wanted = config();
      wanted.dtype = dtype;
      const auto layer = subject_.make(wanted);
      const Result result = call(*layer, input_of(dtype, shape()));
      if (result.dtype != dtype) {
        throw Failed{fmt::format("the output of an {} input is {}",
                                 name_of(dtype), name_of(result.dtype))};
      }
      if (result.shape != expected_shape(wanted)) {
        throw Failed{fmt::format("the output of an input of {} has shape {}",
                                 to_string(shape()), to_string(result.shape))};
      }
    }
    return fmt::format("shape {} and dtype are right", to_string(shape()));
  }

  std::string repeat() {
    constexpr std::int64_t kCalls = 8;
    const auto layer = subject_.make(config());
    const Result result = call(*layer, input(), true, kCalls);
    const std::size_t one = result.values.byte_count() / kCalls;
    for (std::size_t i = 1; i < kCalls; ++i) {
      if (std::memcmp(result.values.bytes(), result.values.bytes() + i * one,
                      one) != 0) {
        return fmt::format("{} calls, stacked on a new first axis", kCalls);
      }
    }
    throw Failed{fmt::format("{} calls in one request give {} times the same",
                             kCalls, kCalls)};
  }

  std::string evaluation() {
    const auto layer = subject_.make(config());
    const Result first = call(*layer, input(), false);
    if (first == call(*layer, input(), false)) return "repeats its result";
    throw Failed{
        "two calls at evaluation give two results: is `training` read?"};
  }

  std::string odd_shapes() {
    const auto layer = subject_.make(config());
    std::string refused;
    for (const Shape& odd : {Shape{}, Shape{0}, Shape{1}, Shape{2, 0, 3}}) {
      try {
        call(*layer, input_of(description().dtypes.front(), odd));
      } catch (const LayerError&) {
        refused += " " + to_string(odd);
      } catch (const NotSupported&) {
        refused += " " + to_string(odd);
      }
    }
    return refused.empty() ? "scalar, empty and single inputs are taken"
                           : "refused:" + refused;
  }

  // ---- what it declares ----

  void require(bool declared, const char* what) const {
    if (!declared) throw NotTried{fmt::format("{} is not declared", what)};
  }

  std::string reseed() {
    require(description().reseed, "reseed");
    const auto layer = subject_.make(config());
    const auto after = [&](std::uint64_t seed) {
      layer->reseed(seed);
      return call(*layer, input(), true, 4);
    };
    const Result first = after(1);
    const bool others = !(first == after(2)) || !(first == after(3));
    if (!(first == after(1))) {
      throw Failed{"the same seed gives other results: reseed has no effect"};
    }
    if (!others) throw Failed{"all seeds give the same results"};
    layer->reseed(~std::uint64_t{0});
    return "a seed repeats its results, others give others";
  }

  std::string own_state() {
    require(description().reseed && description().own_state,
            "reseed with own_state");
    const auto first = subject_.make(config());
    const auto second = subject_.make(config());
    first->reseed(7);
    const Result alone = call(*first, input(), true, 4);
    first->reseed(7);
    second->reseed(8);
    call(*second, input());
    if (call(*first, input(), true, 4) == alone) {
      return "calls of another layer change nothing";
    }
    throw Failed{
        "a layer gives other results when another one is called "
        "between: say own_state 0"};
  }

  std::string backward() {
    const auto layer = subject_.make(config());
    const Result result = call(*layer, input());
    Tensor gradient = input_of(result.dtype, result.shape);
    if (!description().backward) {
      try {
        layer->backward(gradient.view());
      } catch (const NotSupported&) {
        return "not declared, and answered so";
      }
      throw Failed{"backward works, but is not declared"};
    }
    const TensorView back = layer->backward(gradient.view());
    if (back.shape == shape()) return "the gradient has the input's shape";
    throw Failed{fmt::format("the gradient of an input of {} has shape {}",
                             to_string(shape()), to_string(back.shape))};
  }

  std::string mask() {
    require(description().mask_output, "mask_output");
    const auto layer = subject_.make(config());
    const auto count =
        static_cast<std::size_t>(element_count(call(*layer, input()).shape));
    const std::size_t entries = layer->mask().size();
    if (entries == count) return "one entry for each element of the result";
    throw Failed{fmt::format("a mask of {} entries for a result of {} elements",
                             entries, count)};
  }

  std::string in_place() {
    require(description().in_place, "in_place");
    LayerConfig wanted = config();
    wanted.in_place = true;
    const auto layer = subject_.make(wanted);
    Tensor values = input();
    const TensorView output = layer->forward({values.view()});
    if (output.data == values.view().data) return "the result is the input";
    throw Failed{"the answer of a layer in place has no alias = input"};
  }

  std::string strides() {
    require(description().strides != Strides::kCompact, "strides");
    require(description().reseed, "reseed");
    const auto layer = subject_.make(config());
    layer->reseed(5);
    const Result compact = call(*layer, input());
    Shape steps = compact_strides(shape());
    for (std::int64_t& step : steps) step *= 2;
    Tensor memory(description().dtypes.front(), {2 * input().size()});
    const TensorView view{memory.bytes(), memory.dtype(), shape(), steps};
    copy(input().view(), view);
    layer->reseed(5);
    if (result_of(layer->forward({view})) == compact) {
      return "an input with gaps gives the same";
    }
    throw Failed{"an input with gaps gives another result than a compact one"};
  }

  std::string inputs_kept() {
    const auto layer = subject_.make(config());
    const Tensor one = input(1);
    const Tensor other = input(2);
    const Result first = call(*layer, one, false);
    const Result second = call(*layer, other, false);
    if (first == second) throw Failed{"two inputs give one result"};
    if (call(*layer, one, false) == first &&
        call(*layer, other, false) == second) {
      return "inputs that come again are what they were";
    }
    throw Failed{"an input that came before is mistaken for another one"};
  }

  std::string large_tensors() {
    require(description().reseed, "reseed");
    Shape large = shape();
    constexpr std::int64_t kElements = 1 << 18;
    large.front() *= kElements / element_count(large);
    const Tensor values = input_of(description().dtypes.front(), large);
    const auto run = [&](bool shared) {
      WorkerOptions options = options_;
      options.shared_memory = shared;
      WorkerSubject subject(options);
      const auto layer = subject.make(config());
      layer->reseed(3);
      return call(*layer, values, true, 2);
    };
    if (run(true) == run(false)) {
      return fmt::format("{} elements, with shared memory offered and without",
                         element_count(large));
    }
    throw Failed{"results differ with shared memory offered and without"};
  }

  // ---- requests that are wrong ----

  Frame ask(WorkerProcess& process,
            std::map<std::string, std::string> fields) const {
    return process.exchange({std::move(fields), {}}, options_.call_timeout);
  }

  /// A request that must be refused by one of two statuses; then the adapter
  /// must still answer.
  std::string refuses(std::map<std::string, std::string> fields) const {
    WorkerProcess process(options_);
    ask(process, {{"op", "describe"}, {"subject", options_.subject}});
    std::string how;
    try {
      ask(process, std::move(fields));
      throw Failed{"answered as if it were known"};
    } catch (const NotSupported& error) {
      how = fmt::format("not-supported: {}", error.what());
    } catch (const AdapterError& error) {
      how = error.what();
    }
    ask(process, {{"op", "describe"}, {"subject", options_.subject}});
    return first_line(how);
  }

  std::string unknown_operation() {
    return refuses({{"op", "no_such_operation"}});
  }
  std::string unknown_layer() {
    return refuses({{"op", "reseed"}, {"layer", "none"}, {"seed", "1"}});
  }

  /// Sends bytes; the adapter ends or answers "error".
  std::string survives(const std::string& bytes, bool last) {
    WorkerProcess process(options_);
    ask(process, {{"op", "describe"}, {"subject", options_.subject}});
    const auto answer = process.provoke(bytes, last, options_.call_timeout);
    if (!answer) return "it ends";
    const std::string status = answer->message.field("status");
    if (status != "ok") return fmt::format("answered by status {}", status);
    throw Failed{"answered by status ok"};
  }

  std::string no_frame() {
    const std::string text = "this is no safetensors image";
    return survives(little_endian(text.size()) + text, false);
  }
  std::string huge_length() {
    return survives(little_endian(std::uint64_t{1} << 63), true);
  }
  std::string half_a_frame() {
    return survives(little_endian(1000) + std::string(100, ' '), true);
  }
  std::string end_of_input() { return survives("", true); }

  std::string quit() {
    WorkerProcess process(options_);
    ask(process, {{"op", "describe"}, {"subject", options_.subject}});
    ask(process, {{"op", "quit"}});
    if (!process.provoke("", false, options_.call_timeout)) return "it ends";
    throw Failed{"something is sent after the answer to quit"};
  }

  static std::string first_line(const std::string& text) {
    return text.substr(0, text.find('\n'));
  }

  WorkerOptions options_;
  WorkerSubject subject_;
  const Law* law_ = nullptr;
  int timeouts_ = 0;
};

}  // namespace

std::vector<AdapterTrial> try_adapter(const WorkerOptions& options) {
  return Trials(options).run();
}

}  // namespace dropcheck::impl::adapters
