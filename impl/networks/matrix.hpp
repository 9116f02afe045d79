#pragma once

#include <Eigen/Core>
#include <algorithm>

#include "dropcheck/impl/tensor.hpp"

namespace dropcheck::impl::networks {

template <class T>
using Matrix =
    Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
template <class T>
using Row = Eigen::Matrix<T, 1, Eigen::Dynamic>;

/// A compact tensor of element type T as a matrix with its last axis as
/// columns. Reads and writes through the view.
template <class T>
Eigen::Map<Matrix<T>> matrix(const TensorView& view) {
  const std::int64_t columns = view.shape.empty() ? 1 : view.shape.back();
  return {static_cast<T*>(view.data),
          view.size() / std::max<std::int64_t>(columns, 1), columns};
}

/// The same elements in one row.
template <class T>
Eigen::Map<Row<T>> vector(const TensorView& view) {
  return {static_cast<T*>(view.data), view.size()};
}

}  // namespace dropcheck::impl::networks
