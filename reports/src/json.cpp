#include "dropcheck/reports/json.hpp"

#include <fmt/format.h>

#include <cmath>
#include <fstream>
#include <stdexcept>
#include <string_view>

#include "dropcheck/reports/atomic_write.hpp"
#include "json_value.hpp"
#include "text.hpp"
#include "wording.hpp"

namespace dropcheck::reports {
namespace {

using Json = nlohmann::json;

Json diagnostic_to_json(const properties::DiagnosticRow& row) {
  return {{"name", valid_utf8(row.name)},
          {"statistic", number_or_null(row.statistic)},
          {"degrees_of_freedom", number_or_null(row.degrees_of_freedom)},
          {"log10_p", number_or_null(row.log10_p)},
          {"valid_at_level", row.valid_at_level},
          {"note", valid_utf8(row.note)}};
}

Json picture_to_json(const properties::MaskPicture& picture) {
  return {{"caption", valid_utf8(picture.caption)},
          {"observed", texts(picture.observed)},
          {"expected", texts(picture.expected)}};
}

Json subject_to_json(const properties::SubjectRecord& subject) {
  return {{"name", valid_utf8(subject.name)},
          {"layer", valid_utf8(subject.layer)},
          {"version", valid_utf8(subject.version)},
          {"generator", valid_utf8(subject.generator)},
          {"repeatable", subject.repeatable},
          {"paths", texts(subject.paths)}};
}

Json lifetime_to_json(const properties::LifetimeRecord& lifetime) {
  return {{"subject", valid_utf8(lifetime.subject)},
          {"configuration", valid_utf8(lifetime.configuration)},
          {"nights", lifetime.nights},
          {"drops", lifetime.drops},
          {"n", lifetime.n},
          {"log10_e", number_or_null(lifetime.log10_e)},
          {"alpha", number_or_null(lifetime.alpha)},
          {"refuted", lifetime.refuted},
          {"sentence", valid_utf8(lifetime.sentence)}};
}

Json shrinking_to_json(const properties::Shrinking& shrinking) {
  Json json = {{"smallest", valid_utf8(shrinking.smallest)},
               {"sentence", valid_utf8(shrinking.sentence)},
               {"replay", valid_utf8(shrinking.replay)},
               {"not_asked", shrinking.not_asked},
               {"stopped", valid_utf8(shrinking.stopped)},
               {"steps", Json::array()}};
  for (const properties::ShrinkStep& step : shrinking.steps) {
    Json one = {{"configuration", valid_utf8(step.configuration)},
                {"refuted", step.refuted}};
    put(one, "log10_e", step.log10_e);
    put(one, "log10_threshold", step.log10_threshold);
    json["steps"].push_back(std::move(one));
  }
  return json;
}

Json finding_to_json(const Finding& finding) {
  Json json = {{"id", valid_utf8(finding.id)},
               {"subject", valid_utf8(finding.subject)},
               {"layer", valid_utf8(finding.layer)},
               {"check", valid_utf8(finding.check)},
               {"configuration", valid_utf8(finding.configuration)},
               {"verdict", name_of(finding.verdict)},
               {"evidence", name_of(finding.evidence)},
               {"sentence", valid_utf8(finding.sentence)},
               {"quantity", valid_utf8(finding.quantity)},
               {"weight", number_or_null(finding.weight)},
               {"n", finding.n},
               {"calls", finding.calls},
               {"detectable", valid_utf8(finding.detectable)},
               {"bound", valid_utf8(finding.bound)},
               {"replay", valid_utf8(finding.replay)},
               {"repeatable", finding.repeatable},
               {"seconds", number_or_null(finding.seconds)},
               {"deviation_reason", valid_utf8(finding.deviation_reason)},
               {"deviation_url", valid_utf8(finding.deviation_url)}};
  put(json, "expected", finding.expected);
  put(json, "observed", finding.observed);
  put(json, "interval_lower", finding.interval_lower);
  put(json, "interval_upper", finding.interval_upper);
  put(json, "log10_e", finding.log10_e);
  put(json, "detectable_effect", finding.detectable_effect);
  json["diagnostics"] = Json::array();
  for (const auto& row : finding.diagnostics) {
    json["diagnostics"].push_back(diagnostic_to_json(row));
  }
  if (finding.picture) json["picture"] = picture_to_json(*finding.picture);
  if (finding.generated) json["generated"] = true;
  if (finding.shrinking) {
    json["shrinking"] = shrinking_to_json(*finding.shrinking);
  }
  return json;
}

Json counts_to_json(const RunResult& result) {
  Json json = Json::object();
  for (const auto& [verdict, count] : properties::count_verdicts(result)) {
    json[std::string(name_of(verdict))] = count;
  }
  return json;
}

}  // namespace

Json to_json(const RunResult& result) {
  Json json = {{"schema", kResultSchema},
               {"verdict", overall_word(result)},
               {"counts", counts_to_json(result)},
               {"version", valid_utf8(result.version)},
               {"started", valid_utf8(result.started)},
               {"seconds", number_or_null(result.seconds)},
               {"profile", valid_utf8(result.profile)},
               {"seed", std::to_string(result.seed)},
               {"alpha", number_or_null(result.alpha)},
               {"delta", number_or_null(result.delta)},
               {"margin", number_or_null(result.margin)},
               {"threads", result.threads},
               {"command", valid_utf8(result.command)},
               {"log10_run_e", number_or_null(result.log10_run_e)},
               {"alarm", result.alarm},
               {"largest_term", valid_utf8(result.largest_term)},
               {"interrupted", result.interrupted},
               {"warnings", texts(result.warnings)},
               {"deviation_problems", texts(result.deviation_problems)}};
  json["environment"] = Json::object();
  for (const auto& [name, value] : result.environment) {
    json["environment"][valid_utf8(name)] = valid_utf8(value);
  }
  json["subjects"] = Json::array();
  for (const auto& subject : result.subjects) {
    json["subjects"].push_back(subject_to_json(subject));
  }
  json["lifetimes"] = Json::array();
  for (const auto& lifetime : result.lifetimes) {
    json["lifetimes"].push_back(lifetime_to_json(lifetime));
  }
  json["findings"] = Json::array();
  for (const Finding& finding : result.findings) {
    json["findings"].push_back(finding_to_json(finding));
  }
  return json;
}

void write_json(const std::filesystem::path& path, const RunResult& result) {
  atomic_write(path, to_json(result).dump(1) + "\n");
}

properties::RunResult read_json(const std::filesystem::path& path) {
  std::ifstream file(path);
  if (!file) {
    throw std::runtime_error(fmt::format(
        "cannot read {}: no such file, or no right to read it", path.string()));
  }
  try {
    return from_json(Json::parse(file));
  } catch (const std::exception& error) {
    throw std::runtime_error(
        fmt::format("cannot read {}: {}", path.string(), error.what()));
  }
}

}  // namespace dropcheck::reports
