#pragma once

// The files of reports/templates, embedded by templates/embed.cmake.
namespace dropcheck::reports::templates {

// NOLINTBEGIN(readability-identifier-naming): named after the files.
extern const char* const k_page;
extern const char* const k_matrix;
extern const char* const k_card;
extern const char* const k_row;
extern const char* const k_diagnostics;
extern const char* const k_self_test;
extern const char* const k_self_test_style;
extern const char* const k_style;
// NOLINTEND(readability-identifier-naming)

}  // namespace dropcheck::reports::templates
