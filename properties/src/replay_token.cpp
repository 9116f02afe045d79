#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <map>
#include <stdexcept>

#include "check_definition.hpp"
#include "dropcheck/properties/verify.hpp"

namespace dropcheck::properties {
namespace {

constexpr std::string_view kMagic = "dc1";
constexpr std::string_view kPlain =
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._:+-/";

std::string escaped(std::string_view text) {
  std::string result;
  for (const char c : text) {
    if (kPlain.find(c) != std::string_view::npos) {
      result += c;
    } else {
      result += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
  }
  return result;
}

[[noreturn]] void refuse(std::string_view field, std::string_view value,
                         std::string_view rule) {
  throw std::invalid_argument(fmt::format(
      "replay token: {} is '{}', but must be {}", field, value, rule));
}

std::string unescaped(std::string_view text) {
  std::string result;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      result += text[i];
      continue;
    }
    unsigned code = 0;
    if (i + 2 >= text.size() ||
        std::from_chars(text.data() + i + 1, text.data() + i + 3, code, 16)
                .ptr != text.data() + i + 3) {
      refuse("escape", text.substr(i), "% and two hexadecimal digits");
    }
    result += static_cast<char>(code);
    i += 2;
  }
  return result;
}

using Fields = std::map<std::string, std::string, std::less<>>;

constexpr std::array<std::string_view, 27> kKnown{
    "version",   "subject",  "check",         "layer",       "p",
    "dtype",     "in_place", "channels_last", "unscaled",    "shared",
    "samples",   "units",    "generated",     "structure",   "block",
    "whole_map", "coupled",  "plain_gamma",   "fixed_scale", "shape",
    "own_shape", "profile",  "delta",         "margin",      "n_max",
    "alpha",     "weight"};

/// These are told by being there.
constexpr std::array<std::string_view, 8> kFlags{
    "in_place",  "channels_last", "unscaled",    "generated",
    "whole_map", "coupled",       "plain_gamma", "fixed_scale"};

template <class Names>
bool among(const Names& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

void add(Fields& fields, const std::string& name, const std::string& value) {
  if (name != "seed" && !among(kKnown, name)) {
    refuse("field", name, "one that this version knows");
  }
  if (among(kFlags, name) && value != "1") refuse(name, value, "1, or absent");
  if (!fields.emplace(name, value).second) refuse(name, value, "given once");
}

Fields split(const std::string& text) {
  Fields fields;
  std::size_t begin = text.find(',');
  if (text.substr(0, begin) != kMagic) {
    refuse("start", text.substr(0, begin), "dc1");
  }
  while (begin != std::string::npos) {
    const std::size_t end = text.find(',', begin + 1);
    const std::string field = text.substr(
        begin + 1, end == std::string::npos ? end : end - begin - 1);
    const std::size_t equals = field.find('=');
    if (equals == std::string::npos) refuse("field", field, "NAME=VALUE");
    add(fields, field.substr(0, equals), unescaped(field.substr(equals + 1)));
    begin = end;
  }
  return fields;
}

const std::string& required(const Fields& fields, std::string_view name) {
  const auto found = fields.find(name);
  if (found == fields.end()) refuse(name, "", "given");
  return found->second;
}

template <class T>
T number(const Fields& fields, std::string_view name) {
  const std::string& text = required(fields, name);
  T value{};
  const auto [end, error] =
      std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) {
    refuse(name, text, "a number");
  }
  return value;
}

double number_between(const Fields& fields, std::string_view name, double low,
                      double high) {
  const auto value = number<double>(fields, name);
  if (!(value >= low && value <= high)) {
    refuse(name, required(fields, name),
           fmt::format("between {} and {}", low, high));
  }
  return value;
}

/// What decides by masks that are shared needs some of them.
void require_masks(const ReplayToken& token) {
  const double p = token.config.drop_probability;
  if (token.rate_n_max > 0 || p == 0 || p == 1) return;
  if (find_check(token.check) == nullptr) return;
  if (definition_of(token.check).from_battery == nullptr) return;
  refuse("n_max", "0", "at least 1");
}

template <class T>
std::vector<T> list(const std::string& text, char separator,
                    std::string_view name) {
  std::vector<T> values;
  // One past the end after the last separator: an empty last value is refused.
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t end = std::min(text.find(separator, begin), text.size());
    T value{};
    const auto [stop, error] =
        std::from_chars(text.data() + begin, text.data() + end, value);
    if (error != std::errc() || stop != text.data() + end || value < 0) {
      refuse(name, text, "a list of numbers of at least 0");
    }
    values.push_back(value);
    begin = end + 1;
  }
  return values;
}

/// 0 where it is not given.
template <class T>
T option_of_network(const Fields& fields, std::string_view name) {
  if (!fields.contains(name)) return 0;
  const T value = number<T>(fields, name);
  if (value < 1) refuse(name, required(fields, name), "at least 1");
  return value;
}

impl::LayerConfig decode_config(const Fields& fields) {
  impl::LayerConfig config;
  config.layer = required(fields, "layer");
  config.drop_probability = number_between(fields, "p", 0, 1);
  const auto dtype = impl::dtype_from_name(required(fields, "dtype"));
  if (!dtype)
    refuse("dtype", required(fields, "dtype"), "f64, f32, f16 or bf16");
  config.dtype = *dtype;
  config.in_place = fields.contains("in_place");
  config.channels_last = fields.contains("channels_last");
  config.scale_by_keep = !fields.contains("unscaled");
  if (fields.contains("shared")) {
    config.shared_axes = list<int>(required(fields, "shared"), '+', "shared");
  }
  if (fields.contains("samples")) {
    config.samples = number<std::int64_t>(fields, "samples");
    if (config.samples < 0) {
      refuse("samples", required(fields, "samples"), "at least 0");
    }
  }
  if (fields.contains("block")) {
    config.block.size = number<std::int64_t>(fields, "block");
    if (config.block.size < 1) {
      refuse("block", required(fields, "block"), "at least 1");
    }
  }
  config.block.whole_map = fields.contains("whole_map");
  config.block.shared_by_channels = fields.contains("coupled");
  config.block.plain_gamma = fields.contains("plain_gamma");
  config.block.fixed_scale = fields.contains("fixed_scale");
  config.network.depth = option_of_network<int>(fields, "depth");
  config.network.width = option_of_network<std::int64_t>(fields, "width");
  config.network.heads = option_of_network<int>(fields, "heads");
  return config;
}

std::string block_text(const impl::BlockOptions& block) {
  std::string text;
  if (block.size != impl::BlockOptions{}.size) {
    text += fmt::format(",block={}", block.size);
  }
  if (block.whole_map) text += ",whole_map=1";
  if (block.shared_by_channels) text += ",coupled=1";
  if (block.plain_gamma) text += ",plain_gamma=1";
  if (block.fixed_scale) text += ",fixed_scale=1";
  return text;
}

std::string network_text(const impl::NetworkOptions& network) {
  std::string text;
  if (network.depth != 0) text += fmt::format(",depth={}", network.depth);
  if (network.width != 0) text += fmt::format(",width={}", network.width);
  if (network.heads != 0) text += fmt::format(",heads={}", network.heads);
  return text;
}

std::string shape_text(const impl::Shape& shape) {
  return shape.empty() ? "scalar" : fmt::format("{}", fmt::join(shape, "x"));
}

}  // namespace

std::string encode(const ReplayToken& token) {
  std::string text = fmt::format(
      "{},version={},subject={},check={},layer={},p={},dtype={}", kMagic,
      escaped(token.version), escaped(token.subject), token.check,
      token.config.layer, token.config.drop_probability,
      impl::name_of(token.config.dtype));
  if (token.config.in_place) text += ",in_place=1";
  if (token.config.channels_last) text += ",channels_last=1";
  if (!token.config.scale_by_keep) text += ",unscaled=1";
  if (!token.config.shared_axes.empty()) {
    text += fmt::format(",shared={}", fmt::join(token.config.shared_axes, "+"));
  }
  if (token.config.samples != 0) {
    text += fmt::format(",samples={}", token.config.samples);
  }
  if (token.reduced_n > 0) text += fmt::format(",units={}", token.reduced_n);
  if (token.generated) text += ",generated=1";
  if (token.structure_n > 0) {
    text += fmt::format(",structure={}", token.structure_n);
  }
  text += block_text(token.config.block);
  text += network_text(token.config.network);
  return text + fmt::format(
                    ",shape={},own_shape={},profile={},delta={},margin={},"
                    "n_max={},alpha={},weight={},seed={}",
                    shape_text(token.shape), token.own_shape ? 1 : 0,
                    name_of(token.profile), token.delta, token.margin,
                    token.rate_n_max, token.alpha, token.weight, token.seed);
}

ReplayToken decode_token(const std::string& text) {
  const Fields fields = split(text);
  ReplayToken token;
  token.version = required(fields, "version");
  token.subject = required(fields, "subject");
  token.check = required(fields, "check");
  token.config = decode_config(fields);
  const std::string& shape = required(fields, "shape");
  if (shape != "scalar") {
    token.shape = list<std::int64_t>(shape, 'x', "shape");
  }
  for (const std::int64_t extent : token.shape) {
    if (extent < 0) refuse("shape", shape, "extents of at least 0");
  }
  token.own_shape = number<int>(fields, "own_shape") != 0;
  const auto profile = profile_from_name(required(fields, "profile"));
  if (!profile) {
    refuse("profile", required(fields, "profile"),
           "smoke, pr, nightly or exhaustive");
  }
  token.profile = *profile;
  token.delta = number_between(fields, "delta", 0, 0.5);
  token.margin = number_between(fields, "margin", 0, 0.5);
  token.rate_n_max = number<std::uint64_t>(fields, "n_max");
  require_masks(token);
  token.alpha = number_between(fields, "alpha", 1e-300, 0.5);
  token.weight = number_between(fields, "weight", 0, 1);
  token.seed = number<std::uint64_t>(fields, "seed");
  if (fields.contains("units")) {
    token.reduced_n = number<std::uint64_t>(fields, "units");
  }
  token.generated = fields.contains("generated");
  if (fields.contains("structure")) {
    token.structure_n = number<std::uint64_t>(fields, "structure");
  }
  return token;
}

}  // namespace dropcheck::properties
