#pragma once

#include <chrono>

#include "dropcheck/impl/registry.hpp"

namespace dropcheck::impl {

/// The same subject behind a guard, for code under test in this process.
///
/// Memory  layers get copies of their tensors, between guard bands and with the
///         same strides and alignment; what they change is copied back. After
///         the call the copy is overwritten with NaN. A write beside it or into
///         an earlier one, and results that follow it, are MemoryViolations.
/// Time    every layer has a thread of its own, on which all of its calls run.
///         A call that takes longer than `call_limit` is a SubjectTimeout and
///         left behind with its thread; calls of its kind (the configuration,
///         training or not) are then not made any more, and none after two of
///         them. A crash ends the process: workers are there for that.
SubjectEntry guarded(SubjectEntry entry, std::chrono::nanoseconds call_limit);

/// Calls that were left behind and still run. While there are any, the process
/// ends without destructors of static objects, which such a call may use.
int abandoned_calls();

}  // namespace dropcheck::impl
