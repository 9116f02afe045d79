#include "kept_rounding.hpp"

#include "value_model.hpp"

namespace dropcheck::properties {
namespace {

/// The nearest law's own roundings first, then those of the line that was seen.
std::optional<ValueModel> rounding_model(const Identification& found,
                                         const std::vector<KeptPair>& kept) {
  const impl::LayerConfig& nearest = found.nearest.front().config;
  const impl::Law& law = *impl::find_law(nearest.layer);
  if (auto model = find_value_model(law, nearest, kept)) return model;
  return model_of_line({*found.slope, *found.offset, 0}, found.config.dtype,
                       kept);
}

}  // namespace

void find_rounding(Identification& found, const Probe& main) {
  if (!found.slope || found.nearest.empty()) return;
  if (*found.slope == 1 && *found.offset == 0) {
    found.rounding = "bit for bit what is masked";
  } else if (const auto model = rounding_model(found, main.values.kept)) {
    found.slope = model->factor();
    found.offset = model->offset;
    std::string text = model->describe();
    if (found.base_is_evaluation) text.replace(0, 1, "e");
    found.rounding = "bit for bit " + text;
  } else {
    found.rounding = "no rounding that is known gives all kept values";
  }
}

}  // namespace dropcheck::properties
