#pragma once

#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <span>
#include <string>

/// What every fuzz target defines, and libFuzzer or corpus_main.cpp calls.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data,
                                      std::size_t size);

namespace dropcheck::fuzz {

inline std::string text_of(const std::uint8_t* data, std::size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

inline std::span<const std::byte> bytes_of(const std::uint8_t* data,
                                           std::size_t size) {
  return {reinterpret_cast<const std::byte*>(data), size};
}

/// A promise of a parser that was broken is a crash.
inline void demand(bool holds, const char* promise) {
  if (holds) return;
  std::fprintf(stderr, "broken promise: %s\n", promise);
  std::abort();
}

/// Calls `parse` and swallows the error that its documentation names; others
/// escape, and are a crash.
template <class Error, class Parse>
void allow(const Parse& parse) {
  try {
    parse();
  } catch (const Error&) {
  }
}

/// A file with these bytes, in memory, for parsers that take a path.
class TemporaryFile {
 public:
  TemporaryFile(const std::string& ending, std::span<const std::byte> bytes)
      : path_("/dev/shm/dropcheck-fuzz-" + std::to_string(::getpid()) +
              ending) {
    std::ofstream(path_, std::ios::binary)
        .write(reinterpret_cast<const char*>(bytes.data()),
               static_cast<std::streamsize>(bytes.size()));
  }
  ~TemporaryFile() { std::remove(path_.c_str()); }
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

}  // namespace dropcheck::fuzz
