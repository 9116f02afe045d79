#include "dropcheck/impl/random_stream.hpp"

#include <Random123/philox.h>
#include <Random123/threefry.h>

namespace dropcheck::impl {
namespace {

std::uint64_t joined(std::uint32_t low, std::uint32_t high) {
  return (std::uint64_t{high} << 32U) | low;
}

}  // namespace

void RandomStream::refill() {
  const r123::Philox4x32::ctr_type counter = {
      {static_cast<std::uint32_t>(counter_),
       static_cast<std::uint32_t>(counter_ >> 32U), 0, 0}};
  const r123::Philox4x32::key_type key = {
      {static_cast<std::uint32_t>(seed_),
       static_cast<std::uint32_t>(seed_ >> 32U)}};
  const auto words = r123::Philox4x32()(counter, key);
  block_ = {joined(words[0], words[1]), joined(words[2], words[3])};
  ++counter_;
  used_ = 0;
}

std::uint64_t keyed_word(std::uint64_t key, std::uint64_t a, std::uint64_t b,
                         std::uint64_t c) {
  const r123::Threefry4x64::ctr_type counter = {{a, b, c, 0}};
  const r123::Threefry4x64::key_type keys = {{key, 0, 0, 0}};
  return r123::Threefry4x64()(counter, keys)[0];
}

}  // namespace dropcheck::impl
