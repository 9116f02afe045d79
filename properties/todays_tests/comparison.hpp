#pragma once

#include <set>
#include <string>
#include <vector>

#include "dropcheck/impl/registry.hpp"
#include "todays_test.hpp"

namespace dropcheck::properties::todays_tests {

/// One layer before one test, in several runs with seeds of their own.
struct Record {
  std::string subject;
  int runs = 0;
  int passed = 0;      ///< by the assertion of the test
  int granted = 0;     ///< also with all that is granted to it (Trial)
  bool hangs = false;  ///< a call did not return: failed all runs

  /// The rule of the table: it passes in more than half of the runs.
  bool let_pass() const { return 2 * passed > runs; }
};

/// Runs of a test on a layer: 11, or where it draws more than 1e7 decisions up
/// to 3, until the majority is clear. A layer that hangs has failed all of
/// them.
Record try_layer(const TodaysTest& test, const impl::SubjectEntry& entry);

/// Whether the test is about the law of the layer.
bool applies(const TodaysTest& test, const impl::SubjectEntry& entry);

/// All layers of a list that a test applies to, on all cores. One that is known
/// to hang is not called again.
std::vector<Record> try_layers(const TodaysTest& test,
                               const std::vector<impl::SubjectEntry>& entries,
                               std::set<std::string>& hanging);

/// What dropcheck says of one wrong layer.
struct Refutation {
  std::string subject;
  std::string check;    ///< that the zoo names
  std::string profile;  ///< and the cheapest one that must refute it
  double drop = 0;
  bool refuted = false;
};

/// Runs the check that the zoo names, as the zoo says, with seed 1.
Refutation refute(const impl::SubjectEntry& entry);

}  // namespace dropcheck::properties::todays_tests
