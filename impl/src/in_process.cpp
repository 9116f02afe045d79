#include "dropcheck/impl/in_process.hpp"

#include <algorithm>

namespace dropcheck::impl::detail {

Description describe_in_process(const SubjectEntry& entry,
                                std::vector<DType> dtypes) {
  Description description;
  description.name = entry.name;
  description.version = "in process";
  description.dtypes = std::move(dtypes);
  description.strides = entry.strides;
  description.in_place =
      std::any_of(entry.variants.begin(), entry.variants.end(),
                  [](const LayerConfig& variant) { return variant.in_place; });
  return description;
}

}  // namespace dropcheck::impl::detail
