#include "dropcheck/impl/adapters/worker_subject.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "worker_session.hpp"

namespace dropcheck::impl::adapters {
namespace {

// Small results are quicker in the frame than through another mapping.
constexpr std::size_t kSmallestShared = 16384;
// Room beside a result, for a worker that watches what its layer writes there.
constexpr std::size_t kSlack = 1024;

const WireTensor& required(const Message& message, const char* name) {
  const WireTensor* tensor = message.find(name);
  if (tensor == nullptr) {
    throw AdapterError(fmt::format("the answer has no tensor '{}'", name));
  }
  return *tensor;
}

/// A borrowed result, laid out as its strides say.
class Result {
 public:
  TensorView accept(const TensorView& values, const std::string& strides) {
    const auto address = reinterpret_cast<std::uintptr_t>(values.data);
    const bool aligned = address % impl::size_of(values.dtype) == 0;
    if (strides.empty() && aligned) return values;
    memory_ = StridedTensor(values, strides);
    return memory_.view();
  }

 private:
  StridedTensor memory_;
};

class WorkerLayer final : public Layer {
 public:
  WorkerLayer(std::shared_ptr<WorkerSession> session, std::string id)
      : session_(std::move(session)), id_(std::move(id)) {}

  WorkerLayer(const WorkerLayer&) = delete;
  WorkerLayer& operator=(const WorkerLayer&) = delete;

  ~WorkerLayer() override {
    session_->release(region_);
    session_->destroy(id_);
  }

  TensorView forward(const Call& call) override {
    const CompactBytes input(call.input);
    Message request = {{{"op", "forward"},
                        {"layer", id_},
                        {"training", call.training ? "1" : "0"},
                        {"repeat", std::to_string(call.repeat)}},
                       {}};
    offer_memory(call, request);
    session_->attach_input(input, call.input_number, request);
    frame_ = session_->exchange(request);
    return trusting([&] { return accept(call); });
  }

  TensorView backward(const TensorView& grad_output) override {
    const CompactBytes gradient(grad_output);
    Message request = {{{"op", "backward"}, {"layer", id_}}, {}};
    attach("grad_output", gradient, request);
    gradient_frame_ = session_->exchange(request);
    const Message& answer = gradient_frame_.message;
    return trusting([&] {
      return gradient_.accept(view_of(required(answer, "grad_input")),
                              answer.field("grad_input.strides"));
    });
  }

  void reseed(std::uint64_t seed) override {
    if (!session_->description().reseed) {
      throw NotSupported("the worker declares that it cannot be reseeded");
    }
    session_->exchange(
        {{{"op", "reseed"}, {"layer", id_}, {"seed", std::to_string(seed)}},
         {}});
  }

  std::span<const std::uint8_t> mask() override {
    if (!session_->description().mask_output) return Layer::mask();
    mask_frame_ = session_->exchange({{{"op", "mask"}, {"layer", id_}}, {}});
    const WireTensor& entries = required(mask_frame_.message, "mask");
    if (entries.type != WireType::kU8) {
      session_->distrust();
      throw AdapterError("the mask must have dtype U8");
    }
    return {reinterpret_cast<const std::uint8_t*>(entries.data.data()),
            entries.data.size()};
  }

  std::unique_ptr<Layer> clone() override {
    if (!session_->description().clone) return Layer::clone();
    std::string id = session_->next_id();
    session_->exchange({{{"op", "clone"}, {"layer", id_}, {"id", id}}, {}});
    return std::make_unique<WorkerLayer>(session_, std::move(id));
  }

 private:
  /// Reads an answer; one that cannot be read costs the worker its trust.
  template <class Function>
  TensorView trusting(Function read) {
    try {
      return read();
    } catch (const AdapterError&) {
      session_->distrust();
      throw;
    }
  }

  void offer_memory(const Call& call, Message& request) {
    const std::size_t bytes =
        static_cast<std::size_t>(call.input.size() * call.repeat) *
            impl::size_of(call.input.dtype) +
        kSlack;
    if (bytes < kSmallestShared) return;
    if (region_.room < bytes) {
      session_->release(region_);
      region_ = {};
      region_ = session_->acquire(bytes);
    }
    if (region_.room == 0) return;
    request.fields["shm.offset"] = std::to_string(region_.offset);
    request.fields["shm.room"] = std::to_string(region_.room);
  }

  TensorView accept(const Call& call) {
    const Message& answer = frame_.message;
    const TensorView output = output_values();
    if (call.repeat > 1 &&
        (output.shape.empty() || output.shape.front() != call.repeat)) {
      throw AdapterError(
          fmt::format("{} calls were asked for, but the output has shape {}",
                      call.repeat, to_string(output.shape)));
    }
    if (const WireTensor* after = answer.find("input_after")) {
      write_back(view_of(*after), call.input);
    }
    if (answer.field("alias") == "input") {
      write_back(output, call.input);
      return call.input;
    }
    return result_.accept(output, answer.field("output.strides"));
  }

  /// The output as compact values, in the frame or in shared memory.
  TensorView output_values() const {
    const Message& answer = frame_.message;
    if (!answer.flag("output.shm")) return view_of(required(answer, "output"));
    WireTensor wire;
    const Shape shape = strides_from_text(answer.field("output.shape"));
    const DType dtype = shared_dtype(answer.field("output.dtype"));
    const Shape strides = compact_strides(shape);
    const auto count = static_cast<std::uint64_t>(element_span(shape, strides));
    const auto at = static_cast<std::uint64_t>(answer.number("output.at", 0));
    if (at % impl::size_of(dtype) != 0 || at > region_.room ||
        count * impl::size_of(dtype) > region_.room - at) {
      throw AdapterError("the output leaves the shared memory");
    }
    return {session_->at(region_) + at, dtype, shape, strides};
  }

  static DType shared_dtype(const std::string& name) {
    const auto dtype = dtype_from_name(name);
    if (!dtype) throw AdapterError("unknown dtype '" + name + "'");
    return *dtype;
  }

  static void write_back(const TensorView& values, const TensorView& input) {
    try {
      copy(values, input);
    } catch (const std::invalid_argument& error) {
      throw AdapterError(
          fmt::format("the answer does not fit the input: {}", error.what()));
    }
  }

  std::shared_ptr<WorkerSession> session_;
  std::string id_;
  SharedArena::Region region_;
  Frame frame_;
  Frame gradient_frame_;
  Frame mask_frame_;
  Result result_;
  Result gradient_;
};

}  // namespace

WorkerSubject::WorkerSubject(WorkerOptions options)
    : options_(std::move(options)),
      session_(std::make_shared<WorkerSession>(options_)) {
  description_ = session_->description();
  promise_ = session_->promise();
}

std::unique_ptr<Layer> WorkerSubject::make(const LayerConfig& config) {
  session_->require_sound();
  if (!session_->alive()) session_ = std::make_shared<WorkerSession>(options_);
  std::string id = session_->next_id();
  session_->exchange({{{"op", "make"},
                       {"subject", options_.subject},
                       {"id", id},
                       {"config", to_json(config)}},
                      {}});
  return std::make_unique<WorkerLayer>(session_, std::move(id));
}

std::vector<ListedSubject> list_subjects(const WorkerOptions& options) {
  WorkerProcess process(options);
  const Frame frame =
      process.exchange({{{"op", "list"}}, {}}, options.start_timeout);
  std::vector<ListedSubject> subjects;
  try {
    for (const auto& entry :
         nlohmann::json::parse(frame.message.field("subjects"))) {
      subjects.push_back(
          {entry.at("name"), entry.at("layer"), entry.at("summary")});
    }
  } catch (const nlohmann::json::exception& error) {
    throw AdapterError(
        fmt::format("malformed list of subjects: {}", error.what()));
  }
  return subjects;
}

std::unique_ptr<Subject> open_command(std::vector<std::string> command,
                                      std::string subject,
                                      std::chrono::milliseconds call_timeout) {
  WorkerOptions options;
  options.command = std::move(command);
  options.subject = std::move(subject);
  options.call_timeout = call_timeout;
  return std::make_unique<WorkerSubject>(std::move(options));
}

}  // namespace dropcheck::impl::adapters
