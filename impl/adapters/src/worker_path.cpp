#include "worker_path.hpp"

#include <unistd.h>

#include <cstdlib>
#include <filesystem>

namespace dropcheck::impl::adapters {
namespace {

namespace fs = std::filesystem;

bool runnable(const fs::path& path) {
  return !path.empty() && ::access(path.c_str(), X_OK) == 0;
}

}  // namespace

std::string worker_path(const char* name, const char* variable,
                        const char* built) {
  const char* named = std::getenv(variable);
  if (named != nullptr && *named != '\0') return named;
  std::error_code error;
  const fs::path here = fs::read_symlink("/proc/self/exe", error).parent_path();
  for (const fs::path& path :
       {here / name, here / "../libexec/dropcheck" / name, fs::path(built)}) {
    if (runnable(path)) return path.string();
  }
  return "";
}

}  // namespace dropcheck::impl::adapters
