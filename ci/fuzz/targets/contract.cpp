// What the Python package says of a layer and of a run.
#include "contract.hpp"

#include <nlohmann/json.hpp>
#include <stdexcept>

#include "../target.hpp"

using namespace dropcheck;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data,
                                      std::size_t size) {
  const auto json =
      nlohmann::json::parse(fuzz::text_of(data, size), nullptr, false);
  if (json.is_discarded()) return 0;
  fuzz::allow<std::invalid_argument>([&] { python::entry_from(json); });
  fuzz::allow<std::invalid_argument>([&] { python::description_from(json); });
  fuzz::allow<std::invalid_argument>([&] { python::settings_from(json); });
  return 0;
}
