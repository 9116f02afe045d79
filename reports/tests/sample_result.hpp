#pragma once

#include "dropcheck/properties/run_result.hpp"

namespace dropcheck::reports {

/// A run as it could be: several subjects and layers, every verdict, a mask
/// picture, diagnostics. The same at every call.
properties::RunResult sample_result();

/// As many certified findings as asked for, and nothing else.
properties::RunResult certified_result(std::size_t findings);

/// Text that a hostile subject could send.
properties::RunResult hostile_result();

}  // namespace dropcheck::reports
