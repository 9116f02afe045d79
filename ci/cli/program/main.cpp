#include <malloc.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <exception>
#include <string>
#include <thread>
#include <vector>

#include "commands.hpp"
#include "dropcheck/cli/environment.hpp"
#include "dropcheck/cli/exit_status.hpp"
#include "dropcheck/cli/interrupt.hpp"
#include "dropcheck/cli/output.hpp"
#include "dropcheck/cli/usage_error.hpp"
#include "dropcheck/impl/subject.hpp"

namespace dropcheck::cli {
namespace {

int carry_out(const Context& context) {
  switch (context.options.command) {
    case Command::kVerify:
      return verify_command(context);
    case Command::kPlan:
      return plan_command(context);
    case Command::kList:
      return list_command(context);
    case Command::kExplain:
      return explain_command(context);
    case Command::kReplay:
      return replay_command(context);
    case Command::kIdentify:
      return identify_command(context);
    case Command::kSelfTest:
      return self_test_command(context);
    case Command::kAdapter:
      return adapter_command(context);
    case Command::kCheckTensors:
      return check_tensors_command(context);
    case Command::kDeviations:
      return deviations_command(context);
    case Command::kNone:
      break;
  }
  return kUsage;
}

// A script whose command went missing must not pass: help alone is status 2
// unless it was asked for.
int help(const std::vector<std::string>& arguments, const std::string& text) {
  print(text);
  return arguments.empty() ? kUsage : kSuccess;
}

int run(std::vector<std::string> arguments) {
  if (const char* simd = std::getenv("DROPCHECK_SIMD")) limit_simd(simd);
  const Invocation invocation =
      parse_command_line(arguments, DROPCHECK_VERSION);
  if (!invocation.text.empty()) return help(arguments, invocation.text);
  for (const std::string& note : invocation.options.notes) complain(note);
  Context context;
  context.options = invocation.options;
  context.arguments = std::move(arguments);
  context.out = terminal(STDOUT_FILENO, invocation.options.no_color);
  context.err = terminal(STDERR_FILENO, invocation.options.no_color);
  context.interrupt = &handle_interrupts();
  return carry_out(context);
}

/// As many arenas of the heap as threads can be at work at once: each takes
/// 64 MiB of addresses, of which some machines have few.
void limit_arenas() {
#ifdef M_ARENA_MAX
  const auto cores = static_cast<int>(std::thread::hardware_concurrency());
  mallopt(M_ARENA_MAX, std::max(1, cores));
#endif
}

int guarded(std::vector<std::string> arguments) {
  limit_arenas();
  try {
    return run(std::move(arguments));
  } catch (const UsageError& error) {
    complain(error.what());
    return kUsage;
  } catch (const impl::AdapterError& error) {
    complain(error.what());
    return kEnvironment;
  } catch (const EnvironmentError& error) {
    complain(error.what());
    return kEnvironment;
  } catch (const std::exception& error) {
    complain(std::string("internal error: ") + error.what());
  } catch (...) {
    complain("internal error: unknown exception");
  }
  return kInternal;
}

}  // namespace
}  // namespace dropcheck::cli

int main(int argc, char** argv) {
  return dropcheck::cli::guarded({argv + (argc > 0 ? 1 : 0), argv + argc});
}
