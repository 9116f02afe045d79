#include "svg.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <vector>

#include "text.hpp"
#include "wording.hpp"

namespace dropcheck::reports {
namespace {

constexpr std::size_t kMaskLimit = 96;

// Maps values to percent of the width.
class Scale {
 public:
  explicit Scale(const std::vector<double>& values) {
    const auto [low, high] = std::minmax_element(values.begin(), values.end());
    low_ = *low;
    span_ = *high - *low;
    // One value alone stands in the middle.
    const double pad = span_ > 0 ? 0.12 * span_ : 1;
    low_ -= pad;
    span_ += 2 * pad;
  }
  double at(double value) const { return 100 * (value - low_) / span_; }

 private:
  double low_ = 0;
  double span_ = 1;
};

// What can be drawn, in values and in percent.
struct Drawing {
  double expected = 0;                 ///< percent
  std::optional<double> observed;      ///< percent
  std::optional<double> lower, upper;  ///< percent; both or none
  std::optional<double> band_lower, band_upper;
};

std::optional<double> finite(const std::optional<double>& value) {
  return value && std::isfinite(*value) ? value : std::nullopt;
}

std::optional<Drawing> drawing_of(const Finding& finding) {
  const auto expected = finite(finding.expected);
  const auto observed = finite(finding.observed);
  const auto lower = finite(finding.interval_lower);
  const auto upper = finite(finding.interval_upper);
  const auto effect = finite(finding.detectable_effect);
  if (!expected || (!observed && !lower && !upper)) return std::nullopt;
  std::vector<double> values{*expected};
  for (const auto& value : {observed, lower, upper}) {
    if (value) values.push_back(*value);
  }
  if (effect) {
    values.push_back(*expected - *effect);
    values.push_back(*expected + *effect);
  }
  const Scale scale(values);
  Drawing drawing;
  drawing.expected = scale.at(*expected);
  if (observed) drawing.observed = scale.at(*observed);
  if (lower || upper) {
    drawing.lower = lower ? scale.at(*lower) : 0;
    drawing.upper = upper ? scale.at(*upper) : 100;
  }
  if (effect) {
    drawing.band_lower = scale.at(*expected - *effect);
    drawing.band_upper = scale.at(*expected + *effect);
  }
  return drawing;
}

// Text near a side grows away from it.
std::string label(double x, int y, std::string_view kind,
                  const std::string& text) {
  const char* anchor = x < 25 ? "start" : x > 75 ? "end" : "middle";
  return fmt::format(
      R"(<text class="{}" x="{:.2f}%" y="{}" text-anchor="{}">{}</text>)", kind,
      std::clamp(x, 0.0, 100.0), y, anchor, text);
}

// At least three pixels wide, however narrow the interval is.
std::string bar(std::string_view kind, double from, double to, int y,
                int height) {
  const double width = std::max(to - from, 0.0);
  return fmt::format(
      R"svg(<rect class="{0}" x="{1:.2f}%" y="{2}" width="{3:.2f}%" height="{4}"/>)svg"
      R"svg(<rect class="{0}" x="{5:.2f}%" y="{2}" width="3" height="{4}" transform="translate(-1.5)"/>)svg",
      kind, from, y, width, height, from + width / 2);
}

std::string upright(std::string_view kind, double x, int from, int to) {
  return fmt::format(
      R"svg(<line class="{0}" x1="{1:.2f}%" x2="{1:.2f}%" y1="{2}" y2="{3}"/>)svg",
      kind, x, from, to);
}

struct Heights {
  int axis, top, bottom;  ///< of the axis, of the marks
};

std::string shapes(const Drawing& drawing, const Heights& y) {
  std::string out;
  if (drawing.band_lower) {
    out += fmt::format(
        R"svg(<rect class="band" x="{:.2f}%" y="{}" width="{:.2f}%" height="{}"/>)svg",
        *drawing.band_lower, y.top, *drawing.band_upper - *drawing.band_lower,
        y.bottom - y.top);
  }
  out += fmt::format(
      R"svg(<line class="axis" x1="0" x2="100%" y1="{0}" y2="{0}"/>)svg",
      y.axis);
  if (drawing.lower) {
    out += bar("span", *drawing.lower, *drawing.upper, y.axis - 4, 8);
  }
  out += upright("goal", drawing.expected, y.top, y.bottom);
  if (drawing.observed) {
    out += fmt::format(
        R"svg(<circle class="seen" cx="{:.2f}%" cy="{}" r="4"/>)svg",
        *drawing.observed, y.axis);
  }
  return out;
}

std::string description(const Finding& finding) {
  std::string text = "expected " + number(finding.expected);
  if (finding.observed) text += ", observed " + number(finding.observed);
  const std::string interval = interval_text(finding);
  return interval.empty() ? text : text + ", interval " + interval;
}

// Runs of kept cells as one path: a mask of 96 by 96 stays below 40 kB.
std::string runs_of(const std::string& row, std::size_t y, char kind) {
  std::string path;
  for (std::size_t x = 0; x < std::min(row.size(), kMaskLimit);) {
    std::size_t end = x;
    while (end < std::min(row.size(), kMaskLimit) && row[end] == row[x]) ++end;
    if (row[x] == kind) {
      path += fmt::format("M{} {}h{}v1h-{}z", x, y, end - x, end - x);
    }
    x = end;
  }
  return path;
}

}  // namespace

std::string ruler_svg(const Finding& finding) {
  const auto drawing = drawing_of(finding);
  if (!drawing) return {};
  std::string out = fmt::format(
      R"(<svg class="ruler" width="100%" height="74" role="img" aria-label="{}">)",
      description(finding));
  out += shapes(*drawing, {.axis = 38, .top = 20, .bottom = 56});
  out += label(drawing->expected, 13, "goal-text",
               "expected " + number(finding.expected));
  const std::string interval = interval_text(finding);
  if (!interval.empty()) {
    out += label((*drawing->lower + *drawing->upper) / 2, 71, "span-text",
                 interval);
  } else if (drawing->observed) {
    out += label(*drawing->observed, 71, "span-text",
                 "observed " + number(finding.observed));
  }
  return out + "</svg>";
}

std::string small_ruler_svg(const Finding& finding) {
  const auto drawing = drawing_of(finding);
  if (!drawing || !drawing->lower) return {};
  return R"(<svg class="mini" width="110" height="18" aria-hidden="true">)" +
         shapes(*drawing, {.axis = 9, .top = 1, .bottom = 17}) + "</svg>";
}

std::string mask_svg(const std::vector<std::string>& rows,
                     const std::string& title) {
  std::size_t width = 0;
  const std::size_t height = std::min(rows.size(), kMaskLimit);
  std::string kept;
  std::string dropped;
  for (std::size_t y = 0; y < height; ++y) {
    width = std::max(width, std::min(rows[y].size(), kMaskLimit));
    kept += runs_of(rows[y], y, '1');
    dropped += runs_of(rows[y], y, '0');
  }
  if (width == 0) return {};
  const std::size_t cell = width <= 32 ? 11 : width <= 64 ? 7 : 4;
  return fmt::format(
      R"(<svg class="mask" viewBox="0 0 {0} {1}" width="{2}" height="{3}" role="img" aria-label="{4}" shape-rendering="crispEdges"><path class="kept" d="{5}"/><path class="dropped" d="{6}"/></svg>)",
      width, height, width * cell, height * cell, title, kept, dropped);
}

}  // namespace dropcheck::reports
