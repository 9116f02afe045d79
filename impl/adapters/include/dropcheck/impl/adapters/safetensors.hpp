#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "dropcheck/impl/tensor.hpp"

namespace dropcheck::impl::adapters {

/// Element types that cross the process border. Masks are uint8.
enum class WireType { kF64, kF32, kF16, kBF16, kU8 };

std::size_t size_of(WireType type);
WireType wire_type(DType dtype);
/// Throws AdapterError for kU8, which no layer computes in.
DType dtype_of(WireType type);

/// One tensor of a message: compact, row-major, borrowed bytes.
struct WireTensor {
  std::string name;
  WireType type = WireType::kF32;
  Shape shape;
  std::span<const std::byte> data;
};

/// A compact view of a tensor's bytes. Throws AdapterError for kU8.
TensorView view_of(const WireTensor& tensor);

/// One message: string fields and tensors, which borrow their bytes.
struct Message {
  std::map<std::string, std::string> fields;
  std::vector<WireTensor> tensors;

  /// The field, or `fallback` where it is absent.
  std::string field(const std::string& name,
                    const std::string& fallback = "") const;
  /// The field as a whole number >= 0. Throws AdapterError for anything else.
  std::int64_t number(const std::string& name, std::int64_t fallback) const;
  bool flag(const std::string& name) const { return field(name) == "1"; }
  const WireTensor* find(std::string_view name) const;
};

/// Everything of a safetensors image that stands before the tensors: u64
/// little-endian header length and the JSON header, padded to 8 bytes. The
/// tensors' bytes follow in the order of `message.tensors`.
std::string encode_head(const Message& message);

/// The whole image in one piece.
std::vector<std::byte> encode(const Message& message);

/// Reads an image; the tensors borrow from it. Throws AdapterError for
/// anything that is not a safetensors image: a header that is no JSON or
/// longer than 1 MiB, an unknown dtype, offsets out of range, overlapping or
/// with holes, a size that contradicts dtype and shape.
Message decode(std::span<const std::byte> image);

inline constexpr std::uint64_t kLongestHeader = std::uint64_t{1} << 20;

/// Throws AdapterError where an image of `size` bytes cannot begin with a
/// header of `length`.
void require_header_fits(std::uint64_t length, std::uint64_t size);

}  // namespace dropcheck::impl::adapters
