#include <fmt/format.h>

#include <kainjow/mustache.hpp>

#include "dropcheck/reports/self_test.hpp"
#include "self_test_words.hpp"
#include "templates.hpp"
#include "text.hpp"
#include "wording.hpp"

namespace dropcheck::reports {
namespace {

namespace mustache = kainjow::mustache;
using Data = mustache::data;
using self_test::SelfTestResult;

struct Look {
  const char* mark;
  const char* style;  ///< class of the cell
};

Look look_of(Hit hit) {
  switch (hit) {
    case Hit::kNamed:
      return {"●", "named"};
    case Hit::kRefuted:
      return {"○", "other"};
    case Hit::kPassed:
      return {"·", "passed"};
    case Hit::kMissed:
      return {"!", "missed"};
    case Hit::kNotLooked:
      break;
  }
  return {"", "none"};
}

/// One row each; an empty list is a list too.
template <class Rows, class Convert>
Data list(const Rows& rows, const Convert& convert) {
  Data all(Data::type::list);
  for (const auto& row : rows) all << convert(row);
  return all;
}

Data text_data(const std::string& text) { return {"text", xml_text(text)}; }

Data kill_data(const self_test::Kill& kill,
               const std::vector<std::string>& checks) {
  Data row{"name", xml_text(short_name(kill))};
  row.set("killed", Data(kill.killed));
  row.set("defect", xml_text(kill.defect));
  row.set("has_effect", Data(!kill.effect.empty()));
  row.set("effect", xml_text(capitalised(kill.effect) + '.'));
  row.set("caught_by", xml_text(kill.caught_by));
  row.set("profile", kill.profile);
  row.set("p", number(kill.drop_probability));
  row.set("sentence", xml_text(kill.sentence));
  row.set("n", kill.n == 0 ? "" : grouped(kill.n));
  row.set("seconds", fmt::format("{:.3f}", kill.seconds));
  row.set("cells", list(checks, [&](const std::string& check) {
            const Look look = look_of(hit_of(kill, check));
            Data cell{"check", xml_text(check)};
            cell.set("mark", look.mark);
            cell.set("class", look.style);
            return cell;
          }));
  return row;
}

Data power_data(const self_test::Power& power) {
  Data row{"family", xml_text(power.family)};
  row.set("check", xml_text(power.check));
  row.set("p", number(power.drop_probability));
  row.set("size", fmt::format("{:.3g}", power.size));
  row.set("stated", fmt::format("{:.3g}", power.stated_size));
  row.set("found", grouped(power.found));
  row.set("runs", grouped(power.runs));
  row.set("class", power.judged && !power.right ? "bad" : "");
  row.set("measures", xml_text(power.measures));
  return row;
}

Data exactness_data(const self_test::Exactness& row) {
  const Verdict verdict = row.right ? Verdict::kCertified : Verdict::kRefuted;
  Data data{"name", xml_text(row.name)};
  data.set("what", xml_text(row.what));
  data.set("verdict", std::string(name_of(verdict)));
  data.set("glyph", std::string(mark_of(verdict).glyph));
  data.set("lowest", fmt::format("{:.10g}", row.lowest));
  data.set("highest", fmt::format("{:.10g}", row.highest));
  data.set("at_most", number(row.at_most));
  return data;
}

Data fact(const std::string& name, const std::string& value) {
  Data data{"name", name};
  data.set("value", xml_text(value));
  return data;
}

Data facts_data(const SelfTestResult& result) {
  Data facts(Data::type::list);
  facts << fact("Profile", result.profile);
  facts << fact("Seed", std::to_string(result.seed));
  facts << fact("Started", result.started);
  facts << fact("Took", fmt::format("{:.3g} s", result.seconds));
  facts << fact("Threads", std::to_string(result.threads));
  facts << fact("dropcheck", result.version);
  return facts;
}

void add_heading(Data& page, const SelfTestResult& result) {
  const bool good = result.failures.empty();
  const Verdict verdict = good ? Verdict::kCertified : Verdict::kRefuted;
  page.set("word", good ? "Right" : "Wrong");
  page.set("verdict", std::string(name_of(verdict)));
  page.set("glyph", std::string(mark_of(verdict).glyph));
  page.set("conclusion", self_test_conclusion(result));
  page.set("failures", list(result.failures, text_data));
  page.set("has_command", Data(!result.command.empty()));
  page.set("command", xml_text(result.command));
  page.set("facts", facts_data(result));
}

void add_kills(Data& page, const SelfTestResult& result) {
  page.set("has_kills", Data(!result.kills.empty()));
  page.set("kill_summary", kill_summary(result));
  page.set("heads", list(result.checks, text_data));
  page.set("kills", list(result.kills, [&](const self_test::Kill& kill) {
             return kill_data(kill, result.checks);
           }));
}

void add_experiments(Data& page, const SelfTestResult& result) {
  page.set("has_false_alarms", Data(result.false_alarms.runs > 0));
  page.set("false_alarms", false_alarm_summary(result.false_alarms));
  page.set("remark", std::string(kFalseAlarmRemark));
  page.set("has_powers", Data(!result.powers.empty()));
  page.set("power_summary", power_summary(result));
  page.set("powers", list(result.powers, power_data));
  page.set("has_exactness", Data(!result.exactness.empty()));
  page.set("statistics_summary", statistics_summary(result));
  page.set("exactness", list(result.exactness, exactness_data));
}

}  // namespace

std::string self_test_html(const SelfTestResult& result) {
  Data page{"style", std::string(templates::k_style)};
  page.set("self_test_style", std::string(templates::k_self_test_style));
  add_heading(page, result);
  add_kills(page, result);
  add_experiments(page, result);
  mustache::mustache renderer{std::string(templates::k_self_test)};
  return renderer.render(page);
}

}  // namespace dropcheck::reports
