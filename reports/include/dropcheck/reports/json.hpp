#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>

#include "dropcheck/properties/run_result.hpp"

namespace dropcheck::reports {

/// The value of the field "schema", described by schema/result-1.schema.json.
inline constexpr const char* kResultSchema = "dropcheck-result/1";

/// The result as JSON: fields are named as in the structs.
///
/// The seed is a string, because a reader may keep numbers as doubles. An
/// absent optional is an absent field; null stands for a number that is not
/// finite. "verdict" and "counts" are derived and not read back.
nlohmann::json to_json(const properties::RunResult& result);

/// Reads what to_json wrote; fields that it does not know are skipped.
///
/// Throws std::runtime_error that names the field and the rule it breaks.
properties::RunResult from_json(const nlohmann::json& json);

/// As files; both throw std::runtime_error that names the path.
void write_json(const std::filesystem::path& path,
                const properties::RunResult& result);
properties::RunResult read_json(const std::filesystem::path& path);

}  // namespace dropcheck::reports
