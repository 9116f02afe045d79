#pragma once

#include <string>

#include "dropcheck/self_test/result.hpp"

namespace dropcheck::reports {

// Sentences that the terminal and the page share.

std::string kill_summary(const self_test::SelfTestResult& result);
std::string false_alarm_summary(const self_test::FalseAlarms& counts);
std::string power_summary(const self_test::SelfTestResult& result);
std::string statistics_summary(const self_test::SelfTestResult& result);
std::string self_test_conclusion(const self_test::SelfTestResult& result);

/// What no number of runs can show.
extern const char* const kFalseAlarmRemark;

/// What a check did to a wrong layer.
enum class Hit { kNotLooked, kPassed, kRefuted, kNamed, kMissed };
Hit hit_of(const self_test::Kill& kill, const std::string& check);

/// "threshold_8bit".
std::string short_name(const self_test::Kill& kill);

}  // namespace dropcheck::reports
