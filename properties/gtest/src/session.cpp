#include "dropcheck/gtest/session.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <random>
#include <stdexcept>
#include <utility>

#include "dropcheck/impl/random_stream.hpp"
#include "dropcheck/stats/run_alarm.hpp"

namespace dropcheck::gtest {
namespace {

// A door like the program: chance from outside enters here, and is printed.
std::uint64_t fresh_seed() {
  std::random_device device;
  const std::uint64_t high = device();
  return high << 32 | device();
}

std::uint64_t key_of(const std::string& name) {
  std::uint64_t key = 0;
  for (const char c : name) {
    key = impl::keyed_word(key, static_cast<unsigned char>(c));
  }
  return key;
}

void require_probabilities(const Contract& contract) {
  for (const double p : contract.drop_probabilities) {
    if (p >= 0 && p <= 1) continue;
    throw std::invalid_argument(fmt::format(
        "contract: drop probability is {}, but must be in [0, 1]", p));
  }
}

bool is_one_of(const std::string& name, const std::vector<std::string>& names) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

/// The plan of some checks of a plan; none of them gains weight by what is left
/// out.
properties::Plan narrowed(const properties::Plan& whole, const Claim& claim) {
  properties::Settings settings = whole.settings;
  settings.only.clear();
  settings.share = 0;
  std::map<std::string, double> weights;
  for (const auto& configuration : whole.configurations) {
    for (const auto& check : configuration.checks) {
      if (check.hidden || !is_one_of(check.check, claim.checks)) continue;
      settings.only.push_back(check.id);
      settings.share += check.weight;
      weights[check.id] = check.weight;
    }
  }
  if (settings.only.empty()) {
    properties::Plan none = whole;
    none.configurations.clear();
    return none;
  }
  properties::Plan plan = properties::make_plan({claim.entry}, settings);
  for (auto& configuration : plan.configurations) {
    for (auto& check : configuration.checks) {
      if (!check.hidden) check.weight = weights.at(check.id);
    }
  }
  return plan;
}

}  // namespace

double AlarmShares::next() { return stats::open_ended_share(++taken_); }

Session::Session(Options options)
    : options_(std::move(options)),
      seed_(options_.seed ? *options_.seed : fresh_seed()) {
  if (!options_.replay.empty()) {
    replay_ = properties::decode_token(options_.replay);
  }
}

std::string Session::next_name(const std::string& test) {
  const std::lock_guard lock(mutex_);
  const int count = ++names_[test];
  return count == 1 ? fmt::format("gtest:{}", test)
                    : fmt::format("gtest:{}:{}", test, count);
}

void Session::begin_iteration() {
  const std::lock_guard lock(mutex_);
  names_.clear();
}

std::uint64_t Session::next_seed(const std::string& name) {
  const std::lock_guard lock(mutex_);
  return impl::keyed_word(seed_, key_of(name), runs_[name]++);
}

properties::Settings Session::settings_for(const Claim& claim) {
  require_probabilities(claim.contract);
  properties::Settings settings;
  settings.profile = claim.contract.profile.value_or(options_.profile);
  settings.drop_probabilities = claim.contract.drop_probabilities;
  settings.shapes = claim.contract.shapes;
  settings.dtypes = claim.contract.dtypes;
  settings.only = claim.contract.only;
  settings.seed = next_seed(claim.entry.name);
  settings.alpha = options_.alpha;
  settings.share = claim.share;
  settings.threads = options_.threads;
  settings.call_timeout_seconds = options_.call_timeout_seconds;
  return settings;
}

properties::RunResult Session::replay(const Claim& claim) {
  replayed_ = true;
  properties::Plan plan = properties::replay_plan(
      *replay_, claim.entry, options_.call_timeout_seconds);
  plan.settings.threads = options_.threads;
  return properties::verify(plan);
}

Outcome Session::verify(const Claim& claim) {
  if (replay_) {
    const bool own =
        replay_->subject == claim.entry.name &&
        (claim.checks.empty() || is_one_of(replay_->check, claim.checks));
    if (!own) return {{}, true};
    return {replay(claim), false};
  }
  const properties::Plan whole =
      properties::make_plan({claim.entry}, settings_for(claim));
  if (claim.checks.empty()) return {properties::verify(whole), false};
  return {properties::verify(narrowed(whole, claim)), false};
}

std::optional<std::string> Session::unused_replay() const {
  if (!replay_ || replayed_) return std::nullopt;
  return replay_->subject;
}

}  // namespace dropcheck::gtest
