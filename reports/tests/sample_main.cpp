// usage: dropcheck_reports_sample FOLDER
// Writes every report of the sample results, to validate and to look at.
#include <filesystem>
#include <iostream>

#include "dropcheck/reports/atomic_write.hpp"
#include "dropcheck/reports/badge.hpp"
#include "dropcheck/reports/html.hpp"
#include "dropcheck/reports/json.hpp"
#include "dropcheck/reports/junit.hpp"
#include "dropcheck/reports/markdown.hpp"
#include "dropcheck/reports/self_test.hpp"
#include "dropcheck/reports/terminal.hpp"
#include "sample_result.hpp"
#include "self_test_sample.hpp"

namespace reports = dropcheck::reports;

static void write_all(const std::filesystem::path& stem,
                      const dropcheck::properties::RunResult& result) {
  const auto with = [&stem](const char* ending) {
    return std::filesystem::path(stem).concat(ending);
  };
  reports::write_json(with(".json"), result);
  reports::atomic_write(with(".html"), reports::html_report(result));
  reports::atomic_write(with(".xml"), reports::junit_xml(result));
  reports::atomic_write(with(".md"), reports::markdown_summary(result));
  reports::atomic_write(with(".svg"), reports::badge_svg(result));
  reports::atomic_write(with(".txt"), reports::summary_table(result, {}));
}

int main(int argc, char** argv) {
  if (argc != 2) {
    std::cerr << "usage: dropcheck_reports_sample FOLDER\n";
    return 2;
  }
  try {
    const std::filesystem::path folder = argv[1];
    write_all(folder / "sample", reports::sample_result());
    write_all(folder / "certified", reports::certified_result(65));
    write_all(folder / "large", reports::certified_result(1500));
    write_all(folder / "hostile", reports::hostile_result());
    write_all(folder / "empty", {});
    const auto self_test = reports::sample_self_test();
    reports::atomic_write(folder / "self_test.json",
                          reports::to_json(self_test).dump(2));
    reports::atomic_write(folder / "self_test.html",
                          reports::self_test_html(self_test));
  } catch (const std::exception& error) {
    std::cerr << error.what() << '\n';
    return 1;
  }
}
