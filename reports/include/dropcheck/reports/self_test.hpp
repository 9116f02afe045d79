#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "dropcheck/reports/terminal.hpp"
#include "dropcheck/self_test/result.hpp"

namespace dropcheck::reports {

/// The value of the field "schema", described by
/// schema/self-test-1.schema.json.
inline constexpr const char* kSelfTestSchema = "dropcheck-self-test/1";

/// The kill matrix, false alarms, power and statistics for a terminal; the last
/// line says whether all is as it must be, or how much is not.
std::string self_test_text(const self_test::SelfTestResult& result,
                           const TerminalStyle& style);

/// Fields are named as in the structs; the seed is a string.
nlohmann::json to_json(const self_test::SelfTestResult& result);

/// One page that needs no other file.
std::string self_test_html(const self_test::SelfTestResult& result);

}  // namespace dropcheck::reports
