#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "dropcheck/stats/counts.hpp"

namespace dropcheck::properties {

/// Drops of a sequence of calls by predictable classes of the call's number:
/// 16 parts in time, powers of two, and each bit of the number.
class DriftCounter {
 public:
  /// Throws std::invalid_argument unless there are calls with units.
  DriftCounter(std::int64_t calls, std::int64_t units_per_call);

  /// The drops of the next call.
  void add(std::uint64_t drops);

  /// ln of the e-value of "one rate, whatever it is", the mean over the ways
  /// to divide the calls.
  double log_e_value(double p0) const;

  /// The class that stands out, of the division that says most.
  struct Standout {
    std::string calls;     ///< "part 3 of 16 in time"
    stats::Counts counts;  ///< of it
    stats::Counts all;
  };
  Standout standout(double p0) const;

 private:
  struct Division {
    enum class Kind { kParts, kOctaves, kBit } kind;
    int bit = 0;
    std::vector<stats::Counts> groups;
  };
  std::size_t group_of(const Division& division) const;
  double log_e_value(const Division& division, double p0) const;
  std::string name_of(const Division& division, std::size_t group) const;

  std::int64_t calls_;
  std::int64_t units_;
  std::int64_t call_ = 0;
  std::vector<Division> divisions_;
};

}  // namespace dropcheck::properties
