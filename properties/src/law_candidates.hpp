#pragma once

#include <string>
#include <vector>

#include "dropcheck/properties/identify.hpp"

namespace dropcheck::properties {

/// A known law with options, and with the numbers that were seen.
struct LawCandidate {
  impl::Law law;
  impl::LayerConfig config;
  std::string options;  ///< in words; empty if there are none
};

/// The laws that what was found may follow: those of blocks for blocks, of
/// noise for noise, and all others, each plain and with the options that its
/// reference layer has.
std::vector<LawCandidate> law_candidates(const Identification& found);

}  // namespace dropcheck::properties
