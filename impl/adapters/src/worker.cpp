#include "dropcheck/impl/adapters/worker.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <thread>

#include "dropcheck/impl/adapters/promise.hpp"
#include "dropcheck/impl/input_watch.hpp"
#include "frame_io.hpp"
#include "shared_window.hpp"
#include "strided.hpp"

namespace dropcheck::impl::adapters {
namespace {

constexpr std::size_t kInputSlots = 8;

/// What a layer is called on: a working copy, and the truth to compare with.
struct Input {
  StridedTensor original;
  StridedTensor working;
  bool dirty = false;

  Input(const WireTensor& tensor, const std::string& strides,
        std::int64_t offset)
      : original(view_of(tensor), strides, offset),
        working(view_of(tensor), strides, offset) {}

  void refresh() {
    if (dirty) working.assign(original);
    dirty = true;
  }
  /// Whether the latest call changed it; a layer that knows spares comparing.
  bool changed_by(const Layer& layer) {
    const auto* const watch = dynamic_cast<const InputWatch*>(&layer);
    dirty = watch == nullptr ? !working.same_bytes(original)
                             : watch->changed_input();
    return dirty;
  }
};

class Worker {
 public:
  Worker(const std::vector<SubjectEntry>& entries, int in, int out,
         OfferedMemory* offered)
      : entries_(entries), in_(in), out_(out), offered_(offered) {}

  int run() {
    while (!quit_) {
      Frame frame;
      if (!read_frame(frame)) return 0;
      answer(frame);
    }
    return 0;
  }

 private:
  // ---- frames ----

  /// False where the stream ends before the first byte.
  bool read_exactly(std::span<std::byte> bytes) {
    std::size_t have = 0;
    while (have < bytes.size()) {
      const ssize_t got = ::read(in_, bytes.data() + have, bytes.size() - have);
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) throw AdapterError("reading a frame failed");
      if (got == 0 && have == 0) return false;
      if (got == 0) throw AdapterError("the stream ends inside a frame");
      have += static_cast<std::size_t>(got);
    }
    return true;
  }

  bool read_frame(Frame& frame) {
    std::array<std::byte, 8> prefix{};
    if (!read_exactly(prefix)) return false;
    frame.size = frame_length(prefix);
    frame.bytes = std::make_unique_for_overwrite<std::byte[]>(frame.size);
    return read_exactly({frame.bytes.get(), frame.size}) || frame.size == 0;
  }

  void send(const Message& message) {
    OutgoingFrame frame(message);
    while (!frame.done()) {
      if (!frame.write_some(out_) && errno != EINTR) {
        throw AdapterError("the host does not read the answer");
      }
    }
  }

  void fail(const char* status, const std::string& message) {
    constexpr std::size_t kLongestMessage = 4096;
    send({{{"status", status}, {"message", message.substr(0, kLongestMessage)}},
          {}});
  }

  void answer(Frame& frame) {
    try {
      frame.message = decode({frame.bytes.get(), frame.size});
      dispatch(frame.message);
    } catch (const LayerError& error) {
      fail("layer-error", error.what());
    } catch (const MemoryViolation& error) {
      fail("memory-violation", error.what());
    } catch (const NotSupported& error) {
      fail("not-supported", error.what());
    } catch (const std::exception& error) {
      fail("error", error.what());
    }
  }

  // ---- operations ----

  void dispatch(const Message& request) {
    using Operation = void (Worker::*)(const Message&);
    static const std::map<std::string, Operation> operations = {
        {"list", &Worker::list},       {"describe", &Worker::describe},
        {"make", &Worker::make},       {"destroy", &Worker::destroy},
        {"forward", &Worker::forward}, {"backward", &Worker::backward},
        {"mask", &Worker::mask},       {"reseed", &Worker::reseed},
        {"clone", &Worker::clone},     {"shm", &Worker::share_memory},
        {"quit", &Worker::quit}};
    const std::string name = request.field("op");
    const auto found = operations.find(name);
    if (found == operations.end()) {
      throw NotSupported(fmt::format("unknown operation '{}'", name));
    }
    (this->*found->second)(request);
  }

  void ok() { send({{{"status", "ok"}}, {}}); }

  void list(const Message&) {
    auto subjects = nlohmann::json::array();
    for (const SubjectEntry& entry : entries_) {
      subjects.push_back({{"name", entry.name},
                          {"layer", entry.layer},
                          {"summary", entry.summary}});
    }
    send({{{"status", "ok"}, {"subjects", subjects.dump()}}, {}});
  }

  void describe(const Message& request) {
    Message answer{{{"status", "ok"},
                    {"protocol", kProtocolVersion},
                    {"inputs", std::to_string(kInputSlots)}},
                   {}};
    Description description = subject(request).describe();
    const SubjectEntry& named = entry(request);
    if (named.options) description.options = declared_by(named);
    describe_to(description, answer);
    promise_to(promise_of(named), answer);
    send(answer);
  }

  /// The differences that an entry declares from the law it promises.
  static DeclaredOptions declared_by(const SubjectEntry& entry) {
    const Law* const law = find_law(entry.layer);
    return declared_options(*entry.options,
                            law == nullptr ? LawOptions{} : law->options);
  }

  /// The entry that the request names; without a name, the only one.
  const SubjectEntry& entry(const Message& request) const {
    const std::string name = request.field("subject");
    for (const SubjectEntry& entry : entries_) {
      const bool only = name.empty() && entries_.size() == 1;
      if (only || entry.name == name) return entry;
    }
    throw AdapterError(fmt::format("there is no subject '{}'", name));
  }

  Subject& subject(const Message& request) {
    const SubjectEntry& named = entry(request);
    std::unique_ptr<Subject>& opened = subjects_[named.name];
    if (!opened) opened = named.open();
    return *opened;
  }

  void make(const Message& request) {
    const LayerConfig config = config_from_json(request.field("config"));
    layers_[request.field("id")] = subject(request).make(config);
    ok();
  }

  Layer& layer(const Message& request) {
    const auto found = layers_.find(request.field("layer"));
    if (found == layers_.end()) {
      throw AdapterError(
          fmt::format("there is no layer '{}'", request.field("layer")));
    }
    return *found->second;
  }

  void clone(const Message& request) {
    layers_[request.field("id")] = layer(request).clone();
    ok();
  }

  void destroy(const Message& request) {
    layers_.erase(request.field("layer"));
    ok();
  }

  /// The input that the request brings, or the one that it brought earlier.
  Input& input(const Message& request) {
    const std::int64_t slot =
        request.number("input.slot", static_cast<std::int64_t>(kInputSlots));
    auto& place = inputs_.at(static_cast<std::size_t>(slot));
    if (const WireTensor* tensor = request.find("input")) {
      place.emplace(*tensor, request.field("input.strides"),
                    request.number("input.offset", 0));
    }
    if (!place) throw AdapterError("a forward request without an input");
    place->refresh();
    return *place;
  }

  void forward(const Message& request) {
    Layer& target = layer(request);
    Input& given = input(request);
    if (offered_ != nullptr) offered_->window = window_of(request);
    const TensorView output =
        target.forward({given.working.view(), request.flag("training"),
                        request.number("repeat", 1)});
    const TensorView& view = given.working.view();
    const bool changed = given.changed_by(target);
    if (changed && !given.working.same_gaps(given.original)) {
      throw MemoryViolation("writes into the gaps of its input");
    }
    const bool alias = output.data == view.data && output.shape == view.shape &&
                       output.strides == view.strides;
    Message answer{{{"status", "ok"}}, {}};
    if (alias) answer.fields["alias"] = "input";
    const CompactBytes bytes(output);
    if (!put_into_window(request, bytes, answer)) {
      attach("output", bytes, answer);
    }
    const CompactBytes after(view);
    if (changed && !alias) {
      answer.tensors.push_back(after.wire("input_after"));
    }
    send(answer);
  }

  /// The memory that a request offers for its output; empty for none.
  std::span<std::byte> window_of(const Message& request) const {
    if (!request.fields.contains("shm.offset")) return {};
    return shared_.window(
        static_cast<std::size_t>(request.number("shm.offset", 0)),
        static_cast<std::size_t>(request.number("shm.room", 0)));
  }

  bool put_into_window(const Message& request, const CompactBytes& bytes,
                       Message& answer) {
    const auto window = window_of(request);
    const WireTensor wire = bytes.wire("output");
    if (wire.data.empty() || wire.data.size() > window.size()) return false;
    const std::less_equal<const std::byte*> before;
    if (before(window.data(), wire.data.data()) &&
        before(wire.data.data() + wire.data.size(),
               window.data() + window.size())) {
      answer.fields["output.at"] =
          std::to_string(wire.data.data() - window.data());
    } else {
      std::memcpy(window.data(), wire.data.data(), wire.data.size());
    }
    answer.fields["output.shm"] = "1";
    answer.fields["output.dtype"] = impl::name_of(dtype_of(wire.type));
    answer.fields["output.shape"] = strides_to_text(wire.shape);
    if (!bytes.strides().empty()) {
      answer.fields["output.strides"] = bytes.strides();
    }
    return true;
  }

  void backward(const Message& request) {
    Layer& target = layer(request);
    const WireTensor* gradient = request.find("grad_output");
    if (gradient == nullptr) throw AdapterError("there is no grad_output");
    const StridedTensor given(view_of(*gradient),
                              request.field("grad_output.strides"));
    const CompactBytes bytes(target.backward(given.view()));
    Message answer{{{"status", "ok"}}, {}};
    attach("grad_input", bytes, answer);
    send(answer);
  }

  void mask(const Message& request) {
    const auto entries = layer(request).mask();
    Message answer{{{"status", "ok"}}, {}};
    answer.tensors.push_back({"mask",
                              WireType::kU8,
                              {static_cast<std::int64_t>(entries.size())},
                              std::as_bytes(entries)});
    send(answer);
  }

  void reseed(const Message& request) {
    layer(request).reseed(std::stoull(request.field("seed")));
    ok();
  }

  void share_memory(const Message& request) {
    shared_.open(request.field("path"),
                 static_cast<std::size_t>(request.number("size", 0)));
    ok();
  }

  void quit(const Message&) {
    quit_ = true;
    ok();
  }

  const std::vector<SubjectEntry>& entries_;
  int in_;
  int out_;
  OfferedMemory* offered_;
  bool quit_ = false;
  SharedWindow shared_;
  std::array<std::optional<Input>, kInputSlots + 1> inputs_;
  std::map<std::string, std::unique_ptr<Subject>> subjects_;
  std::map<std::string, std::unique_ptr<Layer>> layers_;
};

}  // namespace

int serve(const std::vector<SubjectEntry>& subjects, int in, int out,
          OfferedMemory* offered) {
  try {
    return Worker(subjects, in, out, offered).run();
  } catch (const AdapterError& error) {
    fmt::print(stderr, "worker: {}\n", error.what());
    return 1;
  }
}

namespace {

/// A layer that never returns would outlive a host that was killed: nobody
/// reads the end of input. A host that ends in order closes the input too; the
/// grace lets the worker leave by itself.
void end_with_the_host() {
  std::thread([] {
    pollfd host = {STDIN_FILENO, 0, 0};
    while (::poll(&host, 1, -1) <= 0) {
    }
    std::this_thread::sleep_for(std::chrono::seconds(3));
    std::_Exit(1);
  }).detach();
}

}  // namespace

int run_worker(const std::vector<SubjectEntry>& subjects) {
  return run_worker([&] { return subjects; }, STDERR_FILENO);
}

int run_worker(const std::function<std::vector<SubjectEntry>()>& load,
               int printed, OfferedMemory* offered) {
  std::signal(SIGPIPE, SIG_IGN);
  end_with_the_host();
  const int out = ::fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
  if (out < 0 || ::dup2(printed, STDOUT_FILENO) < 0) return 1;
  std::vector<SubjectEntry> subjects;
  try {
    subjects = load();
  } catch (const AdapterError& error) {
    // The one subject of this worker, which tells why it is not there.
    subjects.resize(1);
    subjects[0].open =
        [reason = std::string(error.what())]() -> std::unique_ptr<Subject> {
      throw AdapterError(reason);
    };
  }
  return serve(subjects, STDIN_FILENO, out, offered);
}

}  // namespace dropcheck::impl::adapters
