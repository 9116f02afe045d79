#pragma once

namespace dropcheck::cli {

/// Exit statuses that the program gives itself; those of a finished run come
/// from properties::exit_status.
inline constexpr int kSuccess = 0;
inline constexpr int kUsage = 2;
inline constexpr int kEnvironment = 4;
inline constexpr int kInternal = 70;
inline constexpr int kInterrupted = 130;

/// The one of two statuses that the caller must see: 130, 70, 2, 1, 4, 3, 5,
/// 0, in this order. An unknown status counts as 70.
int worse_status(int a, int b);

}  // namespace dropcheck::cli
