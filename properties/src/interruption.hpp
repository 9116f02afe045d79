#pragma once

#include <exception>

#include "context.hpp"

namespace dropcheck::properties {

/// The run is to end: the check that was at work has decided nothing.
struct Interrupted : std::exception {
  const char* what() const noexcept override {
    return "interrupted before it was decided";
  }
};

/// To be called between requests to the layer. Throws Interrupted.
inline void stop_if_interrupted(const Context& context) {
  if (context.interrupted && context.interrupted()) throw Interrupted();
}

}  // namespace dropcheck::properties
