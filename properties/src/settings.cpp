#include "dropcheck/properties/settings.hpp"

#include <algorithm>
#include <array>
#include <thread>
#include <utility>

namespace dropcheck::properties {
namespace {

constexpr std::array<std::pair<Profile, std::string_view>, 4> kProfiles{{
    {Profile::kSmoke, "smoke"},
    {Profile::kPr, "pr"},
    {Profile::kNightly, "nightly"},
    {Profile::kExhaustive, "exhaustive"},
}};

}  // namespace

std::string_view name_of(Profile profile) {
  return kProfiles[static_cast<std::size_t>(profile)].second;
}

std::optional<Profile> profile_from_name(std::string_view name) {
  for (const auto& [profile, known] : kProfiles) {
    if (known == name) return profile;
  }
  return std::nullopt;
}

std::size_t default_generated(Profile profile) {
  switch (profile) {
    case Profile::kSmoke:
      return 2;
    case Profile::kPr:
      return 32;
    case Profile::kNightly:
    case Profile::kExhaustive:
      return 256;
  }
  return 0;
}

double default_shrink_limit(Profile profile) {
  return profile == Profile::kSmoke ? 5 : 30;
}

unsigned thread_count(const Settings& settings) {
  if (settings.threads > 0) return settings.threads;
  return std::max(1U, std::thread::hardware_concurrency());
}

}  // namespace dropcheck::properties
