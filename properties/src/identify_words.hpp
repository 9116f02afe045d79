#pragma once

#include <string>
#include <vector>

#include "dropcheck/properties/identify.hpp"
#include "probe.hpp"

namespace dropcheck::properties {

/// The law as one sentence, as far as it is known.
std::string law_in_words(const Identification& found);

/// Which layer it is or comes nearest to, and what differs, as one sentence.
std::string nearest_in_words(const Identification& found);

/// What cannot be told of a layer that was read, each with its reason. `main`:
/// what was read at `found.rank`.
std::vector<std::string> doubts_of(const Identification& found,
                                   const Probe& main);

}  // namespace dropcheck::properties
