#include "dropcheck/impl/adapters/doors.hpp"

#include <fmt/format.h>
#include <wordexp.h>

#include <algorithm>
#include <cstdlib>
#include <stdexcept>

#include "dropcheck/impl/adapters/plugin_subjects.hpp"
#include "dropcheck/impl/adapters/promise.hpp"
#include "dropcheck/impl/adapters/worker_subject.hpp"

namespace dropcheck::impl::adapters {
namespace {

constexpr std::string_view kCommand = "cmd:";
constexpr std::string_view kLibrary = "lib:";
constexpr std::string_view kPython = "py:";

/// The words of a command line, as a shell reads them.
std::vector<std::string> words_of(const std::string& text) {
  wordexp_t found = {};
  const int error =
      ::wordexp(text.c_str(), &found, WRDE_NOCMD | WRDE_UNDEF | WRDE_SHOWERR);
  std::vector<std::string> words;
  if (error == 0) words.assign(found.we_wordv, found.we_wordv + found.we_wordc);
  if (error == 0 || error == WRDE_NOSPACE) ::wordfree(&found);
  const char* rule = error == WRDE_SYNTAX   ? "quotes and brackets must match"
                     : error == WRDE_BADVAL ? "variables must be set"
                     : error == WRDE_CMDSUB ? "commands are not expanded"
                                            : "|, &, ;, <, >, (, ), {, } and "
                                              "line ends must be in quotes";
  if (error != 0) {
    throw std::invalid_argument(
        fmt::format("the command is '{}', but {}", text, rule));
  }
  if (words.empty()) throw std::invalid_argument("the command is empty");
  return words;
}

/// "cmd:COMMAND#NAME": the name is behind the last # that no blank or slash
/// follows.
struct Door {
  std::string scheme;   ///< "cmd:", "lib:" or "py:"
  std::string target;   ///< a command line, a path, or MODULE:NAME
  std::string subject;  ///< empty: all
};

Door door_of(const std::string& name) {
  const std::string scheme = name.substr(0, name.find(':') + 1);
  const std::string text = name.substr(scheme.size());
  const std::size_t mark = text.rfind('#');
  const bool named = mark != std::string::npos && mark + 1 < text.size() &&
                     text.find_first_of(" /", mark) == std::string::npos;
  if (!named) return {scheme, text, ""};
  return {scheme, text.substr(0, mark), text.substr(mark + 1)};
}

std::string full_name(const Door& door, const std::string& subject) {
  return door.scheme + door.target + (subject.empty() ? "" : "#" + subject);
}

/// The names that a worker serves; one empty name where it is a single one.
std::vector<std::string> names_served(const WorkerOptions& options) {
  try {
    std::vector<std::string> names;
    for (const ListedSubject& one : list_subjects(options)) {
      names.push_back(one.name);
    }
    if (names.size() == 1) return {""};
    if (!names.empty()) return names;
    throw AdapterError("the worker serves no subject");
  } catch (const NotSupported&) {
    return {""};
  }
}

/// A single subject may be called by the name that it describes itself with.
void require_served(const std::string& name,
                    const std::vector<std::string>& names,
                    WorkerOptions worker) {
  if (std::ranges::find(names, name) != names.end()) return;
  std::string own;
  if (names.size() == 1) {
    worker.subject.clear();
    own = WorkerSubject(worker).describe().name;
    if (own == name) return;
  }
  throw AdapterError(fmt::format(
      "there is no subject '{}', but {}", name,
      own.empty() ? fmt::format("{}", fmt::join(names, ", ")) : own));
}

std::string law_or_refuse(const Promise& promise, const DoorOptions& options) {
  const std::string& layer =
      promise.layer.empty() ? options.layer : promise.layer;
  if (!layer.empty()) return layer;
  throw std::invalid_argument(
      "does not say which layer it is: name it with one --layer");
}

SubjectEntry entry_of(const std::string& name, const WorkerOptions& worker,
                      const DoorOptions& options) {
  const WorkerSubject subject(worker);
  const Promise& promise = subject.promise();
  SubjectEntry entry;
  entry.name = name;
  entry.layer = law_or_refuse(promise, options);
  entry.summary = promise.summary;
  entry.spatial_axes = promise.spatial_axes;
  entry.variants = promise.variants;
  for (LayerConfig& variant : entry.variants) variant.layer = entry.layer;
  entry.open = [worker] { return std::make_unique<WorkerSubject>(worker); };
  entry.open_within = [worker](std::chrono::milliseconds limit) {
    WorkerOptions limited = worker;
    limited.call_timeout = limit;
    return std::make_unique<WorkerSubject>(limited);
  };
  return entry;
}

std::string library_of(const Door& door) {
  if (!door.target.empty()) return door.target;
  throw std::invalid_argument("the path of the library is empty");
}

/// The Python package answers for a function, a class or a layer.
std::vector<std::string> python_command(const Door& door) {
  const std::size_t colon = door.target.find(':');
  if (colon == 0 || colon == std::string::npos ||
      colon + 1 == door.target.size()) {
    throw std::invalid_argument(fmt::format(
        "the Python object is '{}', but must be MODULE:NAME", door.target));
  }
  const char* python = std::getenv("DROPCHECK_PYTHON");
  const bool named = python != nullptr && *python != '\0';
  return {named ? python : "python3", "-m", "dropcheck.worker", door.target};
}

std::vector<std::string> command_of(const Door& door) {
  if (door.scheme == kCommand) return words_of(door.target);
  if (door.scheme == kPython) return python_command(door);
  const std::string worker = plugin_worker_path();
  if (!worker.empty()) return {worker, library_of(door)};
  throw AdapterError(
      "there is no dropcheck-plugin-worker: set DROPCHECK_PLUGIN_WORKER to the "
      "program");
}

/// Layers of a library in this process.
std::vector<SubjectEntry> open_in_process(const Door& door) {
  std::vector<SubjectEntry> entries = plugin_subjects(library_of(door));
  const bool single = entries.size() == 1;
  std::erase_if(entries, [&](const SubjectEntry& entry) {
    return !door.subject.empty() && entry.name != door.subject;
  });
  if (entries.empty()) {
    throw AdapterError(fmt::format("there is no subject '{}'", door.subject));
  }
  for (SubjectEntry& entry : entries) {
    const std::string name = single && door.subject.empty() ? "" : entry.name;
    entry.name = full_name(door, name);
  }
  return entries;
}

std::vector<SubjectEntry> open(const std::string& name,
                               const DoorOptions& options) {
  const Door door = door_of(name);
  if (options.in_process && door.scheme == kLibrary) {
    return open_in_process(door);
  }
  WorkerOptions worker;
  worker.command = command_of(door);
  worker.call_timeout = options.call_timeout;
  std::vector<std::string> names = names_served(worker);
  if (!door.subject.empty()) {
    require_served(door.subject, names, worker);
    names = {door.subject};
  }
  std::vector<SubjectEntry> entries;
  for (const std::string& one : names) {
    worker.subject = one;
    entries.push_back(entry_of(full_name(door, one), worker, options));
  }
  return entries;
}

}  // namespace

bool is_door(std::string_view name) {
  return name.starts_with(kCommand) || name.starts_with(kLibrary) ||
         name.starts_with(kPython);
}

std::vector<SubjectEntry> open_door(const std::string& name,
                                    const DoorOptions& options) {
  try {
    return open(name, options);
  } catch (const std::invalid_argument& error) {
    throw std::invalid_argument(fmt::format("{}: {}", name, error.what()));
  } catch (const std::runtime_error& error) {
    throw AdapterError(fmt::format("{}: {}", name, error.what()));
  }
}

}  // namespace dropcheck::impl::adapters
