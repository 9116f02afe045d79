#include <cmath>

#include "dropcheck/reports/self_test.hpp"
#include "text.hpp"

namespace dropcheck::reports {
namespace {

using Json = nlohmann::json;

Json finite(double value) {
  return std::isfinite(value) ? Json(value) : Json(nullptr);
}

Json texts(const std::vector<std::string>& lines) {
  Json json = Json::array();
  for (const std::string& line : lines) json.push_back(valid_utf8(line));
  return json;
}

Json kill_json(const self_test::Kill& kill) {
  return {{"subject", kill.subject},
          {"layer", kill.layer},
          {"defect", kill.defect},
          {"effect", kill.effect},
          {"caught_by", kill.caught_by},
          {"profile", kill.profile},
          {"drop_probability", kill.drop_probability},
          {"verdict", name_of(kill.verdict)},
          {"killed", kill.killed},
          {"names_cause", kill.names_cause},
          {"sentence", valid_utf8(kill.sentence)},
          {"n", kill.n},
          {"seconds", finite(kill.seconds)},
          {"looked", kill.looked},
          {"also", kill.also}};
}

Json offence_json(const self_test::Offence& offence) {
  return {{"subject", offence.subject},
          {"configuration", offence.configuration},
          {"seed", std::to_string(offence.seed)},
          {"verdict", name_of(offence.verdict)},
          {"sentence", valid_utf8(offence.sentence)}};
}

Json false_alarms_json(const self_test::FalseAlarms& counts) {
  Json offences = Json::array();
  for (const auto& one : counts.offences) offences.push_back(offence_json(one));
  return {{"runs", counts.runs},
          {"subjects", counts.subjects},
          {"configurations", counts.configurations},
          {"findings", counts.findings},
          {"alarms", counts.alarms},
          {"inconclusive", counts.inconclusive},
          {"broken", counts.broken},
          {"alarm_limit", counts.alarm_limit},
          {"inconclusive_limit", counts.inconclusive_limit},
          {"seconds", finite(counts.seconds)},
          {"offences", offences}};
}

Json power_json(const self_test::Power& power) {
  return {{"family", power.family},
          {"check", power.check},
          {"measures", power.measures},
          {"drop_probability", power.drop_probability},
          {"stated_size", finite(power.stated_size)},
          {"size", finite(power.size)},
          {"stated_miss", finite(power.stated_miss)},
          {"runs", power.runs},
          {"found", power.found},
          {"log10_p", finite(power.log10_p)},
          {"judged", power.judged},
          {"right", power.right}};
}

Json exactness_json(const self_test::Exactness& row) {
  return {{"name", row.name},
          {"what", row.what},
          {"lowest", finite(row.lowest)},
          {"highest", finite(row.highest)},
          {"at_most", finite(row.at_most)},
          {"right", row.right}};
}

template <class Rows, class Convert>
Json list(const Rows& rows, const Convert& convert) {
  Json json = Json::array();
  for (const auto& row : rows) json.push_back(convert(row));
  return json;
}

}  // namespace

Json to_json(const self_test::SelfTestResult& result) {
  return {{"schema", kSelfTestSchema},
          {"version", result.version},
          {"profile", result.profile},
          {"seed", std::to_string(result.seed)},
          {"threads", result.threads},
          {"started", result.started},
          {"command", valid_utf8(result.command)},
          {"seconds", finite(result.seconds)},
          {"right", result.failures.empty()},
          {"interrupted", result.interrupted},
          {"out_of_time", result.out_of_time},
          {"checks", result.checks},
          {"kills", list(result.kills, kill_json)},
          {"left_out", result.left_out},
          {"false_alarms", false_alarms_json(result.false_alarms)},
          {"powers", list(result.powers, power_json)},
          {"exactness", list(result.exactness, exactness_json)},
          {"failures", texts(result.failures)}};
}

}  // namespace dropcheck::reports
