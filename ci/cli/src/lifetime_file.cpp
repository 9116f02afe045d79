#include "dropcheck/cli/lifetime_file.hpp"

#include <fmt/format.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "dropcheck/reports/atomic_write.hpp"

namespace dropcheck::cli {
namespace {

using Json = nlohmann::json;
using stats::Lifetime;

constexpr const char* kSchema = "dropcheck-lifetime/1";

Json counts_to_json(const stats::Counts& counts) {
  return {{"drops", counts.drops}, {"n", counts.n}};
}

/// The JSON library would cut a fraction off, and take -1 for 2^64 - 1.
std::uint64_t whole_number(const Json& json, std::string_view name) {
  if (json.is_number_unsigned()) return json.get<std::uint64_t>();
  throw std::runtime_error(
      fmt::format("{} is {}, but must be a whole number from 0 to 2^64 - 1",
                  name, json.dump()));
}

stats::Counts counts_from_json(const Json& json) {
  const stats::Counts counts{whole_number(json.at("drops"), "drops"),
                             whole_number(json.at("n"), "n")};
  if (counts.drops > counts.n) {
    throw std::runtime_error(
        fmt::format("drops is {}, but must be at most n, "
                    "which is {}",
                    counts.drops, counts.n));
  }
  return counts;
}

Json terms_to_json(const stats::LifetimeTerms& terms) {
  return {{"subject", terms.subject},
          {"build", terms.build},
          {"device", terms.device},
          {"configuration", terms.configuration},
          {"p0", terms.p0},
          {"kappa", terms.kappa},
          {"declared", {terms.declared.lower, terms.declared.upper}},
          {"alpha", terms.alpha},
          {"weight", terms.weight}};
}

stats::LifetimeTerms terms_from_json(const Json& json) {
  stats::LifetimeTerms terms;
  json.at("subject").get_to(terms.subject);
  json.at("build").get_to(terms.build);
  json.at("device").get_to(terms.device);
  json.at("configuration").get_to(terms.configuration);
  json.at("p0").get_to(terms.p0);
  json.at("kappa").get_to(terms.kappa);
  terms.declared = {json.at("declared").at(0).get<double>(),
                    json.at("declared").at(1).get<double>()};
  json.at("alpha").get_to(terms.alpha);
  json.at("weight").get_to(terms.weight);
  stats::validate(terms);
  return terms;
}

Json to_json(const Lifetime& lifetime) {
  Json json = {{"terms", terms_to_json(lifetime.terms)},
               {"fingerprint", fmt::format("{:016x}", lifetime.fingerprint)},
               {"counts", counts_to_json(lifetime.counts)},
               {"seeds", lifetime.seeds},
               {"killed", lifetime.killed},
               {"open_counts", counts_to_json(lifetime.open_counts)}};
  if (lifetime.open) json["open"] = *lifetime.open;
  return json;
}

Lifetime from_json(const Json& json) {
  Lifetime lifetime;
  lifetime.terms = terms_from_json(json.at("terms"));
  lifetime.fingerprint =
      std::stoull(json.at("fingerprint").get<std::string>(), nullptr, 16);
  lifetime.counts = counts_from_json(json.at("counts"));
  // As a list: anything else would be a list of one.
  for (const Json& seed : json.at("seeds").get<std::vector<Json>>()) {
    lifetime.seeds.push_back(whole_number(seed, "a seed"));
  }
  lifetime.killed = whole_number(json.at("killed"), "killed");
  if (json.contains("open")) {
    lifetime.open = whole_number(json.at("open"), "open");
  }
  lifetime.open_counts = counts_from_json(json.at("open_counts"));
  // Refuses terms that were edited after the first night.
  stats::lifetime_log_e_value(lifetime);
  return lifetime;
}

std::vector<Lifetime> parse(std::ifstream& file) {
  const Json json = Json::parse(file);
  const std::string schema = json.at("schema").get<std::string>();
  if (schema != kSchema) {
    throw std::runtime_error(
        fmt::format("schema is '{}', but must be '{}'", schema, kSchema));
  }
  std::vector<Lifetime> lifetimes;
  for (const Json& item : json.at("lifetimes")) {
    lifetimes.push_back(from_json(item));
  }
  return lifetimes;
}

}  // namespace

std::vector<Lifetime> read_lifetimes(const std::filesystem::path& path) {
  if (!std::filesystem::exists(path)) return {};
  std::ifstream file(path);
  if (!file) {
    throw std::runtime_error(
        fmt::format("cannot read {}: no right to read it", path.string()));
  }
  try {
    return parse(file);
  } catch (const std::exception& error) {
    throw std::runtime_error(
        fmt::format("cannot read {}: {}", path.string(), error.what()));
  }
}

void write_lifetimes(const std::filesystem::path& path,
                     const std::vector<Lifetime>& lifetimes) {
  Json json = {{"schema", kSchema}, {"lifetimes", Json::array()}};
  for (const Lifetime& lifetime : lifetimes) {
    json["lifetimes"].push_back(to_json(lifetime));
  }
  reports::atomic_write(path, json.dump(1) + "\n");
}

}  // namespace dropcheck::cli
