#include "dropcheck/impl/dtype.hpp"

#include <Eigen/Core>
#include <array>
#include <cmath>
#include <cstdint>
#include <cstring>

#include "dropcheck/impl/load_all.hpp"

namespace dropcheck::impl {
namespace {

struct Traits {
  DType dtype;
  std::string_view name;
  std::size_t size;
  int significand_bits;
};

constexpr std::array<Traits, 4> kTraits{{
    {DType::kFloat64, "f64", 8, 53},
    {DType::kFloat32, "f32", 4, 24},
    {DType::kFloat16, "f16", 2, 11},
    {DType::kBFloat16, "bf16", 2, 8},
}};

const Traits& traits(DType dtype) {
  return kTraits[static_cast<std::size_t>(dtype)];
}

template <class T>
double load_as(const void* element) {
  T value;
  std::memcpy(&value, element, sizeof(T));
  return static_cast<double>(value);
}

template <class T>
void load_all_as(const void* elements, std::size_t count, double* values) {
  const auto* const from = static_cast<const std::byte*>(elements);
  for (std::size_t i = 0; i < count; ++i) {
    values[i] = load_as<T>(from + i * sizeof(T));
  }
}

template <class T>
void store_as(T value, void* element) {
  std::memcpy(element, &value, sizeof(T));
}

/// double -> 16-bit float with one rounding. Going through float rounds twice,
/// so the float is first rounded to odd, which makes the second rounding exact.
float rounded_to_odd(double value) {
  const float near = static_cast<float>(value);
  if (static_cast<double>(near) == value || near != near) return near;
  float toward_zero = near;
  if (std::abs(static_cast<double>(near)) > std::abs(value)) {
    toward_zero = std::nextafter(near, 0.0F);
  }
  std::uint32_t bits = 0;
  std::memcpy(&bits, &toward_zero, sizeof bits);
  bits |= 1U;
  std::memcpy(&toward_zero, &bits, sizeof bits);
  return toward_zero;
}

}  // namespace

std::size_t size_of(DType dtype) { return traits(dtype).size; }

std::string_view name_of(DType dtype) { return traits(dtype).name; }

std::optional<DType> dtype_from_name(std::string_view name) {
  for (const Traits& candidate : kTraits) {
    if (candidate.name == name) return candidate.dtype;
  }
  return std::nullopt;
}

int significand_bits(DType dtype) { return traits(dtype).significand_bits; }

double load(const void* element, DType dtype) {
  switch (dtype) {
    case DType::kFloat64:
      return load_as<double>(element);
    case DType::kFloat32:
      return load_as<float>(element);
    case DType::kFloat16:
      return load_as<Eigen::half>(element);
    case DType::kBFloat16:
      return load_as<Eigen::bfloat16>(element);
  }
  return 0;
}

void load_all(const void* elements, DType dtype, std::size_t count,
              double* values) {
  switch (dtype) {
    case DType::kFloat64:
      return load_all_as<double>(elements, count, values);
    case DType::kFloat32:
      return load_all_as<float>(elements, count, values);
    case DType::kFloat16:
      return load_all_as<Eigen::half>(elements, count, values);
    case DType::kBFloat16:
      return load_all_as<Eigen::bfloat16>(elements, count, values);
  }
}

void store(double value, void* element, DType dtype) {
  switch (dtype) {
    case DType::kFloat64:
      return store_as(value, element);
    case DType::kFloat32:
      return store_as(static_cast<float>(value), element);
    case DType::kFloat16:
      return store_as(Eigen::half(rounded_to_odd(value)), element);
    case DType::kBFloat16:
      return store_as(Eigen::bfloat16(rounded_to_odd(value)), element);
  }
}

double rounded(double value, DType dtype) {
  std::byte element[sizeof(double)];
  store(value, element, dtype);
  return load(element, dtype);
}

}  // namespace dropcheck::impl
