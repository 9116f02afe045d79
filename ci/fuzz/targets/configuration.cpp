// The configuration that a worker is asked for, and options that it declares.
#include "../target.hpp"
#include "dropcheck/impl/adapters/protocol.hpp"

using namespace dropcheck;
using namespace dropcheck::impl::adapters;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data,
                                      std::size_t size) {
  const std::string text = fuzz::text_of(data, size);
  fuzz::allow<impl::AdapterError>([&] {
    const std::string once = to_json(config_from_json(text));
    fuzz::demand(to_json(config_from_json(once)) == once,
                 "a configuration survives");
  });
  fuzz::allow<impl::AdapterError>([&] {
    const std::string once = to_json(options_from_json(text));
    fuzz::demand(to_json(options_from_json(once)) == once, "options survive");
  });
  fuzz::allow<impl::AdapterError>([&] {
    const impl::Shape strides = strides_from_text(text);
    fuzz::demand(strides_from_text(strides_to_text(strides)) == strides,
                 "strides survive");
    element_span(impl::Shape(strides.size(), 3), strides);
  });
  return 0;
}
