// Layers that leave the terms on which they are called: memory and time.
#include <chrono>
#include <cstddef>
#include <thread>

#include "faulty/draws.hpp"

namespace dropcheck::impl::faulty {
namespace {

/// Writes the element with an index outside of the output.
Fault writes_at(std::int64_t (*index)(std::int64_t size)) {
  return {.spoil = [index](const Draw&, const TensorView&,
                           const TensorView& output) {
    const auto width = static_cast<std::int64_t>(size_of(output.dtype));
    store(1,
          static_cast<std::byte*>(output.data) + index(output.size()) * width,
          output.dtype);
  }};
}

[[noreturn]] void wait_for_ever(const Draw&, const TensorView&,
                                const TensorView&) {
  for (;;) std::this_thread::sleep_for(std::chrono::hours(1));
}

}  // namespace

std::vector<Specimen> trespass_faults() {
  return {
      {"writes_past_the_end", "dropout", "support",
       "writes one element past the end of its output",
       "A loop over i <= n; the next tensor in memory pays for it.",
       writes_at([](std::int64_t size) { return size; })},
      {"writes_before_the_begin", "dropout", "support",
       "writes one element before its output",
       "An index counted from 1 is shifted once too often.",
       writes_at([](std::int64_t) { return std::int64_t{-1}; })},
      {"keeps_its_first_input",
       "dropout",
       "support",
       "reads the memory of the first input of a shape ever after",
       "A captured graph replays the address that it was captured with.",
       {.memory = Memory::kKeepsFirstInput}},
      {"never_returns",
       "dropout",
       "support",
       "never returns from training",
       "A rejection loop whose condition cannot become true.",
       {.spoil = wait_for_ever},
       {},
       {.call_timeout_seconds = 0.5}},
  };
}

}  // namespace dropcheck::impl::faulty
