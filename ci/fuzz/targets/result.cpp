// A result file, and every report that is made of it.
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "../target.hpp"
#include "dropcheck/reports/badge.hpp"
#include "dropcheck/reports/html.hpp"
#include "dropcheck/reports/json.hpp"
#include "dropcheck/reports/junit.hpp"
#include "dropcheck/reports/markdown.hpp"
#include "dropcheck/reports/terminal.hpp"

using namespace dropcheck;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data,
                                      std::size_t size) {
  const auto json =
      nlohmann::json::parse(fuzz::text_of(data, size), nullptr, false);
  if (json.is_discarded()) return 0;
  fuzz::allow<std::runtime_error>([&] {
    const auto result = reports::from_json(json);
    const auto once = reports::to_json(result);
    fuzz::demand(reports::to_json(reports::from_json(once)) == once,
                 "a result survives");
    reports::html_report(result);
    reports::junit_xml(result);
    reports::markdown_summary(result);
    reports::badge_svg(result);
    reports::summary_table(result, {});
  });
  return 0;
}
