#include "calibration_rows.hpp"

namespace dropcheck::properties {

std::vector<Row> calibration_rows(const StatisticalInput& input) {
  const Context& context = input.context;
  const UnitReader& units = input.sampler.units();
  std::vector<Row> rows;
  std::vector<std::uint64_t> elements(
      static_cast<std::size_t>(units.elements() / 64 + 2));
  for (const impl::Tensor& output : context.calibration) {
    Row row{std::vector<std::uint64_t>(
                static_cast<std::size_t>(units.units() / 64 + 2)),
            units.units()};
    std::uint64_t torn = 0;
    context.reader->read(output.bytes(), elements.data());
    units.read(elements.data(), row.words.data(), torn);
    rows.push_back(std::move(row));
  }
  return rows;
}

}  // namespace dropcheck::properties
