#include "zip.hpp"

#include <algorithm>

#include "../target.hpp"
#include "dropcheck/impl/subject.hpp"

using namespace dropcheck;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data,
                                      std::size_t size) {
  fuzz::allow<impl::AdapterError>([&] {
    std::size_t total = 0;
    for (const auto& [name, bytes] :
         impl::adapters::unzip(fuzz::bytes_of(data, size))) {
      total = std::max(total, bytes.size());
    }
    fuzz::demand(total <= 1032 * size + 1032,
                 "memory is bounded by what deflate can make");
  });
  return 0;
}
