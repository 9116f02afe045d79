#include "worker_process.hpp"

#include <fcntl.h>
#include <fmt/chrono.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <boost/process/args.hpp>
#include <boost/process/exe.hpp>
#include <boost/process/io.hpp>
#include <boost/process/search_path.hpp>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <mutex>
#include <thread>

#include "endian.hpp"
#include "printable.hpp"
#include "process_vitals.hpp"

namespace dropcheck::impl::adapters {
namespace {

namespace bp = boost::process;
using std::chrono::milliseconds;

constexpr milliseconds kWatchInterval(50);
// A process that somebody stops is given up long before the call is.
constexpr std::chrono::seconds kStoppedPatience(5);

/// A pipe that no other child inherits: a foreign copy of its ends would hide
/// that one side is gone.
bp::pipe private_pipe() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
    throw AdapterError(fmt::format("no pipe: {}", std::strerror(errno)));
  }
  return bp::pipe(ends[0], ends[1]);
}

/// Large tensors cross in fewer pieces. Refused beyond the system's limit,
/// which costs nothing but speed.
void widen(int descriptor) {
  constexpr int kSize = 1 << 20;
  ::fcntl(descriptor, F_SETPIPE_SZ, kSize);
}

void make_nonblocking(int descriptor) {
  ::fcntl(descriptor, F_SETFL, ::fcntl(descriptor, F_GETFL) | O_NONBLOCK);
}

/// Keeps SIGPIPE from this thread while a worker may be gone.
class NoSigpipe {
 public:
  NoSigpipe() {
    sigemptyset(&pipe_);
    sigaddset(&pipe_, SIGPIPE);
    sigset_t pending;
    sigpending(&pending);
    was_pending_ = sigismember(&pending, SIGPIPE) == 1;
    pthread_sigmask(SIG_BLOCK, &pipe_, &before_);
  }
  ~NoSigpipe() {
    const timespec now = {0, 0};
    while (!was_pending_ && sigtimedwait(&pipe_, nullptr, &now) == SIGPIPE) {
    }
    pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  }
  NoSigpipe(const NoSigpipe&) = delete;
  NoSigpipe& operator=(const NoSigpipe&) = delete;

 private:
  sigset_t pipe_{};
  sigset_t before_{};
  bool was_pending_ = false;
};

std::string find_program(const std::vector<std::string>& command) {
  if (command.empty()) throw AdapterError("the worker's command is empty");
  const std::string& name = command.front();
  if (name.find('/') != std::string::npos) return name;
  const auto path = bp::search_path(name);
  if (path.empty()) throw AdapterError("there is no program '" + name + "'");
  return path.string();
}

// Boost marks its error pipe close-on-exec only after making it; two launches
// at once could leak it into the other child.
bp::child launch(const WorkerOptions& options, bp::pipe& in, bp::pipe& out,
                 bp::pipe& err, bp::group& group) {
  static std::mutex mutex;
  const std::string program = find_program(options.command);
  const std::vector<std::string> arguments(options.command.begin() + 1,
                                           options.command.end());
  const std::lock_guard lock(mutex);
  std::error_code error;
  bp::child child(bp::exe = program, bp::args = arguments,
                  bp::std_in<in, bp::std_out> out, bp::std_err > err, group,
                  error);
  if (error) {
    throw AdapterError(
        fmt::format("cannot start '{}': {}", program, error.message()));
  }
  return child;
}

std::string ending_in_words(int status) {
  if (WIFSIGNALED(status)) {
    const int signal = WTERMSIG(status);
    const char* name = ::sigabbrev_np(signal);
    return fmt::format("was killed by SIG{} ({})", name ? name : "?",
                       ::strsignal(signal));
  }
  return fmt::format("exited with status {}", WEXITSTATUS(status));
}

/// The process used more memory than it may.
struct MemoryBlowUp {
  std::uint64_t bytes;
};

double gibibytes(std::uint64_t bytes) {
  return static_cast<double>(bytes) / (1 << 30);
}

Message decode_or_show(std::span<const std::byte> image) {
  try {
    return decode(image);
  } catch (const AdapterError& error) {
    throw AdapterError(fmt::format("{}; the answer begins '{}'", error.what(),
                                   printable(image)));
  }
}

}  // namespace

/// An answer under way: 8 bytes of length, then the frame.
struct WorkerProcess::Incoming {
  std::array<std::byte, 8> prefix{};
  std::uint64_t have = 0;  ///< bytes of prefix and frame together
  Frame frame;
  bool checked = false;  ///< that the header fits into the frame

  bool in_prefix() const { return have < prefix.size(); }
  std::span<std::byte> missing() {
    if (in_prefix()) return std::span(prefix).subspan(have);
    return std::span(frame.bytes.get(), frame.size).subspan(have - 8);
  }
  /// Throws AdapterError once it is clear that no frame comes, rather than
  /// wait for what a length that is none announces.
  void require_sense() {
    if (checked || have < prefix.size() + 8 || frame.size < 8) return;
    checked = true;
    const std::span<const std::byte, 8> length(frame.bytes.get(), 8);
    try {
      require_header_fits(from_little_endian(length), frame.size);
    } catch (const AdapterError& error) {
      throw AdapterError(fmt::format(
          "{}{}; the answer begins '{}'", error.what(), suspicion_of(prefix),
          printable({frame.bytes.get(), have - prefix.size()})));
    }
  }

  /// How much has come, as the end of a sentence; empty for nothing.
  std::string progress() const {
    if (have == 0) return "";
    if (in_prefix()) return fmt::format(" after {} bytes of a length", have);
    const std::uint64_t got = have - prefix.size();
    return fmt::format(" after {} of {} bytes of an answer that begins '{}'",
                       got, frame.size, printable({frame.bytes.get(), got}));
  }
};

WorkerProcess::WorkerProcess(const WorkerOptions& options)
    : longest_frame_(options.longest_frame),
      memory_limit_(options.memory_limit > 0 ? options.memory_limit
                                             : default_memory_limit()),
      watched_(Clock::now()),
      in_(private_pipe()),
      out_(private_pipe()),
      err_(private_pipe()),
      child_(launch(options, in_, out_, err_, group_)) {
  widen(in_.native_sink());
  widen(out_.native_source());
  make_nonblocking(in_.native_sink());
  make_nonblocking(out_.native_source());
  make_nonblocking(err_.native_source());
}

WorkerProcess::~WorkerProcess() {
  try {
    if (alive_) {
      in_.close();
      end(std::chrono::seconds(2));
    }
  } catch (...) {
    // A destructor has nobody to tell; the process group has been killed.
  }
}

Frame WorkerProcess::exchange(const Message& request, milliseconds timeout) {
  if (!alive_) {
    throw SubjectCrashed("the worker of this layer has ended before" +
                         (why_ended_.empty() ? "" : ": " + why_ended_));
  }
  OutgoingFrame outgoing(request);
  if (outgoing.size() > longest_frame_) {
    throw AdapterError(fmt::format("the request has {} bytes, the limit is {}",
                                   outgoing.size(), longest_frame_));
  }
  const std::string operation = request.field("op");
  Incoming incoming;
  Frame frame;
  try {
    refuse_unasked();
    frame = transfer(outgoing, incoming, Clock::now() + timeout);
    frame.message = decode_or_show({frame.bytes.get(), frame.size});
  } catch (const SubjectTimeout&) {
    const std::string meanwhile = what_it_did();
    end(milliseconds(0));
    throw SubjectTimeout(because(fmt::format(
        "the worker did not answer '{}' within {} and was killed{}{}",
        operation,
        pulse_.stopped ? std::min(timeout, milliseconds(kStoppedPatience))
                       : timeout,
        incoming.progress(), meanwhile)));
  } catch (const SubjectCrashed&) {
    const std::string how = end(std::chrono::seconds(1));
    throw SubjectCrashed(because(fmt::format("the worker {} during '{}'{}", how,
                                             operation, incoming.progress())));
  } catch (const MemoryBlowUp& blow_up) {
    end(milliseconds(0));
    throw SubjectCrashed(because(fmt::format(
        "the worker used {:.2f} GiB of memory during '{}', more than the {:.2f}"
        " that it may, and was killed",
        gibibytes(blow_up.bytes), operation, gibibytes(memory_limit_))));
  } catch (const AdapterError& error) {
    end(milliseconds(0));
    throw AdapterError(
        because(fmt::format("during '{}': {}", operation, error.what())));
  }
  check_status(frame.message);
  return frame;
}

std::optional<Frame> WorkerProcess::provoke(const std::string& bytes, bool last,
                                            milliseconds timeout) {
  const NoSigpipe guard;
  // So few bytes always fit; where nobody reads them the end is seen below.
  const ssize_t sent = ::write(in_.native_sink(), bytes.data(), bytes.size());
  if (sent < 0 && errno != EPIPE) throw AdapterError("cannot write");
  if (last) in_.close();
  OutgoingFrame nothing;
  Incoming incoming;
  try {
    Frame frame = transfer(nothing, incoming, Clock::now() + timeout);
    frame.message = decode_or_show({frame.bytes.get(), frame.size});
    return frame;
  } catch (const SubjectCrashed&) {
    end(std::chrono::seconds(1));
    return std::nullopt;
  } catch (const SubjectTimeout&) {
    end(milliseconds(0));
    throw SubjectTimeout(
        fmt::format("it neither answers nor ends within {}", timeout));
  } catch (const MemoryBlowUp& blow_up) {
    end(milliseconds(0));
    throw SubjectCrashed(
        fmt::format("it uses {:.2f} GiB of memory", gibibytes(blow_up.bytes)));
  }
}

bool WorkerProcess::ready_for_another() {
  if (!alive_ || !trusted_ || exits_within(milliseconds(0))) return false;
  if (!says_nothing(milliseconds(0))) return false;
  drain_errors();
  errors_.clear();
  return true;
}

bool WorkerProcess::says_nothing(milliseconds for_so_long) const {
  pollfd output = {out_.native_source(), POLLIN, 0};
  return ::poll(&output, 1, static_cast<int>(for_so_long.count())) == 0;
}

// An answer to nothing would be taken for the answer to the next request.
void WorkerProcess::refuse_unasked() {
  pollfd output = {out_.native_source(), POLLIN, 0};
  if (::poll(&output, 1, 0) <= 0 || (output.revents & POLLIN) == 0) return;
  throw AdapterError(
      fmt::format("the worker sent what nobody asked for: '{}'; does it print "
                  "to its standard output?",
                  rest_of_output()));
}

/// What else stands in the output, as text.
std::string WorkerProcess::rest_of_output() {
  constexpr int kPatienceMilliseconds = 20;
  pollfd output = {out_.native_source(), POLLIN, 0};
  std::array<std::byte, 200> buffer{};
  if (::poll(&output, 1, kPatienceMilliseconds) <= 0) return "";
  const ssize_t got =
      ::read(out_.native_source(), buffer.data(), buffer.size());
  if (got <= 0) return "";
  return printable(std::span(buffer).first(static_cast<std::size_t>(got)),
                   buffer.size());
}

Frame WorkerProcess::transfer(OutgoingFrame& outgoing, Incoming& incoming,
                              Clock::time_point deadline) {
  const NoSigpipe guard;
  can_write_ = true;
  pulse_ = {};
  for (;;) {
    if (!outgoing.done() && can_write_) write(outgoing);
    if (read(incoming)) break;
    wait_for_events(outgoing, deadline);
    drain_errors();
  }
  if (!outgoing.done()) {
    throw AdapterError("the worker answered before it had the whole request");
  }
  return std::move(incoming.frame);
}

// Returns when something can be written or read. A worker that answers within
// the deadline but never stops talking is caught by the same deadline.
void WorkerProcess::wait_for_events(const OutgoingFrame& outgoing,
                                    Clock::time_point deadline) {
  const auto left = std::chrono::ceil<milliseconds>(deadline - Clock::now());
  if (left.count() <= 0) throw SubjectTimeout("");
  const bool writing = !outgoing.done() && can_write_;
  std::array<pollfd, 3> events{
      {{out_.native_source(), POLLIN, 0},
       {err_.native_source(), POLLIN, 0},
       {writing ? in_.native_sink() : -1, POLLOUT, 0}}};
  if (err_.native_source() < 0) events[1].fd = -1;
  ::poll(events.data(), events.size(),
         static_cast<int>(std::min(left, kWatchInterval).count()));
  watch();
}

// Memory by its use, not by a limit on its addresses, which sanitizers and
// drivers reserve by the terabyte.
void WorkerProcess::watch() {
  const Clock::time_point now = Clock::now();
  if (now - watched_ < kWatchInterval) return;
  watched_ = now;
  const Vitals vitals = vitals_of(child_.id());
  if (vitals.resident_bytes > memory_limit_) {
    throw MemoryBlowUp{vitals.resident_bytes};
  }
  if (!pulse_.began) {
    pulse_ = {now, vitals.processor_seconds, now, vitals.stopped};
  }
  pulse_.stopped = vitals.stopped;
  if (!vitals.stopped) pulse_.ran = now;
  if (now - pulse_.ran > kStoppedPatience) throw SubjectTimeout("");
}

/// What a worker that is late did meanwhile, as the end of a sentence.
std::string WorkerProcess::what_it_did() const {
  if (!pulse_.began) return "";
  if (pulse_.stopped) return ": it was stopped (SIGSTOP, or a debugger)";
  const double used =
      vitals_of(child_.id()).processor_seconds - pulse_.processor_seconds;
  const double passed =
      std::chrono::duration<double>(Clock::now() - *pulse_.began).count();
  // On a busy machine a process that computes gets a part of a processor.
  return used < 0.1 * passed ? ": it was waiting, not computing"
                             : ": it was computing";
}

void WorkerProcess::write(OutgoingFrame& outgoing) {
  if (outgoing.write_some(in_.native_sink())) return;
  // The reading side will tell how the process ended.
  if (errno == EPIPE) can_write_ = false;
}

void WorkerProcess::show_rest(const AdapterError& error) {
  const std::string_view what = error.what();
  const std::string rest = rest_of_output();
  if (rest.empty()) throw AdapterError(std::string(what));
  throw AdapterError(
      fmt::format("{}{} '{}'", what,
                  what.ends_with('?') ? " It goes on" : "; it goes on", rest));
}

void WorkerProcess::take_length(Incoming& incoming) {
  try {
    incoming.frame.size = frame_length(incoming.prefix, longest_frame_);
  } catch (const AdapterError& error) {
    show_rest(error);
  }
  incoming.frame.bytes =
      std::make_unique_for_overwrite<std::byte[]>(incoming.frame.size);
}

/// True where the answer is complete.
bool WorkerProcess::read(Incoming& incoming) {
  for (;;) {
    const auto missing = incoming.missing();
    if (!incoming.in_prefix() && missing.empty()) return true;
    const ssize_t got =
        ::read(out_.native_source(), missing.data(), missing.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0 && errno == EAGAIN) return false;
    if (got <= 0) throw SubjectCrashed("");
    incoming.have += static_cast<std::uint64_t>(got);
    if (incoming.have == incoming.prefix.size()) {
      take_length(incoming);
    } else {
      incoming.require_sense();
    }
  }
}

void WorkerProcess::drain_errors() {
  constexpr std::size_t kKept = 4096;
  std::array<char, 4096> buffer{};
  while (err_.native_source() >= 0) {
    const ssize_t got =
        ::read(err_.native_source(), buffer.data(), buffer.size());
    if (got < 0) break;
    if (got == 0) {
      ::close(err_.native_source());
      err_.assign_source(-1);
      break;
    }
    errors_.append(buffer.data(), static_cast<std::size_t>(got));
    if (errors_.size() > 2 * kKept) errors_.erase(0, errors_.size() - kKept);
  }
}

void WorkerProcess::check_status(const Message& answer) {
  const std::string status = answer.field("status");
  const std::string message = answer.field("message");
  if (status == "ok") return;
  if (status == "layer-error") throw LayerError(message);
  if (status == "not-supported") throw NotSupported(message);
  if (status == "memory-violation") throw MemoryViolation(message);
  trusted_ = false;
  if (status == "error") throw AdapterError("the worker says: " + message);
  end(milliseconds(0));
  throw AdapterError(
      because(answer.fields.contains("status")
                  ? fmt::format("the worker answers status '{}'", status)
                  : "the worker's answer has no status, such as \"ok\""));
}

// Leaves the process unreaped, so that its group number stays taken.
bool WorkerProcess::exits_within(milliseconds patience) const {
  const auto deadline = Clock::now() + patience;
  for (;;) {
    siginfo_t info = {};
    const int result = ::waitid(P_PID, static_cast<id_t>(child_.id()), &info,
                                WEXITED | WNOHANG | WNOWAIT);
    if (result != 0 || info.si_pid != 0) return true;
    if (Clock::now() >= deadline) return false;
    std::this_thread::sleep_for(milliseconds(1));
  }
}

std::string WorkerProcess::end(milliseconds patience) {
  alive_ = false;
  const bool by_itself = exits_within(patience);
  std::error_code ignored;
  group_.terminate(ignored);
  group_.detach();
  child_.wait(ignored);
  drain_errors();
  return by_itself ? ending_in_words(child_.native_exit_code())
                   : "closed its output and was killed";
}

std::string WorkerProcess::because(const std::string& reason) {
  why_ended_ = reason;
  return with_errors(reason);
}

std::string WorkerProcess::with_errors(std::string text) {
  while (!errors_.empty() && errors_.back() == '\n') errors_.pop_back();
  if (!errors_.empty()) text += "; its standard error ends:\n" + errors_;
  return text;
}

}  // namespace dropcheck::impl::adapters
