#include "npy.hpp"

#include "../target.hpp"
#include "dropcheck/impl/subject.hpp"

using namespace dropcheck;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data,
                                      std::size_t size) {
  fuzz::allow<impl::AdapterError>([&] {
    const auto tensor = impl::adapters::decode_npy(fuzz::bytes_of(data, size));
    fuzz::demand(static_cast<std::size_t>(tensor.size()) <= size,
                 "memory is bounded by the file");
  });
  return 0;
}
