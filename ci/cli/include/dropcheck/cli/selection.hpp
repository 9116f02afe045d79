#pragma once

#include <string>
#include <vector>

#include "dropcheck/impl/registry.hpp"

namespace dropcheck::cli {

/// What the user named; both are names, subjects may be globs.
struct Wish {
  std::vector<std::string> subjects;  ///< empty: "builtin:*"
  std::vector<std::string> layers;    ///< empty: any
};

/// The entries that fit, each once, in the order in which they were asked for.
///
/// Throws UsageError for a subject or a layer that is not known, with a near
/// name if there is one, and where no entry is left.
std::vector<impl::SubjectEntry> select_subjects(
    const std::vector<impl::SubjectEntry>& all, const Wish& wish,
    const std::vector<std::string>& known_layers);

/// The entry with exactly this name. Throws UsageError if there is none.
const impl::SubjectEntry& find_subject(
    const std::vector<impl::SubjectEntry>& all, const std::string& name);

}  // namespace dropcheck::cli
