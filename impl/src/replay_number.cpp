#include "replay_kernels.hpp"

namespace dropcheck::impl {

std::uint64_t number_of(const NumberRule& rule, const std::uint32_t* words) {
  std::uint64_t word = words[0];
  if (rule.words == 2) {
    const std::uint64_t high = words[rule.high_word_first ? 0 : 1];
    word = high << 32U | words[rule.high_word_first ? 1 : 0];
  }
  const auto width = static_cast<unsigned>(32 * rule.words);
  const auto spare = width - static_cast<unsigned>(rule.bits);
  if (rule.high_bits) return word >> spare;
  const auto bits = static_cast<unsigned>(rule.bits);
  return bits == 64 ? word : word & ((std::uint64_t{1} << bits) - 1);
}

}  // namespace dropcheck::impl
