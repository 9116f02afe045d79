#include "dropcheck/reports/badge.hpp"

#include <fmt/format.h>

#include <string_view>

#include "text.hpp"
#include "wording.hpp"

namespace dropcheck::reports {
namespace {

// White text on these has a contrast of at least 4.5 to 1.
std::string_view colour_of(const RunResult& result) {
  const Verdict verdict = overall_verdict(result);
  if (result.findings.empty()) return "#5a6270";
  if (verdict <= Verdict::kRefuted) return "#b3261e";
  if (!is_pass(verdict) || !result.deviation_problems.empty()) {
    return "#8a5a00";
  }
  return verdict == Verdict::kDeviation ? "#2a5db0" : "#1b6e43";
}

}  // namespace

std::string badge_svg(const RunResult& result) {
  const std::string word = overall_word(result);
  // textLength makes the width exact, whatever font is there.
  const std::size_t text = word.size() * 7;
  const std::size_t left = 66;
  const std::size_t right = text + 16;
  return fmt::format(
      R"svg(<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="20" role="img" aria-label="dropout: {word}">
<title>dropout: {word}</title>
<clipPath id="r"><rect width="{width}" height="20" rx="4"/></clipPath>
<g clip-path="url(#r)"><rect width="{left}" height="20" fill="#3a3f47"/><rect x="{left}" width="{right}" height="20" fill="{colour}"/></g>
<g fill="#fff" text-anchor="middle" font-family="Verdana,DejaVu Sans,Geneva,sans-serif" font-size="11">
<text x="33" y="14" textLength="50">dropout</text>
<text x="{middle}" y="14" textLength="{text}">{word}</text>
</g>
</svg>
)svg",
      fmt::arg("width", left + right), fmt::arg("left", left),
      fmt::arg("right", right), fmt::arg("middle", left + right / 2),
      fmt::arg("text", text), fmt::arg("colour", colour_of(result)),
      fmt::arg("word", word));
}

}  // namespace dropcheck::reports
