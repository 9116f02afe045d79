#include "lifetime.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <stdexcept>

#include "dropcheck/cli/lifetime_file.hpp"
#include "dropcheck/cli/usage_error.hpp"
#include "dropcheck/properties/number_text.hpp"
#include "dropcheck/stats/beta_binomial.hpp"

namespace dropcheck::cli {
namespace {

/// The bias that many nights are to find.
constexpr double kSmallestBias = 1e-6;

int locked(const std::filesystem::path& path) {
  const std::string name = path.string() + ".lock";
  const int lock = ::open(name.c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0644);
  if (lock < 0) {
    throw UsageError("--lifetime: cannot write " + name);
  }
  if (::flock(lock, LOCK_EX | LOCK_NB) == 0) return lock;
  ::close(lock);
  throw UsageError("--lifetime is '" + path.string() +
                   "', but another run is using this file");
}

const properties::PlannedSubject& subject_of(
    const properties::Plan& plan,
    const properties::PlannedConfiguration& planned) {
  return *std::find_if(
      plan.subjects.begin(), plan.subjects.end(),
      [&](const auto& one) { return one.entry.name == planned.subject; });
}

bool draws_a_rate(const properties::PlannedConfiguration& planned) {
  return std::any_of(planned.checks.begin(), planned.checks.end(),
                     [](const properties::PlannedCheck& check) {
                       return check.check == "drop_rate" && !check.hidden;
                     });
}

/// Lifetimes join one by one without a number known before: 1 / (i (i + 1))
/// sums to at most 1.
double weight_of(std::size_t earlier) {
  const auto i = static_cast<double>(earlier + 1);
  return 1 / (i * (i + 1));
}

stats::Interval declared(double p0) {
  const double step = std::ldexp(1.0, -24);
  return {std::max(0.0, p0 - step), std::min(1.0, p0 + step)};
}

std::string sentence_of(const stats::Lifetime& lifetime, bool refuted) {
  const double n = static_cast<double>(lifetime.counts.n);
  const double rate = static_cast<double>(lifetime.counts.drops) / n;
  const std::string nights =
      fmt::format("{} night{}, {:.2g} decisions", lifetime.seeds.size(),
                  lifetime.seeds.size() == 1 ? "" : "s", n);
  if (n <= 0) return "nothing was drawn yet";
  if (refuted) {
    return fmt::format(
        "refuted: the drop rate is {:.9g}, not {:.9g}, over {}; given "
        "independent units",
        rate, lifetime.terms.p0, nights);
  }
  // 45.6 p q / bias^2 decisions find a bias; so these find this one.
  const double found =
      kSmallestBias *
      std::sqrt(stats::lifetime_expected_n(lifetime.terms, kSmallestBias) / n);
  return fmt::format(
      "nothing is wrong yet; {}, enough for a bias of about {:.1g}", nights,
      found);
}

}  // namespace

Night::Night(const Options& options, const properties::Plan& plan)
    : path_(options.lifetime) {
  if (options.seed) {
    throw UsageError(
        fmt::format("--seed is '{}', but --lifetime needs a fresh seed every "
                    "night: a fixed "
                    "one is no new evidence",
                    *options.seed));
  }
  lock_ = locked(path_);
  try {
    lifetimes_ = read_lifetimes(path_);
    for (const auto& planned : plan.configurations) {
      if (!draws_a_rate(planned)) continue;
      enter(planned, terms_of(options, plan, planned), plan.settings.seed);
    }
    write_lifetimes(path_, lifetimes_);
  } catch (const std::exception& error) {
    ::close(lock_);
    throw UsageError(std::string("--lifetime: ") + error.what());
  }
}

Night::~Night() { ::close(lock_); }

stats::LifetimeTerms Night::terms_of(
    const Options& options, const properties::Plan& plan,
    const properties::PlannedConfiguration& planned) const {
  const auto& subject = subject_of(plan, planned);
  const double p0 = planned.config.drop_probability;
  stats::LifetimeTerms terms;
  terms.subject = subject.entry.name + " " + subject.description.version;
  terms.build = options.build;
  terms.device = options.device;
  terms.configuration =
      fmt::format("{} {}", planned.law->layer, planned.configuration);
  terms.p0 = p0;
  terms.kappa = stats::recommended_kappa(p0, kSmallestBias);
  terms.declared = declared(p0);
  terms.alpha = options.alpha;
  return terms;
}

void Night::enter(const properties::PlannedConfiguration& planned,
                  const stats::LifetimeTerms& terms, std::uint64_t seed) {
  const auto same_place = [&](const stats::Lifetime& lifetime) {
    return lifetime.terms.subject.starts_with(planned.subject + " ") &&
           lifetime.terms.configuration == terms.configuration &&
           lifetime.terms.device == terms.device;
  };
  auto found = std::find_if(lifetimes_.begin(), lifetimes_.end(), same_place);
  stats::LifetimeTerms own = terms;
  own.weight = found == lifetimes_.end() ? weight_of(lifetimes_.size())
                                         : found->terms.weight;
  if (found == lifetimes_.end()) {
    lifetimes_.push_back(stats::begin_lifetime(own));
    found = std::prev(lifetimes_.end());
  } else if (!stats::continues(*found, own)) {
    // The share of the one that ends is spent: the new one takes another.
    own.weight = weight_of(lifetimes_.size());
    warnings_.push_back(fmt::format(
        "lifetime of {} {}: begins anew, because subject, build or terms "
        "changed",
        planned.subject, planned.configuration));
    lifetimes_.push_back(stats::begin_lifetime(own));
    found = std::prev(lifetimes_.end());
  }
  stats::begin_night(*found, seed);
  tonight_[{planned.subject, planned.configuration}] =
      static_cast<std::size_t>(found - lifetimes_.begin());
}

void Night::record(const properties::PlannedConfiguration& planned,
                   const stats::Counts& counts) {
  const std::lock_guard lock(mutex_);
  const auto found = tonight_.find({planned.subject, planned.configuration});
  if (found == tonight_.end()) return;
  stats::record_night(lifetimes_[found->second], counts);
  try {
    write_lifetimes(path_, lifetimes_);
  } catch (const std::exception& error) {
    failure_ = error.what();
  }
}

properties::LifetimeRecord Night::record_of(
    const stats::Lifetime& lifetime) const {
  properties::LifetimeRecord record;
  const std::string& subject = lifetime.terms.subject;
  record.subject = subject.substr(0, subject.find(' '));
  record.configuration = lifetime.terms.configuration;
  record.nights = lifetime.seeds.size();
  record.drops = lifetime.counts.drops;
  record.n = lifetime.counts.n;
  record.log10_e = stats::lifetime_log_e_value(lifetime) * std::numbers::log10e;
  record.alpha = lifetime.terms.alpha;
  record.refuted = stats::lifetime_refuted(lifetime);
  record.sentence = sentence_of(lifetime, record.refuted);
  return record;
}

void Night::finish(properties::RunResult& result) {
  for (const auto& [key, index] : tonight_) {
    stats::end_night(lifetimes_[index]);
    result.lifetimes.push_back(record_of(lifetimes_[index]));
  }
  result.warnings.insert(result.warnings.end(), warnings_.begin(),
                         warnings_.end());
  try {
    write_lifetimes(path_, lifetimes_);
  } catch (const std::exception& error) {
    failure_ = error.what();
  }
  if (!failure_.empty()) {
    throw std::runtime_error("--lifetime: " + failure_);
  }
}

}  // namespace dropcheck::cli
