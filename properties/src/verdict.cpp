#include "dropcheck/properties/verdict.hpp"

namespace dropcheck::properties {
namespace {

constexpr std::array<std::string_view, kVerdictCount> kNames{
    "error",        "crash",   "timeout",   "refuted",       "unexpected-pass",
    "inconclusive", "not-run", "deviation", "not-supported", "certified"};

}  // namespace

std::string_view name_of(Verdict verdict) {
  return kNames[static_cast<std::size_t>(verdict)];
}

std::optional<Verdict> verdict_from_name(std::string_view name) {
  for (std::size_t i = 0; i < kNames.size(); ++i) {
    if (kNames[i] == name) return static_cast<Verdict>(i);
  }
  return std::nullopt;
}

std::string_view name_of(Evidence evidence) {
  switch (evidence) {
    case Evidence::kExhaustive:
      return "exhaustive";
    case Evidence::kDeterministic:
      return "deterministic";
    case Evidence::kStatistical:
      return "statistical";
  }
  return "";
}

}  // namespace dropcheck::properties
