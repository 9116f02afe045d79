#pragma once

namespace dropcheck::cli {

/// Exit statuses that the program gives itself; those of a finished run come
/// from properties::exit_status.
inline constexpr int kSuccess = 0;
inline constexpr int kUsage = 2;
inline constexpr int kEnvironment = 4;
inline constexpr int kInternal = 70;
inline constexpr int kInterrupted = 130;

}  // namespace dropcheck::cli
