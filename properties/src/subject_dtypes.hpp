#pragma once

#include <algorithm>
#include <string>

#include "dropcheck/impl/subject.hpp"

namespace dropcheck::properties {

/// Whether a subject declares that it takes a dtype.
inline bool takes(const impl::Description& subject, impl::DType dtype) {
  return std::ranges::find(subject.dtypes, dtype) != subject.dtypes.end();
}

/// "f32, f64": those that it declares.
inline std::string dtype_names(const impl::Description& subject) {
  std::string names;
  for (const impl::DType dtype : subject.dtypes) {
    if (!names.empty()) names += ", ";
    names += impl::name_of(dtype);
  }
  return names;
}

}  // namespace dropcheck::properties
