#pragma once

#include <stdexcept>

namespace dropcheck::cli {

/// The user asked for something that cannot be. The message is one line that
/// names parameter, value and rule; the program prints it and exits 2.
struct UsageError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

}  // namespace dropcheck::cli
