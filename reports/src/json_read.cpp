#include <fmt/format.h>

#include <charconv>
#include <limits>
#include <stdexcept>
#include <string>
#include <utility>

#include "dropcheck/reports/json.hpp"

namespace dropcheck::reports {
namespace {

using Json = nlohmann::json;
using properties::Finding;
using properties::RunResult;

[[noreturn]] void refuse(const std::string& where, const std::string& rule) {
  throw std::runtime_error(where + " " + rule);
}

// An object of the document that knows where it stands in it.
class Reader {
 public:
  Reader(const Json& json, std::string path)
      : json_(json), path_(std::move(path)) {
    if (!json.is_object()) refuse(path_, "must be an object");
  }

  std::string where(const char* name) const {
    return path_.empty() ? std::string(name) : path_ + "." + name;
  }

  const Json& at(const char* name) const {
    const auto found = json_.find(name);
    if (found == json_.end()) refuse(where(name), "is missing");
    return *found;
  }

  bool has(const char* name) const { return json_.contains(name); }

  std::string text(const char* name) const {
    const Json& value = at(name);
    if (!value.is_string()) refuse(where(name), "must be a string");
    return value.get<std::string>();
  }

  bool flag(const char* name) const {
    const Json& value = at(name);
    if (!value.is_boolean()) refuse(where(name), "must be true or false");
    return value.get<bool>();
  }

  double real(const char* name) const {
    const Json& value = at(name);
    if (value.is_null()) return std::numeric_limits<double>::quiet_NaN();
    if (!value.is_number()) refuse(where(name), "must be a number");
    return value.get<double>();
  }

  std::optional<double> maybe_real(const char* name) const {
    if (!has(name)) return std::nullopt;
    return real(name);
  }

  std::uint64_t whole(const char* name) const {
    const Json& value = at(name);
    if (!value.is_number_unsigned()) {
      refuse(where(name), "must be a whole number, not negative");
    }
    return value.get<std::uint64_t>();
  }

  const Json& list(const char* name) const {
    const Json& value = at(name);
    if (!value.is_array()) refuse(where(name), "must be a list");
    return value;
  }

  std::vector<std::string> texts(const char* name) const {
    std::vector<std::string> lines;
    for (const Json& line : list(name)) {
      if (!line.is_string()) refuse(where(name), "must hold strings only");
      lines.push_back(line.get<std::string>());
    }
    return lines;
  }

  // Reads each object of a list with `read`.
  template <typename Read>
  auto each(const char* name, Read read) const {
    std::vector<decltype(read(std::declval<const Reader&>()))> items;
    for (const Json& item : list(name)) {
      const auto index = items.size();
      items.push_back(
          read(Reader(item, fmt::format("{}[{}]", where(name), index))));
    }
    return items;
  }

 private:
  const Json& json_;
  std::string path_;
};

std::uint64_t read_seed(const Reader& reader) {
  const std::string text = reader.text("seed");
  std::uint64_t seed = 0;
  const char* end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data(), end, seed);
  if (parsed.ec != std::errc() || parsed.ptr != end) {
    refuse(reader.where("seed"), "is \"" + text +
                                     "\", but must be a decimal number below "
                                     "2^64");
  }
  return seed;
}

unsigned read_threads(const Reader& reader) {
  const std::uint64_t threads = reader.whole("threads");
  if (threads > std::numeric_limits<unsigned>::max()) {
    refuse(reader.where("threads"), "is too large");
  }
  return static_cast<unsigned>(threads);
}

properties::Verdict read_verdict(const Reader& reader) {
  const std::string name = reader.text("verdict");
  const auto verdict = properties::verdict_from_name(name);
  if (!verdict) {
    refuse(reader.where("verdict"), "is \"" + name + "\", which is no verdict");
  }
  return *verdict;
}

properties::Evidence read_evidence(const Reader& reader) {
  using properties::Evidence;
  const std::string name = reader.text("evidence");
  for (const Evidence evidence :
       {Evidence::kExhaustive, Evidence::kDeterministic,
        Evidence::kStatistical}) {
    if (properties::name_of(evidence) == name) return evidence;
  }
  refuse(reader.where("evidence"),
         "is \"" + name + "\", which is no kind of evidence");
}

properties::DiagnosticRow read_diagnostic(const Reader& reader) {
  return {.name = reader.text("name"),
          .statistic = reader.real("statistic"),
          .degrees_of_freedom = reader.real("degrees_of_freedom"),
          .log10_p = reader.real("log10_p"),
          .valid_at_level = reader.flag("valid_at_level"),
          .note = reader.text("note")};
}

std::optional<properties::MaskPicture> read_picture(const Reader& reader) {
  if (!reader.has("picture")) return std::nullopt;
  const Reader picture(reader.at("picture"), reader.where("picture"));
  return properties::MaskPicture{.caption = picture.text("caption"),
                                 .observed = picture.texts("observed"),
                                 .expected = picture.texts("expected")};
}

properties::ShrinkStep read_step(const Reader& reader) {
  return {.configuration = reader.text("configuration"),
          .refuted = reader.flag("refuted"),
          .log10_e = reader.maybe_real("log10_e"),
          .log10_threshold = reader.maybe_real("log10_threshold")};
}

std::optional<properties::Shrinking> read_shrinking(const Reader& reader) {
  if (!reader.has("shrinking")) return std::nullopt;
  const Reader shrinking(reader.at("shrinking"), reader.where("shrinking"));
  return properties::Shrinking{.steps = shrinking.each("steps", read_step),
                               .smallest = shrinking.text("smallest"),
                               .sentence = shrinking.text("sentence"),
                               .replay = shrinking.text("replay"),
                               .not_asked = shrinking.whole("not_asked"),
                               .stopped = shrinking.text("stopped")};
}

properties::SubjectRecord read_subject(const Reader& reader) {
  return {.name = reader.text("name"),
          .layer = reader.text("layer"),
          .version = reader.text("version"),
          .generator = reader.text("generator"),
          .repeatable = reader.flag("repeatable"),
          .paths = reader.has("paths") ? reader.texts("paths")
                                       : std::vector<std::string>{}};
}

properties::LifetimeRecord read_lifetime(const Reader& reader) {
  return {.subject = reader.text("subject"),
          .configuration = reader.text("configuration"),
          .nights = reader.whole("nights"),
          .drops = reader.whole("drops"),
          .n = reader.whole("n"),
          .log10_e = reader.real("log10_e"),
          .alpha = reader.real("alpha"),
          .refuted = reader.flag("refuted"),
          .sentence = reader.text("sentence")};
}

Finding read_finding(const Reader& reader) {
  return {.id = reader.text("id"),
          .subject = reader.text("subject"),
          .layer = reader.text("layer"),
          .check = reader.text("check"),
          .configuration = reader.text("configuration"),
          .verdict = read_verdict(reader),
          .evidence = read_evidence(reader),
          .sentence = reader.text("sentence"),
          .quantity = reader.text("quantity"),
          .expected = reader.maybe_real("expected"),
          .observed = reader.maybe_real("observed"),
          .interval_lower = reader.maybe_real("interval_lower"),
          .interval_upper = reader.maybe_real("interval_upper"),
          .log10_e = reader.maybe_real("log10_e"),
          .weight = reader.real("weight"),
          .n = reader.whole("n"),
          .calls = reader.whole("calls"),
          .detectable = reader.text("detectable"),
          .detectable_effect = reader.maybe_real("detectable_effect"),
          .bound = reader.text("bound"),
          .replay = reader.text("replay"),
          .repeatable = reader.flag("repeatable"),
          .seconds = reader.real("seconds"),
          .diagnostics = reader.each("diagnostics", read_diagnostic),
          .picture = read_picture(reader),
          .generated = reader.has("generated") && reader.flag("generated"),
          .shrinking = read_shrinking(reader),
          .deviation_reason = reader.text("deviation_reason"),
          .deviation_url = reader.text("deviation_url")};
}

std::map<std::string, std::string> read_environment(const Reader& reader) {
  const Json& json = reader.at("environment");
  const Reader checked(json, reader.where("environment"));
  std::map<std::string, std::string> environment;
  for (const auto& [name, value] : json.items()) {
    environment[name] = checked.text(name.c_str());
  }
  return environment;
}

}  // namespace

RunResult from_json(const Json& json) {
  if (!json.is_object()) refuse("the result", "must be an object");
  const Reader reader(json, "");
  const std::string schema = reader.text("schema");
  if (schema != kResultSchema) {
    refuse("schema", "is \"" + schema + "\", but this program reads \"" +
                         kResultSchema + "\"");
  }
  return {.version = reader.text("version"),
          .started = reader.text("started"),
          .seconds = reader.real("seconds"),
          .profile = reader.text("profile"),
          .seed = read_seed(reader),
          .alpha = reader.real("alpha"),
          .delta = reader.real("delta"),
          .margin = reader.real("margin"),
          .threads = read_threads(reader),
          .command = reader.text("command"),
          .environment = read_environment(reader),
          .subjects = reader.each("subjects", read_subject),
          .findings = reader.each("findings", read_finding),
          .log10_run_e = reader.real("log10_run_e"),
          .alarm = reader.flag("alarm"),
          .largest_term = reader.text("largest_term"),
          .interrupted = reader.flag("interrupted"),
          .warnings = reader.texts("warnings"),
          .lifetimes = reader.each("lifetimes", read_lifetime),
          .deviation_problems = reader.texts("deviation_problems")};
}

}  // namespace dropcheck::reports
