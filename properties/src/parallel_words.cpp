#include <fmt/format.h>

#include "dropcheck/properties/plan.hpp"

namespace dropcheck::properties {

std::string parallel_words(const PlannedSubject& subject, unsigned threads) {
  const bool own_process = static_cast<bool>(subject.entry.open_within);
  if (threads <= 1) {
    return own_process ? "one worker process" : "one thread";
  }
  if (own_process) {
    return subject.repeatable()
               ? fmt::format("{} worker processes, one for each thread",
                             threads)
               : fmt::format(
                     "up to {} worker processes, each with whole "
                     "configurations: masks come in one sequence",
                     threads);
  }
  if (!subject.description.own_state) {
    return "one call after the other, because its layers share a generator";
  }
  return subject.repeatable()
             ? "one generator for each thread"
             : "one generator for each configuration: masks come in one "
               "sequence";
}

}  // namespace dropcheck::properties
