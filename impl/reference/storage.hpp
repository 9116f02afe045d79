#pragma once

#include <Eigen/Core>
#include <cstdint>
#include <type_traits>

#include "dropcheck/impl/dtype.hpp"

namespace dropcheck::impl::reference {

/// The type that does the arithmetic for a storage type: double for f64, float
/// for f32, f16 and bf16.
template <class T>
using Arithmetic = std::conditional_t<std::is_same_v<T, double>, double, float>;

/// Unsigned integer of the size of a storage type.
template <class T>
using Bits = std::conditional_t<
    sizeof(T) == 8, std::uint64_t,
    std::conditional_t<sizeof(T) == 4, std::uint32_t, std::uint16_t>>;

/// Names a storage type without making a value of it.
template <class T>
struct StorageType {
  using Type = T;
};

/// Calls `f(StorageType<T>{})` with the storage type of `dtype`: one switch
/// for a tensor, none for an element.
template <class F>
void with_storage(DType dtype, F&& f) {
  switch (dtype) {
    case DType::kFloat64:
      return f(StorageType<double>{});
    case DType::kFloat32:
      return f(StorageType<float>{});
    case DType::kFloat16:
      return f(StorageType<Eigen::half>{});
    case DType::kBFloat16:
      return f(StorageType<Eigen::bfloat16>{});
  }
}

}  // namespace dropcheck::impl::reference
