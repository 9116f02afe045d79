// What a worker (an image of the protocol) or a plug-in (JSON) says of itself.
#include "../target.hpp"
#include "dropcheck/impl/adapters/promise.hpp"
#include "dropcheck/impl/adapters/protocol.hpp"
#include "plugin_library.hpp"

using namespace dropcheck;
using namespace dropcheck::impl::adapters;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data,
                                      std::size_t size) {
  fuzz::allow<impl::AdapterError>([&] {
    const Message message = decode(fuzz::bytes_of(data, size));
    const auto description = description_from(message);
    Message again;
    describe_to(description, again);
    const auto twin = description_from(again);
    fuzz::demand(twin.dtypes == description.dtypes, "dtypes survive");
  });
  fuzz::allow<impl::AdapterError>(
      [&] { plugin_from_json(fuzz::text_of(data, size)); });
  return 0;
}
