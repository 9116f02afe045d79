#include "dropcheck/cli/names.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <optional>

namespace dropcheck::cli {
namespace {

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

bool same(char a, char b) { return lower(a) == lower(b); }

std::string_view without_scheme(std::string_view name) {
  const std::size_t colon = name.find(':');
  return colon == std::string_view::npos ? name : name.substr(colon + 1);
}

// Without what fingers leave out: "DropBlock" is "drop_block".
std::string plain_letters(std::string_view name) {
  std::string letters;
  for (const char c : name) {
    if (c != '_' && c != '.' && c != '-') letters += lower(c);
  }
  return letters;
}

// Names that merely belong together (same words, other scheme) must not beat
// a near miss, so the bare comparison costs half an edit more.
std::size_t doubled_distance(std::string_view name,
                             std::string_view candidate) {
  std::size_t best = 2 * edit_distance(name, candidate);
  if (name.find(':') == std::string_view::npos) {
    const std::string_view bare = without_scheme(candidate);
    best = std::min(best, 2 * edit_distance(name, bare) + 1);
  }
  return best;
}

std::size_t doubled_limit(std::string_view name) {
  return 2 * std::clamp<std::size_t>(name.size() / 3, 1, 4) + 1;
}

}  // namespace

std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> before(b.size() + 1), last(b.size() + 1),
      now(b.size() + 1);
  std::iota(last.begin(), last.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    now[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t change = same(a[i - 1], b[j - 1]) ? 0 : 1;
      now[j] = std::min({last[j] + 1, now[j - 1] + 1, last[j - 1] + change});
      const bool swapped = i > 1 && j > 1 && same(a[i - 1], b[j - 2]) &&
                           same(a[i - 2], b[j - 1]);
      if (swapped) now[j] = std::min(now[j], before[j - 2] + 1);
    }
    before.swap(last);
    last.swap(now);
  }
  return last[b.size()];
}

std::string closest(std::string_view name,
                    const std::vector<std::string>& candidates) {
  std::string best;
  std::size_t best_distance = doubled_limit(name) + 1;
  for (const std::string& candidate : candidates) {
    const std::size_t distance = doubled_distance(name, candidate);
    if (distance < best_distance) {
      best_distance = distance;
      best = candidate;
    }
  }
  return best;
}

std::string did_you_mean(std::string_view name,
                         const std::vector<std::string>& candidates) {
  const std::string best = closest(name, candidates);
  return best.empty() ? "" : fmt::format("; did you mean '{}'?", best);
}

std::string did_you_mean_one_of(std::string_view name,
                                const std::vector<std::string>& candidates) {
  constexpr std::size_t kTold = 3;
  const std::string letters = plain_letters(without_scheme(name));
  const std::string close = did_you_mean(name, candidates);
  if (!close.empty() || letters.size() < 3) return close;
  std::vector<std::string> holding;
  for (const std::string& candidate : candidates) {
    if (plain_letters(candidate).find(letters) != std::string::npos) {
      holding.push_back("'" + candidate + "'");
    }
  }
  std::stable_sort(
      holding.begin(), holding.end(),
      [](const auto& a, const auto& b) { return a.size() < b.size(); });
  if (holding.size() > kTold) holding.resize(kTold);
  if (holding.empty()) return "";
  return fmt::format("; did you mean {}?", fmt::join(holding, " or "));
}

std::string join(const std::vector<std::string>& parts,
                 std::string_view separator) {
  return fmt::format("{}", fmt::join(parts, separator));
}

std::string counted(std::size_t count, const std::string& noun) {
  return fmt::format("{} {}{}", count, noun, count == 1 ? "" : "s");
}

bool is_glob(std::string_view pattern) {
  return pattern.find_first_of("*?") != std::string_view::npos;
}

std::string id_glob(const std::string& pattern) {
  if (pattern.find('[') != std::string::npos) return pattern;
  std::string glob = pattern;
  const bool any_layer = glob.find('.') == std::string::npos;
  if (any_layer && !glob.starts_with('*')) glob = "*." + glob;
  if (!glob.ends_with('*')) glob += "[*";
  return glob;
}

}  // namespace dropcheck::cli
