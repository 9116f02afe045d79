#pragma once

#include <string>
#include <vector>

#include "dropcheck/stats/chi_square.hpp"
#include "statistical_checks.hpp"

namespace dropcheck::properties {

/// The null of the structure checks is "independent units of one rate",
/// whatever the rate: a wrong rate is the business of drop_rate.
inline constexpr stats::Interval kAnyRate{0, 1};

/// Share of drops; 0 where nothing was counted.
double rate_of(const stats::Counts& counts);

DiagnosticRow row_of(const stats::Diagnostic& test);

/// ln of the mean of e-values that are given as logarithms.
double log_mean(const std::vector<double>& logs);
std::size_t largest_index(const std::vector<double>& logs);

/// Whether the rate of a context provably lies within the margin of the
/// overall rate.
bool within_margin(const stats::Counts& counts, double overall,
                   const Context& context);

void note_structure(Finding& finding, const StatisticalInput& input);

/// Marks the finding not-run where not enough blocks were drawn.
bool incomplete(Finding& finding, const StatisticalInput& input);

/// What certified means for a rate that is bounded in contexts.
std::string margin_bound(const Context& context, const std::string& where);

impl::Shape unit_grid(const Context& context);

}  // namespace dropcheck::properties
