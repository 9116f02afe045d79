#include "gradient_words.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "value_causes.hpp"

namespace dropcheck::properties {
namespace {

using Entries = std::vector<GradientEntry>;

bool crossed(const GradientEntry& entry) {
  return (entry.seen == 0) != (entry.due == 0);
}

template <class Holds>
bool everywhere(const Gradients& gradients, const Holds& holds) {
  return std::all_of(gradients.calls.begin(), gradients.calls.end(),
                     [&](const Entries& entries) {
                       return std::all_of(entries.begin(), entries.end(),
                                          holds);
                     });
}

/// All that lack a gradient stand behind the last that has one.
std::optional<std::string> end_is_missing(const Gradients& gradients) {
  std::size_t end = 0;
  for (const Entries& entries : gradients.calls) {
    for (std::size_t i = 0; i < entries.size(); ++i) {
      if (entries[i].seen != 0) end = std::max(end, i + 1);
    }
  }
  for (const Entries& entries : gradients.calls) {
    for (std::size_t i = 0; i < std::min(end, entries.size()); ++i) {
      if (crossed(entries[i])) return std::nullopt;
    }
  }
  if (end == 0) return "it is 0 everywhere";
  return fmt::format(
      "it is 0 from element {} on, as if the backward pass ended there", end);
}

/// The same of those before the first.
std::optional<std::string> start_is_missing(const Gradients& gradients) {
  std::size_t begin = gradients.calls.front().size();
  for (const Entries& entries : gradients.calls) {
    for (std::size_t i = 0; i < std::min(begin, entries.size()); ++i) {
      if (entries[i].seen != 0) begin = i;
    }
  }
  for (const Entries& entries : gradients.calls) {
    for (std::size_t i = begin; i < entries.size(); ++i) {
      if (crossed(entries[i])) return std::nullopt;
    }
  }
  return fmt::format("it is 0 up to element {}", begin);
}

bool moved_by(const Entries& entries, std::int64_t shift) {
  const auto size = static_cast<std::int64_t>(entries.size());
  const std::int64_t to = std::min(size, size + shift);
  for (std::int64_t i = std::max<std::int64_t>(shift, 0); i < to; ++i) {
    const auto here = static_cast<std::size_t>(i);
    const auto there = static_cast<std::size_t>(i - shift);
    if ((entries[here].seen == 0) != (entries[there].due == 0)) return false;
  }
  return true;
}

/// The mask of the element `shift` before, for the smallest such distance.
std::optional<std::string> moved(const Gradients& gradients) {
  const auto size = static_cast<std::int64_t>(gradients.calls.front().size());
  std::vector<std::int64_t> shifts;
  for (std::int64_t shift = 1; shift <= std::min<std::int64_t>(64, size / 4);
       ++shift) {
    shifts.push_back(shift);
  }
  if (gradients.row > 64 && gradients.row < size / 2) {
    shifts.push_back(gradients.row);
  }
  for (const std::int64_t shift : shifts) {
    for (const std::int64_t sign : {shift, -shift}) {
      if (!std::all_of(gradients.calls.begin(), gradients.calls.end(),
                       [&](const Entries& entries) {
                         return moved_by(entries, sign);
                       })) {
        continue;
      }
      return fmt::format(
          "it uses the mask of the element {} {}: the mask is read with an "
          "offset",
          shift, sign > 0 ? "before" : "behind");
    }
  }
  return std::nullopt;
}

/// How two masks agree, by the units of all calls.
std::string agreement(const Gradients& gradients) {
  double n = 0;
  double kept = 0;
  double passes = 0;
  double both = 0;
  for (const Entries& entries : gradients.calls) {
    for (const std::size_t unit : gradients.units) {
      const GradientEntry& entry = entries[unit];
      n += 1;
      kept += entry.due != 0 ? 1 : 0;
      passes += entry.seen != 0 ? 1 : 0;
      both += entry.due != 0 && entry.seen != 0 ? 1 : 0;
    }
  }
  constexpr double kTelling = 10;  // units that independent masks would cross
  if (both == passes && passes * (n - kept) > kTelling * n) {
    return "some of what was kept has no gradient: it is masked once more, or "
           "by something else, too";
  }
  if (both == kept && kept * (n - passes) > kTelling * n) {
    return "some of what was dropped has a gradient, and all of what was kept";
  }
  const double spread = std::sqrt(
      std::max(1.0, kept * passes * (n - kept) * (n - passes) / (n * n * n)));
  return std::abs(both - kept * passes / n) < 5 * spread
             ? "it is masked by another mask, as if that were drawn anew"
             : "its mask and the forward mask agree in part only";
}

}  // namespace

bool any_crossed(const Gradients& gradients) {
  return !everywhere(
      gradients, [](const GradientEntry& entry) { return !crossed(entry); });
}

std::string cause_of_crossed(const Gradients& gradients) {
  if (everywhere(gradients,
                 [](const GradientEntry& entry) { return entry.seen != 0; })) {
    return "the whole gradient passes, no mask is applied to it";
  }
  if (everywhere(gradients, crossed)) {
    return "keep and drop are swapped: it passes where the forward call "
           "dropped";
  }
  if (auto words = end_is_missing(gradients)) return *words;
  if (auto words = start_is_missing(gradients)) return *words;
  if (auto words = moved(gradients)) return *words;
  return agreement(gradients);
}

std::optional<std::string> cause_of_slope(const impl::Affine& due,
                                          double drop_probability,
                                          const GradientEntry& entry,
                                          double tolerance) {
  if (std::abs(entry.due - due.a) > 1e-6 * std::abs(due.a)) {
    // The slope is measured in every call: only its absence can be told.
    if (std::abs(entry.seen - 1) <= tolerance) return "the scale is missing";
    return std::nullopt;
  }
  return cause_of_factor(due, drop_probability, entry.seen, tolerance);
}

}  // namespace dropcheck::properties
