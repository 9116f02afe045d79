#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

namespace dropcheck::impl {

/// Storage type of a tensor element. f16 is IEEE binary16, bf16 is bfloat16;
/// both are storage types: arithmetic widens them.
enum class DType { kFloat64, kFloat32, kFloat16, kBFloat16 };

/// Size of one element in bytes: 8, 4, 2 or 2.
std::size_t size_of(DType dtype);

/// Short name used in configurations and reports: f64, f32, f16, bf16.
std::string_view name_of(DType dtype);

/// The inverse of `name_of`; empty for an unknown name.
std::optional<DType> dtype_from_name(std::string_view name);

/// Number of significand bits, the hidden one included: 53, 24, 11 or 8.
int significand_bits(DType dtype);

/// Reads one element as double. Exact for every dtype.
double load(const void* element, DType dtype);

/// Writes `value`, rounded to nearest, ties to even, to one element.
void store(double value, void* element, DType dtype);

/// `value` rounded to the dtype and back.
double rounded(double value, DType dtype);

}  // namespace dropcheck::impl
