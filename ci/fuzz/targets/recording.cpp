// A recording as a user has it: the first byte says by which name.
#include "../target.hpp"
#include "dropcheck/impl/adapters/recorded_tensors.hpp"
#include "dropcheck/impl/subject.hpp"

using namespace dropcheck;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data,
                                      std::size_t size) {
  if (size == 0) return 0;
  static const char* const kEndings[] = {".npz", ".safetensors", ".npy"};
  const fuzz::TemporaryFile file(kEndings[data[0] % 3],
                                 fuzz::bytes_of(data + 1, size - 1));
  fuzz::allow<impl::AdapterError>([&] {
    if (data[0] % 3 == 2) {
      impl::adapters::read_recorded({file.path(), file.path()});
    } else {
      impl::adapters::read_recorded({file.path()});
    }
  });
  return 0;
}
