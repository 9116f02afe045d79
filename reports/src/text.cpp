#include "text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <utility>

namespace dropcheck::reports {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";

struct CodePoint {
  std::uint32_t value = 0;
  std::size_t length = 0;  ///< 0: the bytes are not UTF-8
};

// Length and first bits that a leading byte announces.
CodePoint leading(unsigned char byte) {
  if (byte < 0x80) return {byte, 1};
  if (byte >= 0xC2 && byte < 0xE0) return {byte & 0x1Fu, 2};
  if (byte >= 0xE0 && byte < 0xF0) return {byte & 0x0Fu, 3};
  if (byte >= 0xF0 && byte < 0xF5) return {byte & 0x07u, 4};
  return {};
}

bool is_scalar(const CodePoint& point) {
  constexpr std::uint32_t kSmallest[] = {0, 0, 0x80, 0x800, 0x10000};
  const bool surrogate = point.value >= 0xD800 && point.value < 0xE000;
  return point.value >= kSmallest[point.length] && point.value < 0x110000 &&
         !surrogate;
}

CodePoint decode(std::string_view text) {
  CodePoint point = leading(static_cast<unsigned char>(text.front()));
  if (point.length == 0 || point.length > text.size()) return {};
  for (std::size_t i = 1; i < point.length; ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if ((byte & 0xC0u) != 0x80u) return {};
    point.value = (point.value << 6) | (byte & 0x3Fu);
  }
  return is_scalar(point) ? point : CodePoint{};
}

// Copies the code points that `keep` accepts.
template <typename Keep>
std::string filtered(std::string_view text, Keep keep) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const CodePoint point = decode(text);
    if (point.length == 0) {
      out += kReplacement;
    } else if (keep(point.value)) {
      out += text.substr(0, point.length);
    }
    text.remove_prefix(std::max<std::size_t>(point.length, 1));
  }
  return out;
}

bool is_xml(std::uint32_t value) {
  if (value < 0x20) return value == '\t' || value == '\n' || value == '\r';
  return value != 0xFFFE && value != 0xFFFF;
}

// C1 controls would move the cursor; bidirectional marks would reorder a line.
bool is_harmless(std::uint32_t value) {
  const bool control = value < 0x20 || (value >= 0x7F && value < 0xA0);
  const bool reorders = (value >= 0x202A && value <= 0x202E) ||
                        (value >= 0x2066 && value <= 0x2069);
  return !control && !reorders && value != 0xFFFE && value != 0xFFFF;
}

// Bytes of the first `columns` code points.
std::size_t prefix_bytes(std::string_view text, std::size_t columns) {
  std::size_t at = 0;
  for (; at < text.size(); ++at) {
    const bool starts = (static_cast<unsigned char>(text[at]) & 0xC0u) != 0x80u;
    if (starts && columns-- == 0) break;
  }
  return at;
}

// One line of `flowed`, broken only if one part alone is too long.
void add_line(std::vector<std::string>& lines, std::string line,
              std::size_t columns) {
  line.erase(line.find_last_not_of(' ') + 1);
  if (columns_of(line) > columns) {
    std::ranges::move(wrapped(line, columns), std::back_inserter(lines));
  } else if (!line.empty()) {
    lines.push_back(std::move(line));
  }
}

}  // namespace

std::string valid_utf8(std::string_view text) {
  return filtered(text, [](std::uint32_t) { return true; });
}

std::string xml_text(std::string_view text) { return filtered(text, is_xml); }

std::string one_line(std::string_view text) {
  std::string spaced(text);
  for (char& c : spaced) {
    if (c == '\n' || c == '\t' || c == '\r') c = ' ';
  }
  return filtered(spaced, is_harmless);
}

std::size_t columns_of(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(
      text.begin(), text.end(),
      [](char c) { return (static_cast<unsigned char>(c) & 0xC0u) != 0x80u; }));
}

std::string padded(std::string text, std::size_t columns) {
  const std::size_t used = columns_of(text);
  if (used < columns) text.append(columns - used, ' ');
  return text;
}

std::vector<std::string> wrapped(std::string_view text, std::size_t columns) {
  std::vector<std::string> lines;
  std::string line;
  const auto flush = [&] { lines.push_back(std::exchange(line, {})); };
  while (!text.empty()) {
    const std::size_t space = std::min(text.find(' '), text.size());
    std::string_view word = text.substr(0, space);
    text.remove_prefix(std::min(space + 1, text.size()));
    const std::size_t gap = line.empty() ? 0 : 1;
    if (!line.empty() && columns_of(line) + gap + columns_of(word) > columns) {
      flush();
    }
    while (columns_of(word) > columns) {
      const std::size_t cut = prefix_bytes(word, columns);
      lines.emplace_back(word.substr(0, cut));
      word.remove_prefix(cut);
    }
    if (word.empty()) continue;
    if (!line.empty()) line += ' ';
    line += word;
  }
  if (!line.empty()) flush();
  return lines;
}

std::vector<std::string> flowed(const std::vector<std::string>& parts,
                                std::string_view separator,
                                std::size_t columns) {
  std::vector<std::string> lines;
  std::string line;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const std::string part =
        parts[i] + (i + 1 < parts.size() ? std::string(separator) : "");
    const std::size_t last = part.find_last_not_of(' ') + 1;
    if (!line.empty() &&
        columns_of(line) + columns_of(part.substr(0, last)) > columns) {
      add_line(lines, std::exchange(line, {}), columns);
    }
    line += part;
  }
  add_line(lines, std::move(line), columns);
  return lines;
}

std::string number(double value) {
  if (std::isnan(value)) return "not a number";
  if (std::isinf(value)) return value > 0 ? "infinity" : "-infinity";
  // Counts in full: 1048576 and not 1.04858e6.
  if (std::abs(value) < 1e15 && std::trunc(value) == value) {
    return fmt::format("{:.0f}", value == 0 ? 0 : value);
  }
  return chance(value);
}

std::string number(const std::optional<double>& value) {
  return value ? number(*value) : std::string("none");
}

std::string chance(double value) {
  std::string text = fmt::format("{:.6g}", value);
  const std::size_t e = text.find('e');
  if (e == std::string::npos) return text;
  // "1e-09" reads as "1e-9", "1e+20" as "1e20".
  std::size_t digits = e + 1;
  if (text[digits] == '+') text.erase(digits, 1);
  if (text[digits] == '-') ++digits;
  while (text[digits] == '0' && digits + 1 < text.size()) text.erase(digits, 1);
  return text;
}

std::string grouped(std::uint64_t value) {
  const std::string digits = std::to_string(value);
  std::string text;
  for (std::size_t i = 0; i < digits.size(); ++i) {
    if (i > 0 && (digits.size() - i) % 3 == 0) text += ',';
    text += digits[i];
  }
  return text;
}

std::string counted(std::uint64_t count, std::string_view noun) {
  return fmt::format("{} {}{}", grouped(count), noun, count == 1 ? "" : "s");
}

std::string joined(const std::vector<std::string>& parts,
                   std::string_view separator) {
  return fmt::format("{}", fmt::join(parts, separator));
}

std::string shell_word(std::string_view text) {
  constexpr std::string_view kSafe =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
      "_@%+=:,./-";
  if (!text.empty() &&
      text.find_first_not_of(kSafe) == std::string_view::npos) {
    return std::string(text);
  }
  std::string word = "'";
  for (const char c : text) {
    word += c == '\'' ? std::string("'\\''") : std::string(1, c);
  }
  return word + "'";
}

std::string capitalised(std::string word) {
  if (!word.empty() && word[0] >= 'a' && word[0] <= 'z') {
    word[0] = static_cast<char>(word[0] - 'a' + 'A');
  }
  return word;
}

bool is_web_address(std::string_view text) {
  return text.starts_with("https://") || text.starts_with("http://");
}

}  // namespace dropcheck::reports
