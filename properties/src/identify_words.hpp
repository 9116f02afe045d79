#pragma once

#include <string>

#include "dropcheck/properties/identify.hpp"

namespace dropcheck::properties {

/// The law as one sentence, as far as it is known.
std::string law_in_words(const Identification& found);

/// Which layer it is or comes nearest to, and what differs, as one sentence.
std::string nearest_in_words(const Identification& found);

}  // namespace dropcheck::properties
