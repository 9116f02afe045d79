#include "drift_counter.hpp"

#include <fmt/format.h>

#include <bit>
#include <cmath>
#include <stdexcept>

#include "dropcheck/stats/homogeneity.hpp"
#include "structure_evidence.hpp"

namespace dropcheck::properties {
namespace {

constexpr std::int64_t kParts = 16;

}  // namespace

DriftCounter::DriftCounter(std::int64_t calls, std::int64_t units_per_call)
    : calls_(calls), units_(units_per_call) {
  if (calls < 1 || units_per_call < 1) {
    throw std::invalid_argument(
        fmt::format("{} calls of {} units: both must be at least 1", calls,
                    units_per_call));
  }
  const auto bits =
      static_cast<int>(std::bit_width(static_cast<std::uint64_t>(calls - 1)));
  const auto groups = [](std::int64_t count) {
    return std::vector<stats::Counts>(static_cast<std::size_t>(count));
  };
  divisions_.push_back({Division::Kind::kParts, 0, groups(kParts)});
  divisions_.push_back({Division::Kind::kOctaves, 0, groups(bits + 2)});
  for (int bit = 0; bit < bits; ++bit) {
    divisions_.push_back({Division::Kind::kBit, bit, groups(2)});
  }
}

std::size_t DriftCounter::group_of(const Division& division) const {
  switch (division.kind) {
    case Division::Kind::kParts:
      return static_cast<std::size_t>(call_ * kParts / calls_);
    case Division::Kind::kOctaves:
      return static_cast<std::size_t>(
          std::bit_width(static_cast<std::uint64_t>(call_)));
    case Division::Kind::kBit:
      return static_cast<std::size_t>((call_ >> division.bit) & 1);
  }
  return 0;
}

void DriftCounter::add(std::uint64_t drops) {
  for (Division& division : divisions_) {
    division.groups.at(group_of(division)) +=
        {drops, static_cast<std::uint64_t>(units_)};
  }
  ++call_;
}

double DriftCounter::log_e_value(const Division& division, double p0) const {
  std::vector<stats::Counts> groups;
  for (const stats::Counts& group : division.groups) {
    if (group.n > 0) groups.push_back(group);
  }
  return groups.size() < 2 ? 0 : stats::log_homogeneity_e_value(groups, p0);
}

double DriftCounter::log_e_value(double p0) const {
  std::vector<double> logs;
  for (const Division& division : divisions_) {
    logs.push_back(log_e_value(division, p0));
  }
  return log_mean(logs);
}

DriftCounter::Standout DriftCounter::standout(double p0) const {
  std::vector<double> logs;
  for (const Division& division : divisions_) {
    logs.push_back(log_e_value(division, p0));
  }
  const Division& division = divisions_[largest_index(logs)];
  Standout standout;
  for (const stats::Counts& group : division.groups) standout.all += group;
  double largest = -1;
  for (std::size_t g = 0; g < division.groups.size(); ++g) {
    const stats::Counts& group = division.groups[g];
    const double distance = std::abs(rate_of(group) - rate_of(standout.all)) *
                            std::sqrt(static_cast<double>(group.n));
    if (distance <= largest) continue;
    largest = distance;
    standout.calls = name_of(division, g);
    standout.counts = group;
  }
  return standout;
}

std::string DriftCounter::name_of(const Division& division,
                                  std::size_t group) const {
  switch (division.kind) {
    case Division::Kind::kParts:
      return fmt::format("part {} of {} in time", group + 1, kParts);
    case Division::Kind::kOctaves:
      return group == 0
                 ? std::string("the first call")
                 : fmt::format("calls {} to {}", std::int64_t{1} << (group - 1),
                               (std::int64_t{1} << group) - 1);
    case Division::Kind::kBit:
      return fmt::format("calls whose number has bit {} {}", division.bit,
                         group == 0 ? "clear" : "set");
  }
  return {};
}

}  // namespace dropcheck::properties
