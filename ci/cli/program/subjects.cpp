#include <chrono>
#include <stdexcept>

#include "commands.hpp"
#include "dropcheck/cli/usage_error.hpp"
#include "dropcheck/impl/adapters/doors.hpp"
#include "dropcheck/impl/adapters/torch_subjects.hpp"
#include "dropcheck/impl/law.hpp"
#include "dropcheck/impl/odd_subjects.hpp"
#include "dropcheck/properties/check_catalogue.hpp"

namespace dropcheck::cli {

std::vector<const impl::Law*> all_laws() {
  std::vector<const impl::Law*> all;
  for (const auto& law : impl::laws()) all.push_back(&law);
  for (const auto& law : impl::network_laws()) all.push_back(&law);
  return all;
}

std::vector<std::string> layer_names() {
  std::vector<std::string> names;
  for (const impl::Law* law : all_laws()) names.emplace_back(law->layer);
  return names;
}

std::vector<std::string> check_names() {
  std::vector<std::string> names;
  names.reserve(properties::checks().size());
  for (const auto& check : properties::checks()) names.emplace_back(check.name);
  return names;
}

namespace {

using Entries = std::vector<impl::SubjectEntry>;

Entries open_or_refuse(const std::string& name,
                       const impl::adapters::DoorOptions& options) {
  try {
    return impl::adapters::open_door(name, options);
  } catch (const std::invalid_argument& error) {
    throw UsageError(error.what());
  }
}

}  // namespace

Named named_by(const Options& options) {
  const bool one = options.layers.size() == 1;
  return {options.subjects, one ? options.layers.front() : ""};
}

std::vector<impl::SubjectEntry> all_subjects(const Options& options,
                                             const Named& named) {
  std::vector<impl::SubjectEntry> entries;
  for (const auto* some : {&impl::builtin_subjects(), &impl::builtin_networks(),
                           &impl::odd_subjects(), &impl::faulty_subjects(),
                           &impl::faulty_networks()}) {
    entries.insert(entries.end(), some->begin(), some->end());
  }
  const std::chrono::milliseconds timeout(
      static_cast<std::int64_t>(1000 * options.call_timeout_seconds));
  const auto torch = impl::adapters::torch_subjects(timeout);
  entries.insert(entries.end(), torch.begin(), torch.end());
  for (const std::string& name : named.subjects) {
    if (!impl::adapters::is_door(name)) continue;
    const Entries opened =
        open_or_refuse(name, {timeout, named.layer, options.in_process});
    entries.insert(entries.end(), opened.begin(), opened.end());
  }
  return entries;
}

void refuse_workers(const Options& options,
                    const std::vector<impl::SubjectEntry>& entries) {
  if (!options.in_process) return;
  for (const impl::SubjectEntry& entry : entries) {
    const bool worker =
        entry.name.starts_with("torch:") || entry.name.starts_with("cmd:");
    if (!worker) continue;
    throw UsageError("--in-process is given, but " + entry.name +
                     " lives in a worker process; builtin:, faulty: and "
                     "lib: subjects need not");
  }
}

}  // namespace dropcheck::cli
