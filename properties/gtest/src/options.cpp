#include "dropcheck/gtest/options.hpp"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <stdexcept>
#include <string_view>

namespace dropcheck::gtest {
namespace {

/// A value and where it was given, for the error.
struct Given {
  std::string name;  ///< "--dropcheck_seed" or "DROPCHECK_SEED"
  std::string text;
};

[[noreturn]] void refuse(const Given& given, std::string_view rule) {
  throw std::invalid_argument(
      fmt::format("{} is '{}', but must be {}", given.name, given.text, rule));
}

template <class Number>
Number number(const Given& given, Number least, Number most,
              std::string_view rule) {
  Number value{};
  const char* const end = given.text.data() + given.text.size();
  const auto [stop, error] = std::from_chars(given.text.data(), end, value);
  const bool whole = error == std::errc() && stop == end;
  if (!whole || !(value >= least && value <= most)) refuse(given, rule);
  return value;
}

void set_profile(Options& options, const Given& given) {
  const auto profile = properties::profile_from_name(given.text);
  if (!profile) refuse(given, "smoke, pr, nightly or exhaustive");
  options.profile = *profile;
}

void set_seed(Options& options, const Given& given) {
  options.seed.reset();
  if (given.text == "random") return;
  options.seed = number<std::uint64_t>(
      given, 0, UINT64_MAX, "'random' or a whole number from 0 to 2^64 - 1");
}

void set_alpha(Options& options, const Given& given) {
  options.alpha =
      number<double>(given, 1e-300, 0.499, "a number above 0 and below 0.5");
}

void set_threads(Options& options, const Given& given) {
  options.threads =
      number<unsigned>(given, 1, 4096, "a whole number from 1 to 4096");
}

void set_call_timeout(Options& options, const Given& given) {
  options.call_timeout_seconds =
      number<double>(given, 1e-3, 3e7, "a number of seconds from 0.001 to 3e7");
}

void set_replay(Options& options, const Given& given) {
  options.replay = given.text;
}

struct Setter {
  std::string_view name;
  void (*set)(Options&, const Given&);
};
constexpr std::array kSetters{Setter{"profile", set_profile},
                              Setter{"seed", set_seed},
                              Setter{"alpha", set_alpha},
                              Setter{"threads", set_threads},
                              Setter{"call_timeout", set_call_timeout},
                              Setter{"replay", set_replay}};

std::string upper(std::string_view text) {
  std::string result(text);
  for (char& c : result) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  }
  return result;
}

void set_from_argument(Options& options, const std::string& argument) {
  constexpr std::string_view kPrefix = "--dropcheck_";
  if (!argument.starts_with(kPrefix)) return;
  const std::size_t equals = std::min(argument.find('='), argument.size());
  const std::string name = argument.substr(0, equals);
  for (const Setter& setter : kSetters) {
    if (name.substr(kPrefix.size()) != setter.name) continue;
    const std::size_t begin = std::min(equals + 1, argument.size());
    return setter.set(options, {name, argument.substr(begin)});
  }
  throw std::invalid_argument(fmt::format(
      "{} is no option: there are --dropcheck_profile, _seed, _alpha, "
      "_threads, _call_timeout and _replay, all with =VALUE",
      name));
}

}  // namespace

Options overridden(Options options, const std::vector<std::string>& arguments,
                   const std::function<const char*(const char*)>& environment) {
  for (const Setter& setter : kSetters) {
    const std::string name = "DROPCHECK_" + upper(setter.name);
    const char* const text = environment(name.c_str());
    // An empty variable is how shells and CI files leave one out.
    if (text == nullptr || *text == '\0') continue;
    setter.set(options, {name, text});
  }
  for (const std::string& argument : arguments) {
    set_from_argument(options, argument);
  }
  return options;
}

}  // namespace dropcheck::gtest
