#include "dropcheck/properties/number_text.hpp"

#include <fmt/format.h>

namespace dropcheck::properties {

std::string number_text(double value) {
  std::string text = fmt::format("{:g}", value);
  const std::size_t padded = text.find("e-0");
  if (padded != std::string::npos) text.erase(padded + 2, 1);
  return text;
}

}  // namespace dropcheck::properties
