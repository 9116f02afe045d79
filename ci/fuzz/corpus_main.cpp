// Without libFuzzer: every file of the given folders, whole, cut short and with
// bytes changed, always the same ones. A crash is a crash.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <vector>

#include "target.hpp"

namespace {

using Bytes = std::vector<std::uint8_t>;

constexpr int kMutations = 200;

void run(const Bytes& bytes) {
  LLVMFuzzerTestOneInput(bytes.data(), bytes.size());
}

Bytes read(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

void mutate(const Bytes& seed, std::mt19937& random) {
  for (int i = 0; i < kMutations && !seed.empty(); ++i) {
    Bytes bytes = seed;
    const auto changes = 1 + random() % 4;
    for (std::uint32_t change = 0; change < changes; ++change) {
      bytes[random() % bytes.size()] = static_cast<std::uint8_t>(random());
    }
    if (random() % 4 == 0) bytes.resize(random() % bytes.size());
    run(bytes);
  }
}

}  // namespace

int main(int argc, char** argv) {
  std::vector<std::filesystem::path> files;
  for (int i = 1; i < argc; ++i) {
    for (const auto& entry : std::filesystem::directory_iterator(argv[i])) {
      files.push_back(entry.path());
    }
  }
  std::sort(files.begin(), files.end());
  std::mt19937 random(1);
  run({});
  for (const auto& file : files) {
    const Bytes seed = read(file);
    run(seed);
    mutate(seed, random);
  }
  std::printf("%zu files, each with %d mutations\n", files.size(), kMutations);
  return files.empty() ? 1 : 0;
}
