#include "dropcheck/properties/version.hpp"

namespace dropcheck::properties {

const std::string_view kVersion = DROPCHECK_VERSION;

}  // namespace dropcheck::properties
