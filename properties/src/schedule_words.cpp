#include "schedule_words.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

namespace dropcheck::properties {
namespace {

template <class Rate>
NamedSchedule schedule(std::string words, std::size_t blocks,
                       const Rate& rate) {
  NamedSchedule made{std::move(words), {}};
  for (std::size_t block = 0; block < blocks; ++block) {
    made.rates.push_back(rate(static_cast<double>(block)));
  }
  return made;
}

bool contain(std::span<const stats::Interval> seen,
             std::span<const double> rates) {
  for (std::size_t i = 0; i < seen.size(); ++i) {
    if (rates[i] < seen[i].lower || rates[i] > seen[i].upper) return false;
  }
  return true;
}

/// The factors k for which k * promised lies in every interval.
stats::Interval factors(std::span<const double> promised,
                        std::span<const stats::Interval> seen) {
  stats::Interval range{0, std::numeric_limits<double>::infinity()};
  for (std::size_t i = 0; i < seen.size(); ++i) {
    if (promised[i] == 0) {
      if (seen[i].lower > 0) return {1, 0};
      continue;
    }
    range.lower = std::max(range.lower, seen[i].lower / promised[i]);
    range.upper = std::min(range.upper, seen[i].upper / promised[i]);
  }
  return range;
}

}  // namespace

std::vector<NamedSchedule> named_schedules(double rate,
                                           std::span<const double> promised) {
  const std::size_t count = promised.size();
  const auto blocks = static_cast<double>(count);
  std::vector<NamedSchedule> all{
      schedule(count == 1 ? "it drops nothing"
                          : "no block drops, the rate never reaches one",
               count, [](double) { return 0.0; })};
  if (count > 1) {
    const auto linear = [=](double i) { return rate * i / (blocks - 1); };
    all.push_back(
        schedule("every block drops at the rate of the network, "
                 "which does not rise with depth",
                 count, [=](double) { return rate; }));
    all.push_back(schedule(
        fmt::format("it looks like rate * i / {}, so that the last block never "
                    "gets the whole rate",
                    count),
        count, [=](double i) { return rate * i / blocks; }));
    all.push_back(schedule(
        fmt::format("it looks like rate * (i + 1) / {}: off by one, the first "
                    "block drops too",
                    count),
        count, [=](double i) { return rate * (i + 1) / blocks; }));
    all.push_back(schedule("the rate falls with depth instead of rising", count,
                           [=](double i) { return rate - linear(i); }));
    all.push_back(
        schedule("the rate rises linearly with depth", count, linear));
  }
  std::erase_if(all, [&](const NamedSchedule& named) {
    return std::equal(
        promised.begin(), promised.end(), named.rates.begin(),
        [](double a, double b) { return std::abs(a - b) < 1e-12; });
  });
  return all;
}

std::optional<std::string> cause_of_schedule(
    double rate, std::span<const double> promised,
    std::span<const stats::Interval> seen) {
  for (const NamedSchedule& named : named_schedules(rate, promised)) {
    if (contain(seen, named.rates)) return named.words;
  }
  const stats::Interval range = factors(promised, seen);
  if (range.lower > range.upper || !std::isfinite(range.upper)) {
    return std::nullopt;
  }
  const double factor = (range.lower + range.upper) / 2;
  const double largest = *std::max_element(promised.begin(), promised.end());
  std::string text =
      fmt::format("every rate is about {:.2g} times what is promised", factor);
  if (factor > 1.05) {
    text += fmt::format(
        ", and exceeds 1 where the network is asked for more than {:.2g}",
        rate / (factor * largest));
  }
  return text;
}

}  // namespace dropcheck::properties
