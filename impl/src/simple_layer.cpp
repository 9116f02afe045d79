#include "dropcheck/impl/simple_layer.hpp"

#include <fmt/format.h>

namespace dropcheck::impl::detail {

TensorView CallBuffers::results(const Shape& shape, DType dtype,
                                std::int64_t repeat) {
  Shape stacked = shape;
  if (repeat != 1) stacked.insert(stacked.begin(), repeat);
  if (dtype_ != dtype || shape_ != stacked) {
    bytes_ = GuardedBytes(static_cast<std::size_t>(element_count(stacked)) *
                          size_of(dtype));
    dtype_ = dtype;
    shape_ = stacked;
  }
  return {bytes_.data(), dtype, stacked, compact_strides(stacked)};
}

void CallBuffers::require_whole(std::string_view name) {
  const auto damage = bytes_.damage(name);
  if (!damage) return;
  bytes_.restore();
  throw MemoryViolation("writes " + *damage);
}

TensorView slice(const TensorView& stacked, const Shape& shape,
                 std::int64_t index) {
  TensorView result = stacked;
  result.shape = shape;
  result.strides.assign(stacked.strides.begin() + 1, stacked.strides.end());
  result.data = static_cast<std::byte*>(stacked.data) +
                index * stacked.strides[0] *
                    static_cast<std::int64_t>(size_of(stacked.dtype));
  return result;
}

void rethrow_as_layer_error() {
  try {
    throw;
  } catch (const NotSupported&) {
    throw;
  } catch (const LayerError&) {
    throw;
  } catch (const MemoryViolation&) {
    throw;
  } catch (const AdapterError&) {
    throw;
  } catch (const std::bad_alloc&) {
    throw;
  } catch (const std::exception& error) {
    throw LayerError(error.what());
  } catch (...) {
    throw LayerError("an exception that is no std::exception");
  }
}

void require_same_kind(const TensorView& first, const TensorView& later) {
  if (first.shape == later.shape && first.dtype == later.dtype) return;
  throw LayerError(fmt::format("returns {} {} in one call and {} {} in another",
                               name_of(first.dtype), to_string(first.shape),
                               name_of(later.dtype), to_string(later.shape)));
}

}  // namespace dropcheck::impl::detail
