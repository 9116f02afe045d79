#include "measured_scale.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include "value_model.hpp"

namespace dropcheck::properties {
namespace {

/// Within this many units of the last place: the count, the scale and the
/// result may each be rounded to the dtype.
constexpr double kNearUlp = 4;

/// What implementations add to the count of kept entries, so that it is never
/// 0: nothing, timm, torchvision.
constexpr std::array kAdded{0.0, 1e-7, 1e-6};

/// One call: its mask's entries, and how many of them are kept.
struct Call {
  impl::TensorView output;
  double entries = 0;
  double kept = 0;

  double scale(double added) const { return entries / (kept + added); }
};

Call count_call(const Context& context, const impl::Tensor& output) {
  Call call{output.view()};
  for (std::int64_t i = 0; i < call.output.size(); ++i) {
    call.kept += call.output.value(i) == 0 ? 0 : 1;
  }
  call.entries = static_cast<double>(call.output.size());
  // Channels that share a mask are counted once.
  if (context.config().block.shared_by_channels) {
    const auto channels = static_cast<double>(output.shape()[1]);
    call.entries /= channels;
    call.kept /= channels;
  }
  return call;
}

/// The first kept value that the scale does not give, or -1.
std::int64_t first_misfit(const Context& context, const Call& call,
                          double scale) {
  for (std::int64_t i = 0; i < call.output.size(); ++i) {
    const double y = call.output.value(i);
    if (y == 0) continue;
    const double due =
        scale * context.reader->base(static_cast<std::size_t>(i));
    const double unit = ulp_at(due, context.config().dtype);
    if (!(std::abs(y - due) <= kNearUlp * unit)) return i;
  }
  return -1;
}

bool fits(const Context& context, const std::vector<Call>& calls,
          double added) {
  return std::all_of(calls.begin(), calls.end(), [&](const Call& call) {
    return first_misfit(context, call, call.scale(added)) < 0;
  });
}

std::string looks_like(double slope, double p) {
  const auto is = [slope](double value) {
    return std::abs(slope / value - 1) < 2e-3;
  };
  if (is(1 / (1 - p))) return ": looks like 1/keep";
  if (is(1)) return ": it is not scaled";
  return "";
}

std::string misfit_sentence(const Context& context, const Call& call,
                            std::int64_t at) {
  const double x = context.reader->base(static_cast<std::size_t>(at));
  const double slope = call.output.value(at) / x;
  return fmt::format(
      "kept values are x * {:.6g} in a call that keeps {:.0f} of {:.0f} "
      "entries, where x * {:.6g} is due ({}){}",
      slope, call.kept, call.entries, call.scale(0),
      place_of(at, call.output.shape),
      looks_like(slope, context.config().drop_probability));
}

}  // namespace

void decide_measured_scale(Finding& finding, const Context& context) {
  finding.quantity = "kept value / x, over entries / kept entries";
  finding.expected = 1;
  std::vector<Call> calls;
  for (const impl::Tensor& output : context.calibration) {
    calls.push_back(count_call(context, output));
  }
  finding.calls = calls.size();
  finding.n =
      finding.calls * static_cast<std::uint64_t>(context.reader->size());
  for (const double added : kAdded) {
    if (!fits(context, calls, added)) continue;
    certify(
        finding,
        fmt::format(
            "kept values are x times entries / kept entries of "
            "their call{}",
            added > 0 ? fmt::format(", {:g} added to the count", added) : ""),
        fmt::format("on the {} elements of {} calls, within {} units of "
                    "the last place",
                    finding.n, finding.calls, kNearUlp));
    return;
  }
  for (const Call& call : calls) {
    const std::int64_t at = first_misfit(context, call, call.scale(0));
    if (at < 0) continue;
    const double x = context.reader->base(static_cast<std::size_t>(at));
    finding.observed = call.output.value(at) / x / call.scale(0);
    refute(finding, misfit_sentence(context, call, at));
    return;
  }
}

}  // namespace dropcheck::properties
