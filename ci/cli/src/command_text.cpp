#include <fmt/format.h>

#include <string>
#include <string_view>
#include <vector>

#include "dropcheck/cli/names.hpp"
#include "dropcheck/cli/options.hpp"

namespace dropcheck::cli {
namespace {

std::string quoted(const std::string& argument) {
  constexpr std::string_view kPlain =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
      "_-+=.,:/@%";
  const bool plain = !argument.empty() &&
                     argument.find_first_not_of(kPlain) == std::string::npos;
  if (plain) return argument;
  std::string text = "'";
  for (const char c : argument) {
    text += c == '\'' ? std::string("'\\''") : std::string(1, c);
  }
  return text + "'";
}

}  // namespace

std::string command_text(const std::vector<std::string>& arguments,
                         std::uint64_t seed) {
  std::vector<std::string> words = {"dropcheck"};
  bool fixed = false;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const bool value_follows =
        arguments[i] == "--seed" && i + 1 < arguments.size();
    const bool random = arguments[i] == "--seed=random" ||
                        (value_follows && arguments[i + 1] == "random");
    if (random) {
      i += value_follows ? 1 : 0;
      continue;
    }
    fixed = fixed || arguments[i].starts_with("--seed");
    words.push_back(quoted(arguments[i]));
  }
  if (!fixed) words.push_back(fmt::format("--seed {}", seed));
  return join(words, " ");
}

}  // namespace dropcheck::cli
