#include <fmt/format.h>
#include <toml++/toml.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <fstream>
#include <sstream>
#include <stdexcept>

#include "dropcheck/reports/deviations.hpp"
#include "text.hpp"

namespace dropcheck::reports {
namespace {

constexpr std::array<std::string_view, 7> kFields{
    "id", "subject", "reason", "url", "verdict", "largest_effect", "expires"};

// One table of the file, which knows where it stands.
class Entry {
 public:
  Entry(const toml::table& table, std::string file)
      : table_(table), file_(std::move(file)) {}

  [[noreturn]] void refuse(std::string_view field, std::string_view rule,
                           const toml::node* node = nullptr) const {
    const auto& source = (node != nullptr ? *node : table_).source();
    throw std::runtime_error(
        fmt::format("{}:{}: {} {}", file_, source.begin.line, field, rule));
  }

  const toml::node* find(std::string_view field) const {
    return table_.get(field);
  }

  std::string text(std::string_view field) const {
    const toml::node* node = find(field);
    if (node == nullptr) refuse(field, "is missing");
    const auto value = node->value_exact<std::string>();
    if (!value) refuse(field, "must be a string", node);
    if (value->empty()) refuse(field, "is empty", node);
    return *value;
  }

  std::string text_or(std::string_view field,
                      std::string_view otherwise) const {
    return find(field) != nullptr ? text(field) : std::string(otherwise);
  }

  std::size_t line() const { return table_.source().begin.line; }

  void check_fields() const {
    for (const auto& [key, node] : table_) {
      const std::string_view name = key.str();
      if (std::find(kFields.begin(), kFields.end(), name) == kFields.end()) {
        refuse(name, "is not a field of a deviation", &node);
      }
    }
  }

 private:
  const toml::table& table_;
  std::string file_;
};

std::string read_url(const Entry& entry) {
  std::string url = entry.text("url");
  if (!is_web_address(url)) {
    entry.refuse("url", "must start with http:// or https://",
                 entry.find("url"));
  }
  return url;
}

bool read_inconclusive(const Entry& entry) {
  const std::string verdict = entry.text_or("verdict", "refuted");
  if (verdict == "inconclusive") return true;
  if (verdict == "refuted") return false;
  entry.refuse(
      "verdict",
      "is \"" + verdict + "\", but must be \"refuted\" or \"inconclusive\"",
      entry.find("verdict"));
}

std::optional<double> read_effect(const Entry& entry) {
  const toml::node* node = entry.find("largest_effect");
  if (node == nullptr) return std::nullopt;
  const auto value = node->value<double>();
  if (!value || !(*value >= 0) || std::isinf(*value)) {
    entry.refuse("largest_effect", "must be a number, not negative", node);
  }
  return value;
}

std::optional<std::chrono::year_month_day> read_expiry(const Entry& entry) {
  const toml::node* node = entry.find("expires");
  if (node == nullptr) return std::nullopt;
  const auto date = node->value_exact<toml::date>();
  if (!date) {
    entry.refuse("expires", "must be a date without quotes, like 2026-12-31",
                 node);
  }
  return std::chrono::year(date->year) / std::chrono::month(date->month) /
         std::chrono::day(date->day);
}

Deviation read_entry(const Entry& entry) {
  entry.check_fields();
  return {.id = entry.text("id"),
          .reason = entry.text("reason"),
          .url = read_url(entry),
          .subject = entry.text_or("subject", "*"),
          .inconclusive = read_inconclusive(entry),
          .largest_effect = read_effect(entry),
          .expires = read_expiry(entry),
          .line = entry.line()};
}

void refuse_contradiction(const Entry& entry, const Deviation& deviation,
                          const std::vector<Deviation>& before) {
  for (const Deviation& other : before) {
    if (other.id != deviation.id || other.subject != deviation.subject) {
      continue;
    }
    entry.refuse("id", fmt::format("and subject are those of the entry in line "
                                   "{}; one finding has one entry",
                                   other.line));
  }
}

toml::table parse(const std::string& text, const std::string& name) {
  try {
    return toml::parse(text, name);
  } catch (const toml::parse_error& problem) {
    throw std::runtime_error(fmt::format(
        "{}:{}: {}", name, problem.source().begin.line, problem.description()));
  }
}

std::string read_text(const std::filesystem::path& path) {
  std::error_code error;
  if (!std::filesystem::exists(path, error)) {
    throw std::runtime_error("cannot read " + path.string() +
                             ": it does not exist");
  }
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  if (!file || std::filesystem::is_directory(path, error)) {
    throw std::runtime_error("cannot read " + path.string() +
                             ": it is no file that may be read");
  }
  return text.str();
}

const toml::array& entries_of(const toml::node& node, const Entry& whole) {
  const toml::array* entries = node.as_array();
  if (entries == nullptr) {
    whole.refuse("deviation", "must be written [[deviation]]", &node);
  }
  return *entries;
}

}  // namespace

std::vector<Deviation> parse_deviations(const std::string& text,
                                        const std::string& name) {
  const toml::table file = parse(text, name);
  const Entry whole(file, name);
  std::vector<Deviation> deviations;
  for (const auto& [key, node] : file) {
    if (key.str() != "deviation") {
      whole.refuse(key.str(), "is unknown here; entries are [[deviation]]",
                   &node);
    }
    for (const toml::node& item : entries_of(node, whole)) {
      const toml::table* table = item.as_table();
      if (table == nullptr) whole.refuse("deviation", "must be a table", &item);
      const Entry entry(*table, name);
      Deviation deviation = read_entry(entry);
      refuse_contradiction(entry, deviation, deviations);
      deviations.push_back(std::move(deviation));
    }
  }
  return deviations;
}

std::vector<Deviation> read_deviations(const std::filesystem::path& path) {
  return parse_deviations(read_text(path), path.string());
}

}  // namespace dropcheck::reports
