// An image of the worker protocol, and the length in front of it.
#include "../target.hpp"
#include "dropcheck/impl/adapters/protocol.hpp"

using namespace dropcheck;
using namespace dropcheck::impl::adapters;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data,
                                      std::size_t size) {
  const auto bytes = fuzz::bytes_of(data, size);
  if (size >= 8) {
    fuzz::allow<impl::AdapterError>(
        [&] { frame_length(bytes.first<8>(), kLongestFrame); });
  }
  fuzz::allow<impl::AdapterError>([&] {
    const Message message = decode(bytes);
    const auto image = encode(message);
    const Message again = decode(image);
    fuzz::demand(again.fields == message.fields, "fields survive");
    fuzz::demand(again.tensors.size() == message.tensors.size(),
                 "tensors survive");
    for (const auto& tensor : message.tensors) {
      const auto* twin = again.find(tensor.name);
      fuzz::demand(twin != nullptr && twin->shape == tensor.shape &&
                       twin->data.size() == tensor.data.size(),
                   "a tensor survives");
    }
  });
  return 0;
}
