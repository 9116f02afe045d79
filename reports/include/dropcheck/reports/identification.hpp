#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "dropcheck/properties/identify.hpp"
#include "dropcheck/reports/terminal.hpp"

namespace dropcheck::reports {

/// The value of the field "schema".
inline constexpr const char* kIdentificationSchema =
    "dropcheck-identification/1";

/// The law in two sentences, then a table of what they rest on. Control
/// characters of a subject never reach the terminal.
std::string identification_text(const properties::Identification& found,
                                const TerminalStyle& style);

/// Fields are named as in the struct. The seed is a string, an absent optional
/// an absent field; null stands for a number that is not finite.
nlohmann::json to_json(const properties::Identification& found);

}  // namespace dropcheck::reports
