// A deviations file, read, and emptied of its entries.
#include "dropcheck/reports/deviations.hpp"

#include <stdexcept>

#include "../target.hpp"

using namespace dropcheck;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data,
                                      std::size_t size) {
  const std::string text = fuzz::text_of(data, size);
  std::vector<reports::Deviation> entries;
  try {
    entries = reports::parse_deviations(text, "fuzz.toml");
  } catch (const std::runtime_error&) {
    return 0;
  }
  const std::vector<reports::EntryFate> fates(
      entries.size(), {.state = reports::EntryFate::State::kGone});
  fuzz::allow<std::invalid_argument>([&] {
    const auto update =
        reports::update_deviations(text, entries, fates, {}, {});
    fuzz::demand(reports::parse_deviations(update.text, "new.toml").empty(),
                 "what is gone is removed, and the rest can be read");
  });
  return 0;
}
