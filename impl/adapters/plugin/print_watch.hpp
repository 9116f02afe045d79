#pragma once

#include <string>

#include "dropcheck/impl/registry.hpp"

namespace dropcheck::impl::adapters {

/// Takes what this process prints on its standard output, from now on.
class PrintWatch {
 public:
  /// Throws AdapterError where the system has no memory for it.
  PrintWatch();
  PrintWatch(const PrintWatch&) = delete;
  PrintWatch& operator=(const PrintWatch&) = delete;
  ~PrintWatch();

  /// Where prints go.
  int descriptor() const { return descriptor_; }
  /// What was printed since the last time: its beginning, on one line.
  std::string take();

 private:
  int descriptor_;
};

/// The same subject; a call that prints on standard output is a
/// MemoryViolation: the stream is not the layer's. `watch` outlives it.
SubjectEntry watched(SubjectEntry entry, PrintWatch& watch);

}  // namespace dropcheck::impl::adapters
