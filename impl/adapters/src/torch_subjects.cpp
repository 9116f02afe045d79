#include "dropcheck/impl/adapters/torch_subjects.hpp"

#include <fmt/format.h>

#include "dropcheck/impl/adapters/worker_subject.hpp"
#include "torch_catalogue.hpp"
#include "worker_path.hpp"

namespace dropcheck::impl::adapters {
namespace {

constexpr const char* kWorker = "dropcheck-torch-worker";
constexpr const char* kBuilt =
#ifdef DROPCHECK_TORCH_WORKER_PATH
    DROPCHECK_TORCH_WORKER_PATH;
#else
    "";
#endif

std::unique_ptr<Subject> open_torch(const std::string& name,
                                    std::chrono::milliseconds call_timeout) {
  const std::string path = torch_worker_path();
  if (path.empty()) {
    throw AdapterError(fmt::format(
        "there is no {}: install libtorch-dev and build dropcheck again, or "
        "set DROPCHECK_TORCH_WORKER to the program",
        kWorker));
  }
  return open_command({path}, name, call_timeout);
}

std::vector<LayerConfig> variants_of(const TorchEntry& torch) {
  std::vector<LayerConfig> variants;
  LayerConfig plain;
  plain.layer = torch.layer;
  if (torch.in_place) variants.push_back(plain);
  if (torch.in_place) variants.back().in_place = true;
  if (torch.can_be_unscaled) variants.push_back(plain);
  if (torch.can_be_unscaled) variants.back().scale_by_keep = false;
  return variants;
}

SubjectEntry entry_of(const TorchEntry& torch,
                      std::chrono::milliseconds call_timeout) {
  SubjectEntry entry;
  const std::string name(torch.name);
  entry.name = "torch:" + name;
  entry.layer = torch.layer;
  entry.summary = torch.summary;
  entry.open = [name, call_timeout] { return open_torch(name, call_timeout); };
  entry.open_within = [name](std::chrono::milliseconds limit) {
    return open_torch(name, limit);
  };
  entry.variants = variants_of(torch);
  entry.options = options_of(torch);
  if (torch.spatial_axes >= 0) entry.spatial_axes = torch.spatial_axes;
  return entry;
}

}  // namespace

std::string torch_worker_path() {
  return worker_path(kWorker, "DROPCHECK_TORCH_WORKER", kBuilt);
}

std::vector<SubjectEntry> torch_subjects(
    std::chrono::milliseconds call_timeout) {
  std::vector<SubjectEntry> entries;
  entries.reserve(kTorchEntries.size());
  for (const TorchEntry& torch : kTorchEntries) {
    entries.push_back(entry_of(torch, call_timeout));
  }
  return entries;
}

}  // namespace dropcheck::impl::adapters
