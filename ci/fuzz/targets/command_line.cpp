// Arguments, one a line.
#include <sstream>

#include "../target.hpp"
#include "dropcheck/cli/options.hpp"
#include "dropcheck/cli/usage_error.hpp"

using namespace dropcheck;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data,
                                      std::size_t size) {
  std::vector<std::string> arguments;
  std::istringstream lines(fuzz::text_of(data, size));
  for (std::string line; std::getline(lines, line);) arguments.push_back(line);
  fuzz::allow<cli::UsageError>(
      [&] { cli::parse_command_line(arguments, "0"); });
  return 0;
}
