#include "structure_plan.hpp"

#include <algorithm>
#include <set>

namespace dropcheck::properties {

StructurePlan make_structure_plan(const impl::Shape& unit_shape,
                                  std::int64_t calls_per_block) {
  StructurePlan plan;
  plan.units = impl::element_count(unit_shape);
  plan.flat = plan.units < 64;
  plan.row_bits = plan.flat ? plan.units * calls_per_block : plan.units;
  std::set<std::int64_t> lags;
  for (std::int64_t lag = 1; lag <= 64; ++lag) lags.insert(lag);
  for (std::int64_t lag = 128; lag < plan.row_bits; lag *= 2) lags.insert(lag);
  for (const std::int64_t stride : impl::compact_strides(unit_shape)) {
    lags.insert({stride - 1, stride, stride + 1});
    // Tiles of two, four, ... rows.
    for (std::int64_t rows = 2 * stride; stride > 1 && rows < plan.row_bits;
         rows *= 2) {
      lags.insert(rows);
    }
  }
  // Halves and quarters that mirror or repeat each other.
  for (const std::int64_t parts : {2, 4}) {
    lags.insert({plan.row_bits / parts, (plan.row_bits + parts - 1) / parts});
  }
  for (const std::int64_t lag : lags) {
    if (lag >= 1 && lag <= (plan.row_bits + 1) / 2 && lag < plan.row_bits) {
      plan.lags.push_back(static_cast<std::size_t>(lag));
    }
  }
  for (std::int64_t lag = 1; 2 * lag <= calls_per_block && !plan.flat;
       lag += lag < 8 ? 1 : lag) {
    plan.call_lags.push_back(static_cast<std::size_t>(lag));
  }
  return plan;
}

}  // namespace dropcheck::properties
