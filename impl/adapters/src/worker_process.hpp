#pragma once

#include <boost/process/child.hpp>
#include <boost/process/group.hpp>
#include <boost/process/pipe.hpp>
#include <chrono>
#include <optional>
#include <string>

#include "dropcheck/impl/adapters/worker_subject.hpp"
#include "frame_io.hpp"

namespace dropcheck::impl::adapters {

/// A worker process, its three pipes and the exchange of frames with it.
/// Every failure of the exchange ends the process.
class WorkerProcess {
 public:
  /// Throws AdapterError if there is no such program.
  explicit WorkerProcess(const WorkerOptions& options);
  ~WorkerProcess();
  WorkerProcess(const WorkerProcess&) = delete;
  WorkerProcess& operator=(const WorkerProcess&) = delete;

  bool alive() const { return alive_; }

  /// Whether another subject may take the process over: it runs, has answered
  /// whatever it was asked, never "error", and says nothing unasked. Forgets
  /// what it wrote to standard error so far.
  bool ready_for_another();

  /// Sends `request` and returns the answer, whose status is "ok"; any other
  /// status becomes an exception.
  Frame exchange(const Message& request, std::chrono::milliseconds timeout);

  /// Whether nothing comes for so long, with nothing asked.
  bool says_nothing(std::chrono::milliseconds for_so_long) const;

  /// Sends a few bytes that need be no frame, and with `last` the end of input.
  /// Returns what is answered, or nothing where the process ends. Throws
  /// SubjectTimeout where it does neither, AdapterError for garbage.
  std::optional<Frame> provoke(const std::string& bytes, bool last,
                               std::chrono::milliseconds timeout);

 private:
  using Clock = std::chrono::steady_clock;
  struct Incoming;

  Frame transfer(OutgoingFrame& outgoing, Incoming& incoming,
                 Clock::time_point deadline);
  void wait_for_events(const OutgoingFrame& outgoing,
                       Clock::time_point deadline);
  void watch();
  std::string what_it_did() const;
  void refuse_unasked();
  std::string rest_of_output();
  [[noreturn]] void show_rest(const AdapterError& error);
  void take_length(Incoming& incoming);
  void write(OutgoingFrame& outgoing);
  bool read(Incoming& incoming);
  void drain_errors();
  void check_status(const Message& answer);
  bool exits_within(std::chrono::milliseconds patience) const;
  /// Ends the process group and says how the process ended, in words.
  std::string end(std::chrono::milliseconds patience);
  std::string with_errors(std::string text);
  /// Notes why the process was ended; the error in full.
  std::string because(const std::string& reason);

  std::uint64_t longest_frame_;
  std::uint64_t memory_limit_;
  Clock::time_point watched_;  ///< when its vitals were last looked at
  /// Of the request under way, once it takes long enough to be watched.
  struct Pulse {
    std::optional<Clock::time_point> began = std::nullopt;
    double processor_seconds = 0;  ///< that were used by then
    Clock::time_point ran = {};    ///< when it was last seen not stopped
    bool stopped = false;
  };
  Pulse pulse_;
  boost::process::pipe in_;
  boost::process::pipe out_;
  boost::process::pipe err_;
  boost::process::group group_;
  boost::process::child child_;
  std::string errors_;  ///< the last few KiB of standard error
  bool alive_ = true;
  std::string why_ended_;
  bool trusted_ = true;  ///< never answered "error"
  bool can_write_ = true;
};

}  // namespace dropcheck::impl::adapters
