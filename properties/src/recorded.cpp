#include "dropcheck/properties/recorded.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <map>
#include <numbers>
#include <stdexcept>

#include "dropcheck/properties/version.hpp"
#include "dropcheck/stats/beta_binomial.hpp"
#include "dropcheck/stats/rate_claim.hpp"
#include "dtype_limits.hpp"
#include "law_reading.hpp"
#include "rate_words.hpp"

namespace dropcheck::properties {
namespace {

/// Two claims with chance in them share the alarm.
constexpr double kWeight = 0.5;
/// Where the prior of the rate is narrow; a fifth of a small probability.
constexpr double kDelta = 1e-2;
/// How near a layer in f32 comes to the rate: one random number of 24 bits.
constexpr double kRealisable = 0x1p-24;
constexpr double kLargestLog = 1e6;

/// Kept and dropped value of an element must differ by this part of the larger
/// one, and by so many times the smallest normal number of the dtype: far more
/// than what `LawReading` tolerates, so that either is read where it stands.
constexpr double kRelativeGap = 0x1p-4;
constexpr double kSmallestGap = 64;

/// A mask, a letter a unit: kept, dropped, or told apart by no element.
using Mask = std::string;
constexpr char kKept = '1';
constexpr char kDropped = '0';
constexpr char kHidden = '?';

impl::Law law_or_refuse(const impl::LayerConfig& config) {
  const impl::Law* law = impl::find_law(config.layer);
  if (law == nullptr) {
    throw std::invalid_argument(
        fmt::format("layer is '{}', which is no law", config.layer));
  }
  if (law->network != nullptr || law->unit == impl::Unit::kBlock ||
      law->factor != impl::Factor::kMask) {
    throw std::invalid_argument(fmt::format(
        "recordings of {} cannot be read: its units are not decided one by one",
        config.layer));
  }
  return *law;
}

void require_inside(const char* name, double value, double end) {
  if (value > 0 && value < end) return;
  throw std::domain_error(
      fmt::format("{} is {}, but must be inside (0, {})", name, value, end));
}

class Judge {
 public:
  Judge(const Recording& recording, double alpha)
      : recording_(recording),
        config_(recording.config),
        law_(law_or_refuse(config_)),
        alpha_(alpha) {
    require_inside("alpha", alpha, 0.5);
    require_inside("drop probability", config_.drop_probability, 1);
    config_.dtype = recording.input.dtype();
    split_results();
  }

  RunResult run() {
    find_readable();
    const Finding support = judge_values();
    RunResult result;
    result.version = kVersion;
    result.profile = "recorded";
    result.alpha = alpha_;
    result.findings = {support, judge_rate(), judge_repeats()};
    result.subjects.push_back({kSubject, config_.layer, "", "", false});
    sum_up(result);
    return result;
  }

 private:
  static constexpr const char* kSubject = "recorded tensors";

  /// The average of the e-values, as in every run (STATISTICS 2.f).
  void sum_up(RunResult& result) const {
    double largest = -std::numeric_limits<double>::infinity();
    for (const Finding& finding : result.findings) {
      if (!finding.log10_e || *finding.log10_e <= largest) continue;
      largest = *finding.log10_e;
      result.largest_term = finding.id;
    }
    if (result.largest_term.empty()) return;
    double sum = 0;
    for (const Finding& finding : result.findings) {
      if (!finding.log10_e) continue;
      sum += kWeight * std::pow(10.0, *finding.log10_e - largest);
    }
    result.log10_run_e = largest + std::log10(sum);
    result.alarm = result.log10_run_e >= -std::log10(alpha_);
  }

  void find_readable() {
    const impl::Affine map = impl::affine(law_, config_);
    const double dropped = map.dropped_value();
    const double smallest = kSmallestGap * smallest_normal(config_.dtype);
    const std::vector<double> values = values_of(recording_.input.view());
    for (std::size_t i = 0; i < values.size(); ++i) {
      if (!std::isfinite(values[i])) {
        throw std::invalid_argument(fmt::format(
            "element {} of the input is {}, where kept and dropped cannot be "
            "told apart",
            i, values[i]));
      }
      const double kept = map.a * values[i] + map.b;
      const double size = std::max(std::abs(kept), std::abs(dropped));
      readable_.push_back(std::abs(kept - dropped) >
                          std::max(kRelativeGap * size, smallest));
    }
  }

  /// Every result by itself; stacked ones are taken apart.
  void split_results() {
    const impl::Shape one =
        impl::output_shape(law_, config_, recording_.input.shape());
    if (one != recording_.input.shape()) {
      throw std::invalid_argument(
          "recordings with several masks a call cannot be read");
    }
    impl::unit_shape(law_, config_, one);  // throws for another rank
    for (const impl::Tensor& output : recording_.outputs) {
      if (output.dtype() != config_.dtype) {
        throw std::invalid_argument(fmt::format(
            "an output is {}, but the input is {}",
            impl::name_of(output.dtype()), impl::name_of(config_.dtype)));
      }
      append_results(output, one);
    }
    if (results_.empty()) throw std::invalid_argument("there is no result");
  }

  void append_results(const impl::Tensor& output, const impl::Shape& one) {
    impl::Shape rest = output.shape();
    std::int64_t count = 1;
    if (rest != one && !rest.empty()) {
      count = rest.front();
      rest.erase(rest.begin());
    }
    if (rest != one) {
      throw std::invalid_argument(fmt::format(
          "an output has shape {}, but the input {}: it must have that, or "
          "one more axis in front",
          impl::to_string(output.shape()), impl::to_string(one)));
    }
    const impl::TensorView view = output.view();
    const auto bytes = impl::element_count(one) *
                       static_cast<std::int64_t>(impl::size_of(view.dtype));
    for (std::int64_t i = 0; i < count; ++i) {
      results_.push_back({static_cast<std::byte*>(view.data) + i * bytes,
                          view.dtype, one, impl::compact_strides(one)});
    }
  }

  Finding start(const char* check) const {
    Finding finding;
    finding.subject = kSubject;
    finding.layer = config_.layer;
    finding.check = check;
    finding.configuration =
        fmt::format("{},{}", impl::describe(config_),
                    impl::to_string(recording_.input.shape()));
    finding.id =
        fmt::format("{}.{}[{}]", finding.layer, check, finding.configuration);
    finding.calls = results_.size();
    finding.repeatable = false;
    finding.verdict = Verdict::kInconclusive;
    return finding;
  }

  Finding judge_values() {
    Finding finding = start("support");
    finding.evidence = Evidence::kDeterministic;
    LawReading reading(law_, config_, recording_.input);
    for (std::size_t call = 0; call < results_.size(); ++call) {
      if (const auto breach = reading.judge(results_[call])) {
        finding.verdict = Verdict::kRefuted;
        finding.sentence = fmt::format("call {}, element {} {}", call,
                                       breach->element, breach->what);
        break;
      }
      read_mask(reading, results_[call]);
    }
    finding.n = reading.kept() + reading.dropped();
    if (finding.verdict == Verdict::kRefuted) return finding;
    if (decided_ == 0 || reading.kept() == 0) {
      finding.sentence =
          decided_ == 0
              ? "no decision can be read from the recordings"
              : "no kept value was recorded, so the scale is not seen";
      return finding;
    }
    finding.verdict = Verdict::kCertified;
    finding.sentence =
        "every value is the kept or the dropped one, and units are whole";
    finding.bound = fmt::format("the {} values of {} recorded calls", finding.n,
                                results_.size());
    return finding;
  }

  /// Where the input makes kept and dropped values alike, a unit is hidden.
  void read_mask(const LawReading& reading, const impl::TensorView& result) {
    const auto units =
        impl::unit_of_element(law_, config_, recording_.input.shape());
    Mask mask(units.empty() ? 0 : *std::ranges::max_element(units) + 1,
              kHidden);
    const std::vector<double> values = values_of(result);
    for (std::size_t i = 0; i < values.size(); ++i) {
      if (!readable_[i]) continue;
      const bool kept =
          reading.is_kept(static_cast<std::int64_t>(i), values[i]);
      mask[units[i]] = kept ? kKept : kDropped;
    }
    decided_ += mask.size() -
                static_cast<std::size_t>(std::ranges::count(mask, kHidden));
    counts_.drops +=
        static_cast<std::uint64_t>(std::ranges::count(mask, kDropped));
    masks_[std::move(mask)] += 1;
  }

  /// Refutes at the claim's share, else leaves the finding as it is.
  void weigh(Finding& finding, double log_e) const {
    const double bounded = std::clamp(log_e, -kLargestLog, kLargestLog);
    finding.weight = kWeight;
    finding.log10_e = bounded / std::numbers::ln10;
    if (log_e >= -std::log(alpha_ * kWeight)) {
      finding.verdict = Verdict::kRefuted;
    }
  }

  Finding judge_rate() {
    Finding finding = start("drop_rate");
    finding.quantity = "drop rate";
    counts_.n = finding.n = decided_;
    if (counts_.n == 0) {
      finding.sentence = "no decision can be read from the recordings";
      return finding;
    }
    const double p = config_.drop_probability;
    const auto prior = stats::prior_around(
        p,
        stats::recommended_kappa(p, std::min(kDelta, std::min(p, 1 - p) / 5)));
    const std::array declared = {stats::Interval{
        std::max(p - kRealisable, 0.0), std::min(p + kRealisable, 1.0)}};
    weigh(finding, stats::log_e_outside(declared, counts_, prior));
    const stats::Interval interval =
        stats::confidence_sequence(counts_, prior, -std::log(alpha_ * kWeight));
    finding.expected = p;
    finding.observed =
        static_cast<double>(counts_.drops) / static_cast<double>(counts_.n);
    finding.interval_lower = interval.lower;
    finding.interval_upper = interval.upper;
    finding.sentence = rate_sentence(finding, interval);
    return finding;
  }

  std::string rate_sentence(const Finding& finding,
                            const stats::Interval& interval) const {
    const double p = config_.drop_probability;
    const std::string rate = rate_text(*finding.observed, interval);
    if (finding.verdict == Verdict::kRefuted) {
      return fmt::format("drop rate is {}, not {}: {}", rate, p,
                         cause_of_rate(p, interval));
    }
    return fmt::format(
        "drop rate is {}, in [{:.6g}, {:.6g}] given independent units, which "
        "recordings do not show: {} calls do not refute {}, and certify no "
        "rate",
        rate, interval.lower, interval.upper, results_.size(), p);
  }

  /// Half of one, and half of the number of equal pairs over its mean under
  /// independent masks.
  Finding judge_repeats() {
    Finding finding = start("independence_calls");
    finding.n = decided_;
    const double calls = static_cast<double>(results_.size());
    const double pairs = calls * (calls - 1) / 2;
    double equal = 0;
    std::size_t seen = 0;
    for (const auto& [mask, times] : masks_) {
      equal += static_cast<double>(times) * static_cast<double>(times - 1) / 2;
      seen += times;
    }
    if (pairs == 0 || seen < results_.size() || decided_ == 0) {
      finding.sentence = "too few masks can be read to compare any two";
      return finding;
    }
    const double units = static_cast<double>(decided_) / calls;
    const double log_mean = std::log(pairs) + units * std::log(agreement());
    const double log_excess = std::log(equal) - log_mean;  // of 0: minus inf
    const double log_half = -std::numbers::ln2;
    weigh(finding, log_half + std::max(log_excess, 0.0) +
                       std::log1p(std::exp(-std::abs(log_excess))));
    finding.sentence =
        finding.verdict == Verdict::kRefuted
            ? fmt::format("{:.0f} of {:.0f} pairs of calls have the same mask",
                          equal, pairs)
            : fmt::format(
                  "{:.0f} of {:.0f} pairs of calls have the same mask, "
                  "which shows no other dependence",
                  equal, pairs);
    return finding;
  }

  /// The largest probability that two decisions of a right layer agree.
  double agreement() const {
    const double p = config_.drop_probability;
    double most = 0;
    for (const double rate : {p - kRealisable, p + kRealisable}) {
      const double inside = std::clamp(rate, 0.0, 1.0);
      most = std::max(most, inside * inside + (1 - inside) * (1 - inside));
    }
    return most;
  }

  const Recording& recording_;
  impl::LayerConfig config_;
  impl::Law law_;
  double alpha_;
  std::vector<impl::TensorView> results_;
  std::map<Mask, std::uint64_t> masks_;
  stats::Counts counts_;
  std::uint64_t decided_ = 0;
  std::vector<bool> readable_;  // elements whose decision shows
};

}  // namespace

RunResult judge_recording(const Recording& recording, double alpha) {
  return Judge(recording, alpha).run();
}

}  // namespace dropcheck::properties
