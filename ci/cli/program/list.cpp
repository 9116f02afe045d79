#include <fmt/format.h>

#include <algorithm>

#include "commands.hpp"
#include "dropcheck/cli/exit_status.hpp"
#include "dropcheck/cli/names.hpp"
#include "dropcheck/cli/output.hpp"
#include "dropcheck/cli/table.hpp"
#include "dropcheck/cli/usage_error.hpp"
#include "dropcheck/impl/law.hpp"
#include "dropcheck/impl/threshold_idioms.hpp"
#include "dropcheck/properties/check_catalogue.hpp"

namespace dropcheck::cli {
namespace {

constexpr int kUnlimited = 10000;
/// From here on a wrong layer has a line of its own.
constexpr std::size_t kWide = 120;

std::string layers_text(std::size_t width) {
  Table table({"layer", "what it promises"});
  for (const impl::Law* law : all_laws()) {
    table.add({std::string(law->layer), std::string(law->summary)});
  }
  return table.text(width);
}

// Reasons get letters in the order in which they are met.
class Reasons {
 public:
  char letter_of(std::string_view reason) {
    auto found = std::find(reasons_.begin(), reasons_.end(), reason);
    if (found == reasons_.end()) {
      found = reasons_.insert(reasons_.end(), std::string(reason));
    }
    return static_cast<char>('a' + (found - reasons_.begin()));
  }
  std::string text(std::size_t width) const {
    constexpr std::string_view kIndent = "\n      ";
    std::string text = "\n   x  decided\n";
    char letter = 'a';
    for (const std::string& reason : reasons_) {
      const auto lines =
          wrapped("no meaning: " + reason, width - kIndent.size());
      text += fmt::format("   {}  {}\n", letter++, join(lines, kIndent));
    }
    return text;
  }

 private:
  std::vector<std::string> reasons_;
};

/// One block of columns: the checks, and some layers by their numbers.
class Applicability {
 public:
  explicit Applicability(std::size_t width)
      : width_(width),
        layers_(all_laws()),
        most_(std::max<std::size_t>(1, (width - kNames) / kCell)) {}

  std::string text() {
    std::string text = "\nwhich check has a meaning for which layer\n\n";
    for (std::size_t i = 0; i < layers_.size(); ++i) {
      text += fmt::format("  {:2}  {}\n", i + 1, layers_[i]->layer);
    }
    for (std::size_t first = 0; first < layers_.size(); first += most_) {
      text += block(first, std::min(first + most_, layers_.size()));
    }
    return text + reasons_.text(width_);
  }

 private:
  static constexpr std::size_t kNames = 20;
  static constexpr std::size_t kCell = 3;

  std::string block(std::size_t first, std::size_t last) {
    std::string text = fmt::format("\n{:{}}", "check", kNames);
    for (std::size_t i = first; i < last; ++i) {
      text += fmt::format("{:{}}", i + 1, kCell);
    }
    text += '\n';
    for (const auto& check : properties::checks()) {
      text += fmt::format("{:{}}", check.name, kNames);
      for (std::size_t i = first; i < last; ++i) {
        const auto reason = properties::not_applicable(check, *layers_[i]);
        const char mark = reason.empty() ? 'x' : reasons_.letter_of(reason);
        text += fmt::format("{:>{}}", mark, kCell);
      }
      text += '\n';
    }
    return text;
  }

  std::size_t width_;
  std::vector<const impl::Law*> layers_;
  std::size_t most_;
  Reasons reasons_;
};

std::string checks_text(std::size_t width) {
  Table table({"check", "evidence", "what it decides"});
  for (const auto& check : properties::checks()) {
    table.add({std::string(check.name),
               std::string(properties::name_of(check.evidence)),
               std::string(check.summary)});
  }
  return table.text(width) + Applicability(width).text();
}

bool is_faulty(const impl::SubjectEntry& entry) {
  return entry.name.starts_with("faulty:");
}

std::string subjects_text(std::size_t width) {
  Table table({"subject", "layer", "what it is"});
  for (const auto& entry : all_subjects(Options{})) {
    if (is_faulty(entry)) continue;
    table.add({entry.name, entry.layer, entry.summary});
  }
  return table.text(width);
}

// Names fill most of a narrow line: the rest stands below.
std::string narrow_faulty_text(std::size_t width) {
  Table table({"subject", "layer, the check that refutes it, what is wrong"});
  for (const auto& entry : all_subjects(Options{})) {
    if (!is_faulty(entry)) continue;
    table.add({entry.name, fmt::format("{}, {}: {}", entry.layer,
                                       entry.caught_by, entry.defect)});
  }
  return table.text(width);
}

std::string faulty_text(std::size_t width) {
  if (width < kWide) return narrow_faulty_text(width);
  Table table({"subject", "layer", "caught by", "what is wrong"});
  for (const auto& entry : all_subjects(Options{})) {
    if (!is_faulty(entry)) continue;
    table.add({entry.name, entry.layer, entry.caught_by, entry.defect});
  }
  return table.text(width);
}

// Idioms that no drop probability shows are the point: full digits.
std::string idioms_text(std::size_t width) {
  constexpr double kSpelledOut = 0.1;
  const std::vector<double> drops = {0.1, 0.3, 0.5, 0.9};
  std::vector<std::string> header = {"idiom", "dtype", "bits",
                                     fmt::format("p = {} is", kSpelledOut)};
  for (const double drop : drops) {
    header.push_back(fmt::format("error at {}", drop));
  }
  header.emplace_back("seen in");
  Table table(header);
  for (const auto& idiom : impl::threshold_idioms()) {
    const auto fraction = [&idiom](double drop) {
      return impl::drop_fraction(idiom, impl::Probability::from_drop(drop));
    };
    std::vector<std::string> row = {
        std::string(idiom.name), std::string(impl::name_of(idiom.dtype)),
        std::to_string(idiom.word_bits), to_string(fraction(kSpelledOut))};
    for (const double drop : drops) {
      const double error = fraction(drop).error(drop);
      row.push_back(error == 0 ? "0" : fmt::format("{:+.2e}", error));
    }
    row.emplace_back(idiom.seen_in);
    table.add(row);
  }
  return "how libraries turn random bits into decisions, and the drop "
         "probability that comes of it\n\n" +
         table.text(width);
}

struct Section {
  const char* name;
  std::string (*text)(std::size_t width);
};
constexpr Section kSections[] = {{"layers", layers_text},
                                 {"checks", checks_text},
                                 {"subjects", subjects_text},
                                 {"faulty", faulty_text},
                                 {"idioms", idioms_text}};

std::string everything(std::size_t width) {
  std::string text;
  for (const Section& section : kSections) {
    text += fmt::format("{}== {}\n\n{}", text.empty() ? "" : "\n", section.name,
                        section.text(width));
  }
  return text;
}

}  // namespace

int list_command(const Context& context) {
  const std::string& topic = context.options.topic;
  // A pipe gets one line for each row, so that grep finds whole rows.
  const int columns = context.out.is_terminal ? context.out.width : kUnlimited;
  const auto width = static_cast<std::size_t>(columns);
  if (topic.empty()) {
    print(everything(width));
    return kSuccess;
  }
  std::vector<std::string> names;
  names.reserve(std::size(kSections));
  for (const Section& section : kSections) {
    if (topic == section.name) {
      print(section.text(width));
      return kSuccess;
    }
    names.emplace_back(section.name);
  }
  throw UsageError(fmt::format("list is given '{}', but must be one of {}{}",
                               topic, join(names), did_you_mean(topic, names)));
}

}  // namespace dropcheck::cli
