// mask_output: the mask that a layer hands out is the one it applied.
#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "check_definition.hpp"
#include "context.hpp"
#include "value_comparison.hpp"

namespace dropcheck::properties {
namespace {

using Entries = std::vector<std::uint8_t>;  // 1 is kept

constexpr int kCalls = 8;

/// What the result of a call shows.
Entries applied(const Context& context, const impl::TensorView& result) {
  std::vector<std::uint64_t> words(context.reader->size() / 64 + 1);
  context.reader->read(result.data, words.data());
  Entries entries(static_cast<std::size_t>(result.size()));
  for (std::size_t i = 0; i < entries.size(); ++i) {
    entries[i] = (words[i / 64] >> (i % 64) & 1) == 0 ? 1 : 0;
  }
  return entries;
}

struct Difference {
  std::size_t count = 0;
  std::size_t first = 0;
};

Difference difference(const Entries& told, const Entries& due) {
  Difference found;
  for (std::size_t i = 0; i < due.size(); ++i) {
    if (told[i] == due[i]) continue;
    if (found.count++ == 0) found.first = i;
  }
  return found;
}

/// What the mask is instead, as the end of a sentence.
std::string cause_of(const Entries& told, const Entries& due,
                     const std::vector<Entries>& before) {
  const std::size_t size = due.size();
  const std::size_t wrong = difference(told, due).count;
  if (wrong == size) return ": it marks what was dropped, not what was kept";
  if (std::find(before.rbegin(), before.rend(), told) != before.rend()) {
    return ": it is that of an earlier call";
  }
  const auto kept = static_cast<std::size_t>(
      std::count(told.begin(), told.end(), std::uint8_t{1}));
  if (kept == size) return ": it says that nothing is dropped";
  if (kept == 0) return ": it says that everything is dropped";
  for (const int step : {1, -1}) {
    Entries moved = due;
    std::rotate(moved.begin(), step > 0 ? moved.end() - 1 : moved.begin() + 1,
                moved.end());
    if (moved == told) {
      return step > 0 ? ": it is one element late"
                      : ": it is one element early";
    }
  }
  const auto due_kept = std::count(due.begin(), due.end(), std::uint8_t{1});
  const double drop =
      1 - static_cast<double>(due_kept) / static_cast<double>(size);
  const double told_drop =
      1 - static_cast<double>(kept) / static_cast<double>(size);
  // Two masks that know nothing of each other differ so often.
  const double strangers = drop * (1 - told_drop) + told_drop * (1 - drop);
  const double share = static_cast<double>(wrong) / static_cast<double>(size);
  if (size > 1000 && share > 0.7 * strangers) {
    return ": it looks like another mask, as if it were drawn anew";
  }
  return "";
}

/// Why a handed-out mask is no mask of that many elements; nothing if it is.
std::optional<std::string> malformed(std::span<const std::uint8_t> mask,
                                     std::size_t elements, std::size_t units) {
  if (mask.size() != elements) {
    std::string sentence = fmt::format(
        "hands out a mask of {} entries for a result of {} elements",
        mask.size(), elements);
    if (mask.size() == units) sentence += ": one for each decision";
    return sentence;
  }
  const auto odd = std::find_if(mask.begin(), mask.end(),
                                [](std::uint8_t entry) { return entry > 1; });
  if (odd == mask.end()) return std::nullopt;
  return fmt::format("hands out a mask whose entry {} is {}, not 0 or 1",
                     odd - mask.begin(), *odd);
}

std::optional<std::string> wrong_training(const Context& context,
                                          impl::Layer& layer,
                                          Finding& finding) {
  std::vector<Entries> before;
  std::optional<std::string> latest;  // which has most to be compared with
  for (int call = 0; call < kCalls; ++call) {
    impl::Tensor input = context.inputs.input;
    const impl::Tensor result = copied(layer.forward({input.view(), true, 1}));
    require_result_for(context, input.shape(), result.view());
    const Entries due = applied(context, result.view());
    const auto mask = layer.mask();
    ++finding.calls;
    finding.n += due.size();
    if (auto wrong =
            malformed(mask, due.size(),
                      static_cast<std::size_t>(context.plan.units_per_call))) {
      return wrong;
    }
    const Entries told(mask.begin(), mask.end());
    const Difference found = difference(told, due);
    if (found.count > 0) {
      latest = fmt::format(
          "hands out a mask that is not the one it applied: {} was {} and the "
          "mask says {} ({} of {} entries differ){}",
          place_of(static_cast<std::int64_t>(found.first), result.shape()),
          due[found.first] == 1 ? "kept" : "dropped",
          due[found.first] == 1 ? "dropped" : "kept", found.count, due.size(),
          cause_of(told, due, before));
    }
    before.push_back(due);
  }
  return latest;
}

std::optional<std::string> wrong_evaluation(const Context& context,
                                            impl::Layer& layer,
                                            Finding& finding) {
  impl::Tensor input = context.inputs.input;
  const auto elements = static_cast<std::size_t>(evaluate(layer, input).size());
  const auto mask = layer.mask();
  ++finding.calls;
  if (auto wrong =
          malformed(mask, elements,
                    static_cast<std::size_t>(context.plan.units_per_call))) {
    return *wrong + " at evaluation";
  }
  const auto dropped = std::count(mask.begin(), mask.end(), std::uint8_t{0});
  if (dropped == 0) return std::nullopt;
  return fmt::format(
      "hands out a mask that says {} of {} elements were dropped at "
      "evaluation, where nothing is{}",
      dropped, elements,
      static_cast<std::size_t>(dropped) == elements
          ? ""
          : ": that of the training call before");
}

}  // namespace

static Finding check_mask_output(const Context& context) {
  Finding finding = start_finding(context, "mask_output");
  const auto layer = context.subject().make(context.config());
  auto wrong = wrong_training(context, *layer, finding);
  if (!wrong) wrong = wrong_evaluation(context, *layer, finding);
  if (wrong) {
    refute(finding, *wrong);
    return finding;
  }
  certify(finding, "the mask that it hands out is the one it applied",
          fmt::format("on {} entries in {} training calls, and all kept at "
                      "evaluation",
                      finding.n, kCalls));
  return finding;
}

static std::string_view no_mask(const impl::Law& law) {
  if (law.factor != impl::Factor::kMask) return "nothing is dropped: no mask";
  return law.base == impl::Base::kInput
             ? ""
             : "the mask is not one of the result's elements";
}

static std::string_view left_out(const PlannedConfiguration&,
                                 const Occasion& occasion) {
  return occasion.mask_output ? "" : "the layer hands out no mask";
}

constinit const CheckDefinition mask_output_check{
    .info = {"mask_output", Evidence::kDeterministic,
             "the mask that a layer hands out is the one it applied",
             "Some layers return their mask beside the result (ONNX's Dropout, "
             "PyTorch's native_dropout). Every entry is compared with the mask "
             "that is read from the result, in successive calls; at evaluation "
             "all must be kept.",
             kNoChance, "faulty:mask_inverted"},
    .from_calls = check_mask_output,
    .takes_chance = false,
    .not_applicable = no_mask,
    .left_out = left_out};

}  // namespace dropcheck::properties
