#include <fmt/format.h>

#include <utility>

#include "dropcheck/impl/law.hpp"
#include "dropcheck/impl/registry.hpp"
#include "dropcheck/impl/simple_layer.hpp"
#include "faulty/fault.hpp"
#include "faulty/network_fault.hpp"
#include "networks/network.hpp"

namespace dropcheck::impl {
namespace {

using networks::Wiring;

std::unique_ptr<Subject> open(const std::string& name, const Law& law,
                              const Wiring& wiring) {
  Description description;
  description.name = name;
  description.version = DROPCHECK_VERSION;
  description.backward = false;
  description.generator = "philox4x32-10";
  const auto make = [&law, wiring, name](LayerConfig config) {
    if (config.layer.empty()) config.layer = law.layer;
    if (config.layer != law.layer) {
      throw NotSupported(fmt::format("{} is not {}", name, config.layer));
    }
    return networks::make_network(law, config, wiring);
  };
  return std::make_unique<InProcessSubject<decltype(make)>>(description, make);
}

SubjectEntry entry_of(const std::string& name, const Law& law,
                      const Wiring& wiring) {
  SubjectEntry entry;
  entry.name = name;
  entry.layer = law.layer;
  entry.summary = law.summary;
  entry.open = [name, &law, wiring] { return open(name, law, wiring); };
  return entry;
}

std::vector<SubjectEntry> make_builtin() {
  std::vector<SubjectEntry> entries;
  for (const Law& law : network_laws()) {
    entries.push_back(entry_of(fmt::format("builtin:{}", law.layer), law, {}));
  }
  return entries;
}

std::vector<SubjectEntry> make_faulty() {
  std::vector<SubjectEntry> entries;
  for (faulty::NetworkSpecimen& specimen : faulty::network_faults()) {
    SubjectEntry entry = entry_of(fmt::format("faulty:{}", specimen.name),
                                  *find_law(specimen.network), specimen.wiring);
    entry.summary = std::move(specimen.summary);
    entry.caught_by = std::move(specimen.caught_by);
    entry.defect = std::move(specimen.defect);
    entry.trial = std::move(specimen.trial);
    entry.trial.says = faulty::words_due(specimen.name);
    entries.push_back(std::move(entry));
  }
  return entries;
}

}  // namespace

const std::vector<SubjectEntry>& builtin_networks() {
  static const std::vector<SubjectEntry> kEntries = make_builtin();
  return kEntries;
}

const std::vector<SubjectEntry>& faulty_networks() {
  static const std::vector<SubjectEntry> kEntries = make_faulty();
  return kEntries;
}

}  // namespace dropcheck::impl
