#include <exception>

#include "commands.hpp"
#include "dropcheck/cli/output.hpp"
#include "dropcheck/impl/adapters/torch_subjects.hpp"
#include "dropcheck/impl/law.hpp"
#include "dropcheck/properties/check_catalogue.hpp"

namespace dropcheck::cli {
namespace {

properties::Finding failure(const impl::SubjectEntry& entry,
                            const std::string& reason) {
  properties::Finding finding;
  finding.subject = entry.name;
  finding.layer = entry.layer;
  finding.check = "open";
  finding.id = entry.layer + ".open[" + entry.name + "]";
  finding.configuration = entry.name;
  finding.verdict = properties::Verdict::kError;
  finding.evidence = properties::Evidence::kDeterministic;
  finding.sentence = "The subject could not be opened: " + on_one_line(reason);
  return finding;
}

}  // namespace

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

const std::vector<impl::SubjectEntry>& all_subjects() {
  static const std::vector<impl::SubjectEntry> all = [] {
    std::vector<impl::SubjectEntry> entries = impl::builtin_subjects();
    const auto& faulty = impl::faulty_subjects();
    entries.insert(entries.end(), faulty.begin(), faulty.end());
    const auto torch = impl::adapters::torch_subjects();
    entries.insert(entries.end(), torch.begin(), torch.end());
    return entries;
  }();
  return all;
}

Opened open_subjects(const std::vector<impl::SubjectEntry>& entries) {
  Opened opened;
  opened.subjects.reserve(entries.size());
  for (const auto& entry : entries) {
    try {
      opened.subjects.push_back({entry, entry.open()});
    } catch (const std::exception& error) {
      opened.failures.push_back(failure(entry, error.what()));
    }
  }
  return opened;
}

}  // namespace dropcheck::cli
