#pragma once

#include <span>
#include <string_view>

#include "dropcheck/impl/law.hpp"
#include "dropcheck/properties/verdict.hpp"

namespace dropcheck::properties {

/// What `dropcheck list checks` and `dropcheck explain CHECK` tell.
struct CheckInfo {
  std::string_view name;  ///< stable identifier, e.g. "drop_rate"
  Evidence evidence;
  std::string_view summary;      ///< one line
  std::string_view method;       ///< how it decides, a paragraph
  std::string_view error_rates;  ///< false alarm and false pass, in words
  std::string_view example;      ///< a wrong layer that it refutes: faulty:...
};

/// All checks, in the order of the reports.
std::span<const CheckInfo> checks();

const CheckInfo* find_check(std::string_view name);

/// Whether the check has a meaning for the law; the reason if it has none.
std::string_view not_applicable(const CheckInfo& check, const impl::Law& law);

}  // namespace dropcheck::properties
