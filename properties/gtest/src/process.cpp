#include "dropcheck/gtest/process.hpp"

#include <cxxabi.h>
#include <errno.h>  // program_invocation_name
#include <fmt/format.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "dropcheck/properties/number_text.hpp"

namespace dropcheck::gtest {
namespace {

std::atomic<Session*> started{nullptr};

/// GoogleTest's own main keeps the arguments to itself; the system does not.
std::vector<std::string> arguments() {
  std::ifstream file("/proc/self/cmdline", std::ios::binary);
  std::vector<std::string> all;
  for (std::string argument; std::getline(file, argument, '\0');) {
    all.push_back(argument);
  }
  return all;
}

Options read_options() {
  return overridden(defaults(), arguments(),
                    [](const char* name) { return std::getenv(name); });
}

void announce(const Session& session) {
  const Options& options = session.options();
  std::printf("dropcheck: profile %s, DROPCHECK_SEED=%llu, alarm budget %s%s\n",
              std::string(properties::name_of(options.profile)).c_str(),
              static_cast<unsigned long long>(session.seed()),
              properties::number_text(options.alpha).c_str(),
              session.replays() ? ", one finding repeated" : "");
  std::fflush(stdout);
}

}  // namespace

Options& defaults() {
  static Options options;
  return options;
}

Session& session() {
  static Session only(read_options());
  static const bool announced = [] {
    announce(only);
    started = &only;
    return true;
  }();
  static_cast<void>(announced);
  return only;
}

void begin_iteration() {
  if (Session* const session = started) session->begin_iteration();
}

std::optional<std::string> unanswered_replay() {
  try {
    if (started == nullptr && read_options().replay.empty()) return {};
    const auto subject = session().unused_replay();
    if (!subject) return {};
    return fmt::format(
        "dropcheck: the replay token is of '{}', but no assertion of this name "
        "ran",
        *subject);
  } catch (const std::invalid_argument& error) {
    return fmt::format("dropcheck: {}", error.what());
  }
}

AlarmShares& alarm_shares() {
  static AlarmShares shares;
  return shares;
}

std::string program() { return ::program_invocation_name; }

std::string readable(const std::type_info& type) {
  int status = 0;
  const std::unique_ptr<char, decltype(&std::free)> text(
      abi::__cxa_demangle(type.name(), nullptr, nullptr, &status), std::free);
  std::string name = text ? text.get() : type.name();
  constexpr std::string_view kNoise = "(anonymous namespace)::";
  for (std::size_t at; (at = name.find(kNoise)) != std::string::npos;) {
    name.erase(at, kNoise.size());
  }
  return name;
}

}  // namespace dropcheck::gtest
