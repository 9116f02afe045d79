#pragma once

#include <cmath>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "text.hpp"

namespace dropcheck::reports {

/// null: JSON has no infinity and no NaN.
inline nlohmann::json number_or_null(double value) {
  return std::isfinite(value) ? nlohmann::json(value) : nlohmann::json(nullptr);
}

/// Left out where there is none.
inline void put(nlohmann::json& json, const char* name,
                const std::optional<double>& value) {
  if (value) json[name] = number_or_null(*value);
}

inline nlohmann::json texts(const std::vector<std::string>& lines) {
  nlohmann::json json = nlohmann::json::array();
  for (const std::string& line : lines) json.push_back(valid_utf8(line));
  return json;
}

}  // namespace dropcheck::reports
