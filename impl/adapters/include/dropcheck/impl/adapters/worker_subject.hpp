#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "dropcheck/impl/adapters/promise.hpp"
#include "dropcheck/impl/adapters/protocol.hpp"
#include "dropcheck/impl/subject.hpp"

namespace dropcheck::impl::adapters {

class WorkerSession;

/// How a worker is started and how long it may take.
struct WorkerOptions {
  /// Program and arguments. A name without a slash is looked up in PATH.
  std::vector<std::string> command;
  std::string subject;  ///< its name in the worker; empty: the only one
  std::chrono::milliseconds call_timeout = std::chrono::seconds(60);
  std::chrono::milliseconds start_timeout = std::chrono::seconds(60);
  std::uint64_t longest_frame = kLongestFrame;
  /// Bytes that the process and those it starts may use; 0 is half of what
  /// there is. One that uses more is killed.
  std::uint64_t memory_limit = 0;
  bool shared_memory = true;  ///< offer memory for large results
  /// Take over a process that another subject of the same command has left,
  /// and leave it to the next one.
  bool reuse = true;
};

/// A subject that lives in a process of its own and speaks PROTOCOL.md.
///
/// Errors  SubjectCrashed, SubjectTimeout, LayerError, NotSupported and
///         AdapterError as their names say. After a crash, a timeout or
///         garbage the process group is killed; layers made before are lost
///         and say so, the next `make` starts another process.
/// Threads one at a time; open another one for another thread.
class WorkerSubject final : public Subject {
 public:
  /// Starts the process or takes one over. Throws AdapterError if it does not
  /// start and describe itself.
  explicit WorkerSubject(WorkerOptions options);

  const Description& describe() const override { return description_; }
  std::unique_ptr<Layer> make(const LayerConfig& config) override;

  /// What the worker says that the layer keeps.
  const Promise& promise() const { return promise_; }

 private:
  WorkerOptions options_;
  Description description_;
  Promise promise_;
  std::shared_ptr<WorkerSession> session_;
};

/// What a worker says that it serves.
struct ListedSubject {
  std::string name;
  std::string layer;
  std::string summary;
};
std::vector<ListedSubject> list_subjects(const WorkerOptions& options);

/// Opens `subject` (empty: the only one) of the worker `command`.
std::unique_ptr<Subject> open_command(
    std::vector<std::string> command, std::string subject = "",
    std::chrono::milliseconds call_timeout = std::chrono::seconds(60));

}  // namespace dropcheck::impl::adapters
