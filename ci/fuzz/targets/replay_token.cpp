#include <stdexcept>

#include "../target.hpp"
#include "dropcheck/properties/verify.hpp"

using namespace dropcheck;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data,
                                      std::size_t size) {
  fuzz::allow<std::invalid_argument>([&] {
    const std::string once =
        properties::encode(properties::decode_token(fuzz::text_of(data, size)));
    fuzz::demand(properties::encode(properties::decode_token(once)) == once,
                 "a token survives");
  });
  return 0;
}
