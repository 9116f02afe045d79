#include "dropcheck/reports/atomic_write.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <string>

namespace dropcheck::reports {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void fail(const fs::path& path, const std::string& reason) {
  throw std::runtime_error(
      fmt::format("cannot write {}: {}", path.string(), reason));
}

[[noreturn]] void fail_with_errno(const fs::path& path) {
  fail(path, std::strerror(errno));
}

fs::path directory_of(const fs::path& path) {
  return path.has_parent_path() ? path.parent_path() : fs::path(".");
}

// A symbolic link stays one: the file that it points to is replaced.
fs::path target_of(const fs::path& path) {
  std::error_code ignored;
  const fs::path resolved = fs::weakly_canonical(path, ignored);
  return fs::is_symlink(path, ignored) && !resolved.empty() ? resolved : path;
}

void check_place(const fs::path& path) {
  std::error_code error;
  if (path.filename().empty()) fail(path, "it names no file");
  const fs::path directory = directory_of(path);
  if (!fs::exists(directory, error)) {
    fail(path, "directory " + directory.string() + " does not exist");
  }
  if (!fs::is_directory(directory, error)) {
    fail(path, directory.string() + " is not a directory");
  }
  if (fs::is_directory(path, error)) fail(path, "it is a directory");
}

// A file beside the target that vanishes unless it is renamed.
class Draft {
 public:
  explicit Draft(const fs::path& path)
      : path_(path), name_(path.string() + ".XXXXXX") {
    descriptor_ = ::mkstemp(name_.data());
    if (descriptor_ < 0) fail_with_errno(path_);
  }
  Draft(const Draft&) = delete;
  Draft& operator=(const Draft&) = delete;
  ~Draft() {
    if (descriptor_ >= 0) ::close(descriptor_);
    if (!name_.empty()) ::unlink(name_.c_str());
  }

  void write(std::string_view text) {
    while (!text.empty()) {
      const ssize_t written = ::write(descriptor_, text.data(), text.size());
      if (written < 0 && errno == EINTR) continue;
      if (written < 0) fail_with_errno(path_);
      text.remove_prefix(static_cast<std::size_t>(written));
    }
  }

  void become_target() {
    // mkstemp makes files private; a report has the rights of other files.
    const mode_t mask = ::umask(0);
    ::umask(mask);
    if (::fchmod(descriptor_, 0666 & ~mask) != 0) fail_with_errno(path_);
    if (::fsync(descriptor_) != 0 && errno != EINVAL) fail_with_errno(path_);
    const int closed = ::close(descriptor_);
    descriptor_ = -1;
    if (closed != 0) fail_with_errno(path_);
    if (::rename(name_.c_str(), path_.c_str()) != 0) fail_with_errno(path_);
    name_.clear();
  }

 private:
  fs::path path_;
  std::string name_;
  int descriptor_ = -1;
};

}  // namespace

// /dev/stdout and pipes cannot be renamed over: they are written to.
static bool is_stream(const fs::path& path) {
  std::error_code error;
  const fs::file_status status = fs::status(path, error);
  return fs::exists(status) && !fs::is_regular_file(status) &&
         !fs::is_directory(status);
}

static void write_stream(const fs::path& path, std::string_view text) {
  const int descriptor = ::open(path.c_str(), O_WRONLY | O_CLOEXEC);
  if (descriptor < 0) fail_with_errno(path);
  while (!text.empty()) {
    const ssize_t written = ::write(descriptor, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) {
      const int reason = errno;
      ::close(descriptor);
      fail(path, std::strerror(reason));
    }
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  ::close(descriptor);
}

void atomic_write(const fs::path& path, std::string_view text) {
  if (is_stream(path)) return write_stream(path, text);
  check_place(path);
  Draft draft(target_of(path));
  draft.write(text);
  draft.become_target();
}

void check_writable(const fs::path& path) {
  if (is_stream(path)) {
    if (::access(path.c_str(), W_OK) != 0) fail_with_errno(path);
    return;
  }
  check_place(path);
  const Draft draft(target_of(path));
}

}  // namespace dropcheck::reports
