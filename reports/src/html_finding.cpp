#include <fmt/format.h>

#include "html_data.hpp"
#include "svg.hpp"
#include "text.hpp"

namespace dropcheck::reports {
namespace {

// Absent texts are false, as a missing name is looked up in the parents.
void set_text(mustache::data& data, const std::string& name,
              const std::string& text) {
  if (text.empty()) {
    data.set(name, mustache::data(false));
  } else {
    data.set(name, xml_text(text));
  }
}

void set_number(mustache::data& data, const std::string& name,
                const std::optional<double>& value) {
  set_text(data, name, value ? number(*value) : "");
}

std::string count_or_nothing(std::uint64_t count) {
  return count > 0 ? grouped(count) : std::string();
}

mustache::data diagnostics_data(const Finding& finding) {
  if (finding.diagnostics.empty()) return mustache::data(false);
  mustache::data rows(mustache::data::type::list);
  for (const properties::DiagnosticRow& row : finding.diagnostics) {
    mustache::data data{"name", xml_text(row.name)};
    data.set("statistic", number(row.statistic));
    data.set("freedom", number(row.degrees_of_freedom));
    data.set("log10_p", number(row.log10_p));
    data.set("valid", row.valid_at_level ? "yes" : "no");
    data.set("note", xml_text(row.note));
    rows << data;
  }
  return mustache::data{"tests", rows};
}

mustache::data picture_data(const Finding& finding) {
  if (!finding.picture) return mustache::data(false);
  const properties::MaskPicture& picture = *finding.picture;
  mustache::data data{"observed_svg",
                      mask_svg(picture.observed, "observed mask")};
  data.set("expected_svg", mask_svg(picture.expected, "expected mask"));
  set_text(data, "caption", picture.caption);
  return data;
}

mustache::data shrinking_data(const Finding& finding) {
  if (!finding.shrinking) return mustache::data(false);
  const properties::Shrinking& shrinking = *finding.shrinking;
  mustache::data data{"smallest", xml_text(smallest_line(finding))};
  set_text(data, "smallest_sentence", shrinking.sentence);
  set_text(data, "smallest_replay", smallest_replay_line(finding));
  data.set("tried", mustache::data(!shrinking.steps.empty()));
  mustache::data rows(mustache::data::type::list);
  for (const properties::ShrinkStep& step : shrinking.steps) {
    mustache::data row{"case", xml_text(step.configuration)};
    row.set("outcome", step.refuted ? "refuted" : "not refuted");
    set_number(row, "step_e", step.log10_e);
    set_number(row, "step_threshold", step.log10_threshold);
    rows << row;
  }
  data.set("steps", rows);
  return data;
}

void set_deviation(mustache::data& data, const Finding& finding) {
  set_text(data, "deviation", finding.deviation_reason);
  const bool link = is_web_address(finding.deviation_url);
  set_text(data, "link", link ? finding.deviation_url : "");
  set_text(data, "address", link ? "" : finding.deviation_url);
}

}  // namespace

std::string anchor_of(const RunResult& result, const Finding& finding) {
  return fmt::format("f{}", &finding - result.findings.data() + 1);
}

mustache::data verdict_data(Verdict verdict) {
  const VerdictMark& mark = mark_of(verdict);
  mustache::data data{"verdict", std::string(name_of(verdict))};
  data.set("glyph", std::string(mark.glyph));
  data.set("meaning", std::string(mark.meaning));
  return data;
}

mustache::data finding_data(const RunResult& result, const Finding& finding) {
  mustache::data data = verdict_data(finding.verdict);
  data.set("anchor", anchor_of(result, finding));
  set_text(data, "id", finding.id);
  set_text(data, "subject", finding.subject);
  set_text(data, "layer", finding.layer);
  set_text(data, "check", finding.check);
  set_text(data, "configuration", finding.configuration);
  set_text(data, "sentence", finding.sentence);
  set_text(data, "quantity", finding.quantity);
  set_text(data, "detectable", finding.detectable);
  set_text(data, "bound", finding.bound);
  set_text(data, "replay", replay_line(finding));
  set_text(data, "interval", interval_text(finding));
  set_text(data, "n", count_or_nothing(finding.n));
  set_text(data, "calls", count_or_nothing(finding.calls));
  set_text(data, "weight", finding.weight > 0 ? number(finding.weight) : "");
  set_text(data, "seconds", fmt::format("{:.3g}", finding.seconds));
  set_text(data, "evidence", std::string(name_of(finding.evidence)));
  set_number(data, "expected", finding.expected);
  set_number(data, "observed", finding.observed);
  set_number(data, "log10_e", finding.log10_e);
  set_number(data, "effect", finding.detectable_effect);
  data.set("unrepeatable", mustache::data(!finding.repeatable));
  data.set("ruler", ruler_svg(finding));
  data.set("mini", small_ruler_svg(finding));
  data.set("has_ruler", mustache::data(!ruler_svg(finding).empty()));
  data.set("diagnostics", diagnostics_data(finding));
  data.set("picture", picture_data(finding));
  data.set("shrinking", shrinking_data(finding));
  set_deviation(data, finding);
  return data;
}

}  // namespace dropcheck::reports
