#include "dropcheck/reports/identification.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "dropcheck/impl/config.hpp"
#include "json_value.hpp"
#include "text.hpp"

namespace dropcheck::reports {
namespace {

using Json = nlohmann::json;
using properties::Identification;
using properties::NearestLayer;
using properties::RankReading;
using properties::ValueKind;

constexpr std::size_t kLabelColumns = 15;

std::string sentence(std::string text) {
  return capitalised(std::move(text)) + '.';
}

/// "3 and 4", "1, 2 and 3".
std::string listed(const std::vector<std::string>& parts) {
  if (parts.size() < 2) return joined(parts, "");
  const std::vector<std::string> front(parts.begin(), parts.end() - 1);
  return joined(front, ", ") + " and " + parts.back();
}

/// The axes that share a decision, of the result that was read.
std::string unit_text(const RankReading& reading) {
  if (reading.unit.empty()) return "not known";
  std::vector<std::string> axes;
  for (std::size_t i = 0; reading.shared && i < reading.shared->size(); ++i) {
    if ((*reading.shared)[i]) axes.push_back(std::to_string(i));
  }
  if (axes.empty()) return reading.unit;
  return fmt::format("{}: ax{} {} of {} share{} a decision", reading.unit,
                     axes.size() == 1 ? "is" : "es", listed(axes),
                     impl::to_string(reading.output),
                     axes.size() == 1 ? "s" : "");
}

std::string centres_text(const properties::BlockReading& blocks) {
  std::string text = fmt::format(
      "{}; each drawn with probability {}, in [{}, {}]",
      blocks.whole_map ? "anywhere, so that the border cuts blocks off"
                       : "where a whole block fits",
      number(blocks.gamma), number(blocks.gamma_interval.lower),
      number(blocks.gamma_interval.upper));
  const auto& shared = blocks.shared;
  if (shared.empty()) return text + "; each map for itself";
  std::vector<std::string> axes;
  for (const int axis : shared) axes.push_back(std::to_string(axis));
  return fmt::format("{}; one mask for all of ax{} {}", text,
                     axes.size() == 1 ? "is" : "es", listed(axes));
}

std::string rate_text(const Identification& found) {
  if (!found.drop_probability) return "not known";
  return fmt::format(
      "{} seen, in [{}, {}], wrong with probability at most {}; from {}{}",
      number(*found.drop_probability), number(found.interval.lower),
      number(found.interval.upper), chance(found.alpha),
      counted(found.decisions, "decision"),
      found.supposes_independence ? ", given independent units"
                                  : ", of calls as a whole");
}

std::string kept_text(const Identification& found) {
  if (found.blocks && found.blocks->measured_scale) {
    return "x times entries / kept entries of the call";
  }
  if (!found.slope) return "not known";
  const char* base = found.base_is_evaluation ? "e" : "x";
  std::string text = *found.slope == 1 && *found.offset == 0
                         ? std::string(base)
                         : fmt::format("{:.9g} * {}", *found.slope, base);
  if (*found.offset != 0) text += fmt::format(" {:+.9g}", *found.offset);
  return found.rounding.empty() ? text : text + "; " + found.rounding;
}

/// Ranks that are decided alike stand together.
std::string ranks_text(const Identification& found) {
  std::vector<std::pair<std::string, std::vector<std::string>>> groups;
  for (const RankReading& reading : found.ranks) {
    std::string word = reading.unit;
    if (!reading.taken) word = "refused";
    if (word.empty()) word = "taken";
    const auto same =
        std::find_if(groups.begin(), groups.end(),
                     [&](const auto& group) { return group.first == word; });
    auto& group = same == groups.end()
                      ? groups.emplace_back(word, std::vector<std::string>{})
                      : *same;
    group.second.push_back(std::to_string(reading.input.size()));
  }
  std::vector<std::string> parts;
  for (const auto& [word, ranks] : groups) {
    parts.push_back(fmt::format("{} {}", listed(ranks), word));
  }
  return joined(parts, "; ");
}

std::string neighbour_text(const NearestLayer& layer) {
  std::string name = layer.config.layer;
  if (!layer.options.empty()) name += " (" + layer.options + ")";
  if (layer.differences.empty()) return name + ": nothing differs";
  return name + ": " + joined(layer.differences, "; ");
}

class Table {
 public:
  explicit Table(std::size_t width) : width_(width) {}

  void add(const std::string& label, const std::string& value) {
    const std::size_t room =
        width_ > kLabelColumns + 20 ? width_ - kLabelColumns : 20;
    std::string first = label;
    for (const std::string& line : wrapped(one_line(value), room)) {
      text_ += padded(first, kLabelColumns) + line + '\n';
      first.clear();
    }
  }

  std::string text() const { return text_; }

 private:
  std::size_t width_;
  std::string text_;
};

void add_mask(Table& table, const Identification& found) {
  table.add("unit", unit_text(found.ranks[*found.rank]));
  if (found.blocks) table.add("centres", centres_text(*found.blocks));
  table.add("drop rate", rate_text(found));
  table.add("kept value", kept_text(found));
  if (found.dropped_value) {
    table.add("dropped value", fmt::format("{:.9g}", *found.dropped_value));
  }
}

void add_noise(Table& table, const Identification& found) {
  const properties::NoiseReading& noise = *found.noise;
  table.add("factor", found.ranks[*found.rank].unit);
  table.add("noise",
            fmt::format("mean {}, standard deviation {}, skewness {}, "
                        "kurtosis {}",
                        number(noise.mean), number(noise.deviation),
                        number(noise.skewness), number(noise.kurtosis)));
  if (!found.drop_probability) return;
  table.add("p", fmt::format("{} seen, in [{}, {}], wrong with probability at "
                             "most {}; from {}, given independent normal ones",
                             number(*found.drop_probability),
                             number(found.interval.lower),
                             number(found.interval.upper), chance(found.alpha),
                             counted(noise.n, "factor")));
}

std::string table_of(const Identification& found, std::size_t width) {
  Table table(width);
  if (properties::holds_mask(found.kind)) add_mask(table, found);
  if (found.noise && found.noise->multiplies) add_noise(table, found);
  if (found.rank) {
    table.add("evaluation", found.evaluation_words);
    table.add("seeds", found.seeding);
  }
  table.add("ranks", ranks_text(found));
  for (const std::string& what : found.remarks) table.add("remark", what);
  for (const std::string& what : found.unknown) table.add("cannot tell", what);
  if (found.nearest.size() > 1) {
    table.add("next nearest", neighbour_text(found.nearest[1]));
  }
  return table.text();
}

const char* name_of(ValueKind kind) {
  switch (kind) {
    case ValueKind::kMask:
      return "mask";
    case ValueKind::kNothingDropped:
      return "nothing-dropped";
    case ValueKind::kAllDropped:
      return "all-dropped";
    case ValueKind::kNoise:
      return "noise";
    case ValueKind::kScalePerCall:
      return "scale-per-call";
    case ValueKind::kInner:
      return "inner-mask";
    case ValueKind::kBranches:
      return "branches";
    case ValueKind::kUnknown:
      break;
  }
  return "unknown";
}

Json rank_to_json(const RankReading& reading) {
  Json json = {{"rank", reading.input.size()},
               {"input", reading.input},
               {"taken", reading.taken}};
  if (!reading.refusal.empty()) json["refusal"] = valid_utf8(reading.refusal);
  if (reading.taken) json["output"] = reading.output;
  if (!reading.unit.empty()) json["unit"] = reading.unit;
  if (reading.shared) json["shared"] = *reading.shared;
  return json;
}

Json nearest_to_json(const NearestLayer& layer) {
  return {{"layer", layer.config.layer},
          {"options", layer.options},
          {"distance", layer.distance},
          {"differences", texts(layer.differences)}};
}

Json blocks_to_json(const properties::BlockReading& blocks) {
  return {{"shape", blocks.shape},
          {"axes", blocks.axes},
          {"sizes", blocks.sizes},
          {"whole_map", blocks.whole_map},
          {"shared", blocks.shared},
          {"gamma", blocks.gamma},
          {"gamma_lower", blocks.gamma_interval.lower},
          {"gamma_upper", blocks.gamma_interval.upper},
          {"measured_scale", blocks.measured_scale}};
}

Json branches_to_json(const properties::BranchReading& branches) {
  return {{"unit", branches.unit},
          {"draws", branches.draws},
          {"distinct", branches.distinct},
          {"fewest_decisions", branches.fewest_decisions},
          {"commonest", branches.commonest},
          {"commonest_lower", branches.interval.lower},
          {"commonest_upper", branches.interval.upper}};
}

void put_mask(Json& json, const Identification& found) {
  put(json, "drop_probability", found.drop_probability);
  if (found.drop_probability) {
    json["interval_lower"] = number_or_null(found.interval.lower);
    json["interval_upper"] = number_or_null(found.interval.upper);
    json["supposes_independence"] = found.supposes_independence;
    json["as_asked"] = found.as_asked;
  }
  put(json, "slope", found.slope);
  put(json, "offset", found.offset);
  put(json, "dropped_value", found.dropped_value);
  json["decisions"] = found.decisions;
  json["base_is_evaluation"] = found.base_is_evaluation;
  json["rounding"] = found.rounding;
}

}  // namespace

std::string identification_text(const Identification& found,
                                const TerminalStyle& style) {
  const auto width = static_cast<std::size_t>(std::max(style.width, 40));
  std::string text = fmt::format(
      "{}, asked for {}, seed {}, {}\n\n", one_line(found.subject),
      impl::describe(found.config), found.seed, counted(found.calls, "call"));
  for (const std::string& words : {found.law, found.nearest_words}) {
    for (const std::string& line : wrapped(one_line(sentence(words)), width)) {
      text += line + '\n';
    }
  }
  return text + '\n' + table_of(found, width);
}

Json to_json(const Identification& found) {
  Json json = {{"schema", kIdentificationSchema},
               {"subject", valid_utf8(found.subject)},
               {"asked", impl::describe(found.config)},
               {"asked_drop_probability", found.config.drop_probability},
               {"seed", std::to_string(found.seed)},
               {"alpha", found.alpha},
               {"calls", found.calls},
               {"identified", found.identified},
               {"interrupted", found.interrupted},
               {"law", valid_utf8(found.law)},
               {"nearest_words", valid_utf8(found.nearest_words)},
               {"kind", name_of(found.kind)},
               {"evaluation", valid_utf8(found.evaluation_words)},
               {"seeding", valid_utf8(found.seeding)},
               {"unknown", texts(found.unknown)},
               {"remarks", texts(found.remarks)}};
  put_mask(json, found);
  if (found.rank) json["rank"] = found.ranks[*found.rank].input.size();
  json["ranks"] = Json::array();
  for (const RankReading& reading : found.ranks) {
    json["ranks"].push_back(rank_to_json(reading));
  }
  json["nearest"] = Json::array();
  for (const NearestLayer& layer : found.nearest) {
    json["nearest"].push_back(nearest_to_json(layer));
  }
  if (found.blocks) json["blocks"] = blocks_to_json(*found.blocks);
  if (found.branches) json["branches"] = branches_to_json(*found.branches);
  if (found.noise) {
    json["noise"] = {{"multiplies", found.noise->multiplies},
                     {"mean", found.noise->mean},
                     {"deviation", found.noise->deviation},
                     {"normal", found.noise->normal},
                     {"mean_is_one", found.noise->mean_is_one},
                     {"skewness", found.noise->skewness},
                     {"kurtosis", found.noise->kurtosis}};
  }
  return json;
}

}  // namespace dropcheck::reports
