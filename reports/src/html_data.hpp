#pragma once

#include <kainjow/mustache.hpp>
#include <map>

#include "wording.hpp"

namespace dropcheck::reports {

namespace mustache = kainjow::mustache;

/// Where each finding stands on the page: "f12" for the twelfth.
std::string anchor_of(const RunResult& result, const Finding& finding);

/// Words, glyph and class of a verdict.
mustache::data verdict_data(Verdict verdict);

/// A finding with all its numbers, for a card or a row.
mustache::data finding_data(const RunResult& result, const Finding& finding);

/// The verdict matrix by configuration, and by subject and layer.
mustache::data matrix_data(const RunResult& result);
mustache::data summary_matrix_data(const RunResult& result);

/// Rows that matrix_data has.
std::size_t matrix_rows(const RunResult& result);

}  // namespace dropcheck::reports
