#pragma once

#include <cstdint>
#include <cstdio>
#include <memory>
#include <ostream>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "dropcheck/impl/random_stream.hpp"
#include "dropcheck/impl/registry.hpp"
#include "dropcheck/properties/verify.hpp"

namespace dropcheck::impl {

inline void PrintTo(const SubjectEntry& entry, std::ostream* out) {
  *out << entry.name;
}

}  // namespace dropcheck::impl

namespace dropcheck::properties {

/// How GoogleTest shows a verdict.
inline void PrintTo(Verdict verdict, std::ostream* out) {
  *out << name_of(verdict);
}

}  // namespace dropcheck::properties

namespace dropcheck::properties::testing {

inline const impl::SubjectEntry& subject(const std::string& name) {
  for (const auto* entries :
       {&impl::builtin_subjects(), &impl::builtin_networks(),
        &impl::faulty_subjects(), &impl::faulty_networks()}) {
    for (const impl::SubjectEntry& entry : *entries) {
      if (entry.name == name) return entry;
    }
  }
  throw std::invalid_argument("no subject called " + name);
}

/// f32 at one drop probability, at smoke: the shortest run there is.
inline Settings smoke(std::uint64_t seed, double drop = 0.1) {
  Settings settings;
  settings.profile = Profile::kSmoke;
  settings.drop_probabilities = {drop};
  settings.dtypes = {impl::DType::kFloat32};
  settings.seed = seed;
  settings.threads = 2;
  return settings;
}

inline RunResult run(const std::vector<impl::SubjectEntry>& subjects,
                     const Settings& settings, const Progress& progress = {}) {
  return verify(make_plan(subjects, settings), progress);
}

/// All fields but the time, so that a difference names its field.
inline std::vector<std::pair<std::string, std::string>> fields_of(
    const Finding& f) {
  const auto text = [](double value) {
    // Every bit counts.
    char buffer[40];
    std::snprintf(buffer, sizeof buffer, "%a", value);
    return std::string(buffer);
  };
  const auto maybe = [&](const std::optional<double>& value) {
    return value ? text(*value) : std::string("none");
  };
  std::vector<std::pair<std::string, std::string>> fields{
      {"id", f.id},
      {"subject", f.subject},
      {"layer", f.layer},
      {"check", f.check},
      {"configuration", f.configuration},
      {"verdict", std::string(name_of(f.verdict))},
      {"evidence", std::string(name_of(f.evidence))},
      {"sentence", f.sentence},
      {"quantity", f.quantity},
      {"expected", maybe(f.expected)},
      {"observed", maybe(f.observed)},
      {"interval_lower", maybe(f.interval_lower)},
      {"interval_upper", maybe(f.interval_upper)},
      {"log10_e", maybe(f.log10_e)},
      {"weight", text(f.weight)},
      {"n", std::to_string(f.n)},
      {"calls", std::to_string(f.calls)},
      {"detectable", f.detectable},
      {"detectable_effect", maybe(f.detectable_effect)},
      {"bound", f.bound},
      {"replay", f.replay},
      {"repeatable", f.repeatable ? "yes" : "no"},
      {"deviation_reason", f.deviation_reason},
      {"deviation_url", f.deviation_url}};
  for (const DiagnosticRow& row : f.diagnostics) {
    fields.emplace_back("diagnostic " + row.name,
                        text(row.statistic) + " " +
                            text(row.degrees_of_freedom) + " " +
                            text(row.log10_p) + " " +
                            (row.valid_at_level ? "valid " : "- ") + row.note);
  }
  if (f.picture) {
    std::string all = f.picture->caption;
    for (const auto* rows : {&f.picture->observed, &f.picture->expected}) {
      for (const std::string& row : *rows) all += "\n" + row;
    }
    fields.emplace_back("picture", all);
  }
  return fields;
}

}  // namespace dropcheck::properties::testing
