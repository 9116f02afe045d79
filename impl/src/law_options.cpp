#include "dropcheck/impl/law_options.hpp"

#include <fmt/format.h>

#include <array>
#include <span>
#include <stdexcept>

namespace dropcheck::impl {
namespace {

constexpr std::array<std::string_view, 4> kAtOne{"zeros", "error", "either",
                                                 "formula"};
constexpr std::array<std::string_view, 2> kBeyondEnds{"error", "accepted"};
constexpr std::array<std::string_view, 3> kDroppedNonFinite{"fill", "nan",
                                                            "either"};
constexpr std::array<std::string_view, 3> kDroppedZero{"positive", "signed",
                                                       "either"};
constexpr std::array<std::string_view, 3> kEvaluationReturn{"copy", "alias",
                                                            "either"};
constexpr std::array<std::string_view, 2> kScaleRounding{"float", "dtype"};
constexpr std::array<std::string_view, 2> kFlag{"false", "true"};

/// An option by its place in LawOptions: the index of its value, in words.
struct Option {
  std::string_view name;
  std::span<const std::string_view> values;
  std::size_t (*get)(const LawOptions&);
  void (*set)(LawOptions&, std::size_t);
};

template <auto kMember>
constexpr Option option(std::string_view name,
                        std::span<const std::string_view> values) {
  using Value = std::remove_cvref_t<decltype(LawOptions{}.*kMember)>;
  return {name, values,
          [](const LawOptions& options) {
            return static_cast<std::size_t>(options.*kMember);
          },
          [](LawOptions& options, std::size_t index) {
            options.*kMember = static_cast<Value>(index);
          }};
}

constexpr std::array<Option, 9> kOptions{{
    option<&LawOptions::at_one>("at_one", kAtOne),
    option<&LawOptions::beyond_ends>("beyond_ends", kBeyondEnds),
    option<&LawOptions::dropped_nonfinite>("dropped_nonfinite",
                                           kDroppedNonFinite),
    option<&LawOptions::dropped_zero>("dropped_zero", kDroppedZero),
    option<&LawOptions::evaluation_return>("evaluation_return",
                                           kEvaluationReturn),
    option<&LawOptions::scale_rounding>("scale_rounding", kScaleRounding),
    option<&LawOptions::dtype_is_kept>("dtype_is_kept", kFlag),
    option<&LawOptions::rank_is_checked>("rank_is_checked", kFlag),
    option<&LawOptions::scale_keeps_precision>("scale_keeps_precision", kFlag),
}};

const Option& option_called(std::string_view name) {
  for (const Option& option : kOptions) {
    if (option.name == name) return option;
  }
  throw std::invalid_argument(fmt::format("unknown option '{}': there are {}",
                                          name,
                                          fmt::join(option_names(), ", ")));
}

}  // namespace

std::vector<std::string_view> option_names() {
  std::vector<std::string_view> names;
  for (const Option& option : kOptions) names.push_back(option.name);
  return names;
}

bool is_flag(std::string_view option) {
  return option_called(option).values.data() == kFlag.data();
}

void declare(const DeclaredOption& declared, LawOptions& options) {
  const Option& option = option_called(declared.name);
  for (std::size_t index = 0; index < option.values.size(); ++index) {
    if (option.values[index] == declared.value) {
      return option.set(options, index);
    }
  }
  throw std::invalid_argument(
      fmt::format("option {} is '{}', but must be one of {}", declared.name,
                  declared.value, fmt::join(option.values, ", ")));
}

DeclaredOptions declared_options(const LawOptions& options,
                                 const LawOptions& base) {
  DeclaredOptions declared;
  for (const Option& option : kOptions) {
    const std::size_t index = option.get(options);
    if (index == option.get(base)) continue;
    declared.push_back(
        {std::string(option.name), std::string(option.values[index])});
  }
  return declared;
}

}  // namespace dropcheck::impl
