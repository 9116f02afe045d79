#include <stdexcept>

#include "../target.hpp"
#include "dropcheck/cli/lifetime_file.hpp"

using namespace dropcheck;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data,
                                      std::size_t size) {
  const fuzz::TemporaryFile file(".json", fuzz::bytes_of(data, size));
  fuzz::allow<std::runtime_error>([&] {
    const auto once = cli::read_lifetimes(file.path());
    cli::write_lifetimes(file.path(), once);
    fuzz::demand(cli::read_lifetimes(file.path()).size() == once.size(),
                 "lifetimes survive");
  });
  return 0;
}
