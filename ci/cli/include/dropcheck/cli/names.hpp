#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace dropcheck::cli {

/// Damerau-Levenshtein distance (optimal string alignment): insertions,
/// deletions, substitutions and swaps of neighbours. Letter case is free.
std::size_t edit_distance(std::string_view a, std::string_view b);

/// The candidate that `name` most likely means, or "" if none is close: at
/// most one edit in three letters. A name without its scheme ("dropout" for
/// "builtin:dropout") counts as close. The first of several equals wins.
std::string closest(std::string_view name,
                    const std::vector<std::string>& candidates);

/// "; did you mean 'dropout2d'?", or "" if no candidate is close.
std::string did_you_mean(std::string_view name,
                         const std::vector<std::string>& candidates);

/// The same of several: names that hold the letters of `name`, nearest first;
/// at most three, and only where no candidate is close.
std::string did_you_mean_one_of(std::string_view name,
                                const std::vector<std::string>& candidates);

/// "a, b, c".
std::string join(const std::vector<std::string>& parts,
                 std::string_view separator = ", ");

/// "1 check", "2 checks".
std::string counted(std::size_t count, const std::string& noun);

/// Whether a name on the command line is a pattern with '*' or '?'.
bool is_glob(std::string_view pattern);

/// An --only pattern as a glob on finding ids: "granularity" becomes
/// "*.granularity[*", and "dropout2d.granularity" the same of one layer.
std::string id_glob(const std::string& pattern);

}  // namespace dropcheck::cli
