#pragma once

#include <chrono>
#include <string>

namespace dropcheck::cli {

/// A time for people: "0.4 s", "12 s", "4 min 05 s", "2 h 03 min",
/// "3 d 4 h"; "an unknown time" for what is not a time.
std::string time_text(double seconds);

/// Now, ISO 8601, UTC: "2026-03-14T09:26:53Z".
std::string utc_now();

/// Today, UTC.
std::chrono::year_month_day utc_today();

}  // namespace dropcheck::cli
