#include "dropcheck/cli/selection.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "dropcheck/cli/names.hpp"
#include "dropcheck/cli/usage_error.hpp"
#include "dropcheck/impl/adapters/doors.hpp"
#include "dropcheck/impl/dtype.hpp"
#include "dropcheck/properties/glob.hpp"

namespace dropcheck::cli {
namespace {

using Entries = std::vector<impl::SubjectEntry>;

std::vector<std::string> names_of(const Entries& entries) {
  std::vector<std::string> names;
  names.reserve(entries.size());
  for (const auto& entry : entries) names.push_back(entry.name);
  return names;
}

std::vector<std::string> schemes_of(const Entries& entries) {
  std::vector<std::string> schemes;
  for (const auto& entry : entries) {
    std::string scheme = entry.name.substr(0, entry.name.find(':'));
    if (schemes.empty() || schemes.back() != scheme) {
      schemes.push_back(std::move(scheme));
    }
  }
  return schemes;
}

/// What looks like one more value of --p, --shape or --dtype.
bool is_value(const std::string& text) {
  if (impl::dtype_from_name(text)) return true;
  return !text.empty() &&
         text.find_first_not_of("0123456789.x") == std::string::npos;
}

[[noreturn]] void refuse_subject(const Entries& all,
                                 const std::string& pattern) {
  auto schemes = schemes_of(all);
  for (const char* door : {"cmd", "lib", "py"}) {
    if (std::ranges::find(schemes, door) == schemes.end()) {
      schemes.emplace_back(door);
    }
  }
  const std::size_t colon = pattern.find(':');
  const std::string scheme = pattern.substr(0, colon);
  const bool known =
      std::find(schemes.begin(), schemes.end(), scheme) != schemes.end();
  if (colon != std::string::npos && !known) {
    throw UsageError(
        fmt::format("unknown subject '{}': its kind must be one of {}{}",
                    pattern, join(schemes), did_you_mean(scheme, schemes)));
  }
  if (is_value(pattern)) {
    throw UsageError(
        fmt::format("unknown subject '{}': several values of one option are "
                    "separated by commas, as in --p .1,.3",
                    pattern));
  }
  if (pattern.find(' ') != std::string::npos) {
    throw UsageError(fmt::format(
        "unknown subject '{}': a program is named 'cmd:{}'", pattern, pattern));
  }
  throw UsageError(fmt::format("unknown subject '{}': nothing has this name{}",
                               pattern,
                               colon == std::string::npos || !is_glob(pattern)
                                   ? did_you_mean_one_of(pattern, names_of(all))
                                   : ""));
}

void refuse_unknown_layers(const std::vector<std::string>& layers,
                           const std::vector<std::string>& known) {
  for (const std::string& layer : layers) {
    if (std::find(known.begin(), known.end(), layer) != known.end()) continue;
    throw UsageError(fmt::format("--layer is '{}', but must be one of {}{}",
                                 layer, join(known),
                                 did_you_mean(layer, known)));
  }
}

// A command is no glob, whatever letters it has.
bool fits(const std::string& pattern, const std::string& name) {
  if (!impl::adapters::is_door(pattern)) {
    return properties::glob_matches(pattern, name);
  }
  return name == pattern || name.starts_with(pattern + '#');
}

bool has_layer(const impl::SubjectEntry& entry,
               const std::vector<std::string>& layers) {
  return layers.empty() ||
         std::find(layers.begin(), layers.end(), entry.layer) != layers.end();
}

}  // namespace

std::vector<impl::SubjectEntry> select_subjects(
    const Entries& all, const Wish& wish,
    const std::vector<std::string>& known_layers) {
  refuse_unknown_layers(wish.layers, known_layers);
  std::vector<std::string> patterns = wish.subjects;
  if (patterns.empty()) patterns = {"builtin:*"};
  Entries chosen;
  std::set<std::string> seen;
  for (const std::string& pattern : patterns) {
    bool found = false;
    for (const auto& entry : all) {
      if (!fits(pattern, entry.name)) continue;
      found = true;
      const bool fresh =
          has_layer(entry, wish.layers) && seen.insert(entry.name).second;
      if (fresh) chosen.push_back(entry);
    }
    if (!found) refuse_subject(all, pattern);
  }
  if (!chosen.empty()) return chosen;
  throw UsageError(fmt::format("--layer is '{}', but no subject of {} is one",
                               join(wish.layers), join(patterns)));
}

const impl::SubjectEntry& find_subject(const Entries& all,
                                       const std::string& name) {
  for (const auto& entry : all) {
    if (entry.name == name) return entry;
  }
  refuse_subject(all, name);
}

}  // namespace dropcheck::cli
