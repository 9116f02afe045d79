#include <chrono>

#include "commands.hpp"
#include "dropcheck/cli/usage_error.hpp"
#include "dropcheck/impl/adapters/torch_subjects.hpp"
#include "dropcheck/impl/law.hpp"
#include "dropcheck/properties/check_catalogue.hpp"

namespace dropcheck::cli {
std::vector<std::string> layer_names() {
  std::vector<std::string> names;
  names.reserve(impl::laws().size());
  for (const auto& law : impl::laws()) names.emplace_back(law.layer);
  return names;
}

std::vector<std::string> check_names() {
  std::vector<std::string> names;
  names.reserve(properties::checks().size());
  for (const auto& check : properties::checks()) names.emplace_back(check.name);
  return names;
}

std::vector<impl::SubjectEntry> all_subjects(const Options& options) {
  std::vector<impl::SubjectEntry> entries = impl::builtin_subjects();
  const auto& faulty = impl::faulty_subjects();
  entries.insert(entries.end(), faulty.begin(), faulty.end());
  const std::chrono::milliseconds timeout(
      static_cast<std::int64_t>(1000 * options.call_timeout_seconds));
  const auto torch = impl::adapters::torch_subjects(timeout);
  entries.insert(entries.end(), torch.begin(), torch.end());
  return entries;
}

void refuse_workers(const Options& options,
                    const std::vector<impl::SubjectEntry>& entries) {
  if (!options.in_process) return;
  for (const impl::SubjectEntry& entry : entries) {
    if (!entry.name.starts_with("torch:")) continue;
    throw UsageError("--in-process is given, but " + entry.name +
                     " lives in a worker process; builtin: and faulty: "
                     "subjects do not");
  }
}

}  // namespace dropcheck::cli
