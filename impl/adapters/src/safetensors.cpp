#include "dropcheck/impl/adapters/safetensors.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <limits>
#include <nlohmann/json.hpp>

#include "dropcheck/impl/subject.hpp"
#include "endian.hpp"

namespace dropcheck::impl::adapters {
namespace {

using nlohmann::json;

struct Traits {
  WireType type;
  std::string_view name;
  std::size_t size;
};

constexpr std::array<Traits, 5> kTraits{{{WireType::kF64, "F64", 8},
                                         {WireType::kF32, "F32", 4},
                                         {WireType::kF16, "F16", 2},
                                         {WireType::kBF16, "BF16", 2},
                                         {WireType::kU8, "U8", 1}}};

const Traits& traits(WireType type) {
  return kTraits[static_cast<std::size_t>(type)];
}

WireType type_from_name(const std::string& name) {
  for (const Traits& candidate : kTraits) {
    if (candidate.name == name) return candidate.type;
  }
  throw AdapterError(fmt::format(
      "tensor dtype is '{}', but must be F64, F32, F16, BF16 or U8", name));
}

std::uint64_t unsigned_of(const json& value, std::string_view what) {
  if (!value.is_number_unsigned()) {
    throw AdapterError(fmt::format("{} is {}, but must be a whole number >= 0",
                                   what, value.dump()));
  }
  return value.get<std::uint64_t>();
}

Shape shape_of(const json& entry) {
  Shape shape;
  for (const json& extent : entry.at("shape")) {
    const std::uint64_t value = unsigned_of(extent, "extent");
    if (value >
        static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) {
      throw AdapterError("an extent leaves 63 bits");
    }
    shape.push_back(static_cast<std::int64_t>(value));
  }
  return shape;
}

std::uint64_t bytes_for(WireType type, const Shape& shape) {
  try {
    const auto count = static_cast<std::uint64_t>(element_count(shape));
    if (count <= std::numeric_limits<std::uint64_t>::max() / size_of(type)) {
      return count * size_of(type);
    }
  } catch (const std::invalid_argument&) {
    // Too large for 63 bits: the error below says so.
  }
  throw AdapterError("the shape of a tensor leaves 63 bits");
}

WireTensor tensor_of(const std::string& name, const json& entry,
                     std::span<const std::byte> data) {
  WireTensor tensor{
      name, type_from_name(entry.at("dtype")), shape_of(entry), {}};
  const json& offsets = entry.at("data_offsets");
  if (offsets.size() != 2) {
    throw AdapterError(fmt::format("tensor '{}' needs two offsets", name));
  }
  const std::uint64_t begin = unsigned_of(offsets.at(0), "offset");
  const std::uint64_t end = unsigned_of(offsets.at(1), "offset");
  if (begin > end || end > data.size()) {
    throw AdapterError(
        fmt::format("tensor '{}' has offsets [{}, {}), but the data has {} "
                    "bytes",
                    name, begin, end, data.size()));
  }
  if (end - begin != bytes_for(tensor.type, tensor.shape)) {
    throw AdapterError(fmt::format(
        "tensor '{}' of dtype {} and shape {} needs {} bytes, but has {}", name,
        traits(tensor.type).name, to_string(tensor.shape),
        bytes_for(tensor.type, tensor.shape), end - begin));
  }
  tensor.data = data.subspan(begin, end - begin);
  return tensor;
}

// The format wants every byte to belong to exactly one tensor.
void require_a_partition(Message& message, std::span<const std::byte> data) {
  std::stable_sort(message.tensors.begin(), message.tensors.end(),
                   [](const WireTensor& a, const WireTensor& b) {
                     return std::pair(a.data.data(), a.data.size()) <
                            std::pair(b.data.data(), b.data.size());
                   });
  const std::byte* next = data.data();
  for (const WireTensor& tensor : message.tensors) {
    if (tensor.data.data() != next) {
      throw AdapterError(fmt::format(
          "tensor '{}' overlaps another one or leaves a hole", tensor.name));
    }
    next += tensor.data.size();
  }
  if (next != data.data() + data.size()) {
    throw AdapterError("there are bytes after the last tensor");
  }
}

std::map<std::string, std::string> fields_of(const json& metadata) {
  if (!metadata.is_object()) {
    throw AdapterError("__metadata__ is " + metadata.dump() +
                       ", but must be an object");
  }
  std::map<std::string, std::string> fields;
  for (const auto& [name, value] : metadata.items()) {
    if (!value.is_string()) {
      throw AdapterError(fmt::format(
          "field '{}' is {}, but values of the message must be strings", name,
          value.dump()));
    }
    fields[name] = value.get<std::string>();
  }
  return fields;
}

Message message_of(const json& header, std::span<const std::byte> data) {
  Message message;
  for (const auto& [name, entry] : header.items()) {
    if (name == "__metadata__") {
      message.fields = fields_of(entry);
    } else {
      message.tensors.push_back(tensor_of(name, entry, data));
    }
  }
  require_a_partition(message, data);
  return message;
}

}  // namespace

std::size_t size_of(WireType type) { return traits(type).size; }

WireType wire_type(DType dtype) {
  switch (dtype) {
    case DType::kFloat64:
      return WireType::kF64;
    case DType::kFloat32:
      return WireType::kF32;
    case DType::kFloat16:
      return WireType::kF16;
    case DType::kBFloat16:
      return WireType::kBF16;
  }
  throw AdapterError("unknown dtype");
}

DType dtype_of(WireType type) {
  for (const DType dtype :
       {DType::kFloat64, DType::kFloat32, DType::kFloat16, DType::kBFloat16}) {
    if (wire_type(dtype) == type) return dtype;
  }
  throw AdapterError("a tensor of dtype U8 stands where a float is needed");
}

TensorView view_of(const WireTensor& tensor) {
  // TensorView has one pointer for reading and writing; callers only read.
  auto* data = const_cast<std::byte*>(tensor.data.data());
  return {data, dtype_of(tensor.type), tensor.shape,
          compact_strides(tensor.shape)};
}

std::string Message::field(const std::string& name,
                           const std::string& fallback) const {
  const auto found = fields.find(name);
  return found == fields.end() ? fallback : found->second;
}

std::int64_t Message::number(const std::string& name,
                             std::int64_t fallback) const {
  const auto found = fields.find(name);
  if (found == fields.end()) return fallback;
  const std::string& text = found->second;
  std::int64_t value = -1;
  const auto [end, error] =
      std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || value < 0) {
    throw AdapterError(fmt::format(
        "field '{}' is '{}', but must be a whole number >= 0", name, text));
  }
  return value;
}

const WireTensor* Message::find(std::string_view name) const {
  for (const WireTensor& tensor : tensors) {
    if (tensor.name == name) return &tensor;
  }
  return nullptr;
}

std::string encode_head(const Message& message) {
  json header = {{"__metadata__", message.fields}};
  std::uint64_t offset = 0;
  for (const WireTensor& tensor : message.tensors) {
    const std::uint64_t end = offset + tensor.data.size();
    header[tensor.name] = {{"dtype", traits(tensor.type).name},
                           {"shape", tensor.shape},
                           {"data_offsets", {offset, end}}};
    offset = end;
  }
  // A layer's error message need not be UTF-8.
  std::string text =
      header.dump(-1, ' ', false, json::error_handler_t::replace);
  text.resize((text.size() + 7) / 8 * 8, ' ');
  return little_endian(text.size()) + text;
}

std::vector<std::byte> encode(const Message& message) {
  const std::string head = encode_head(message);
  const auto bytes = std::as_bytes(std::span(head));
  std::vector<std::byte> image(bytes.begin(), bytes.end());
  for (const WireTensor& tensor : message.tensors) {
    image.insert(image.end(), tensor.data.begin(), tensor.data.end());
  }
  return image;
}

void require_header_fits(std::uint64_t length, std::uint64_t size) {
  if (length > kLongestHeader) {
    throw AdapterError(
        fmt::format("a header of {} bytes is announced, but at most {} are "
                    "allowed",
                    length, kLongestHeader));
  }
  if (size >= 8 && length <= size - 8) return;
  throw AdapterError(
      fmt::format("a header of {} bytes in a frame of {}: a frame's length is "
                  "8 + header + tensors",
                  length, size));
}

Message decode(std::span<const std::byte> image) {
  if (image.size() < 8) throw AdapterError("a frame is shorter than 8 bytes");
  const std::uint64_t length = from_little_endian(image.first<8>());
  require_header_fits(length, image.size());
  const auto* text = reinterpret_cast<const char*>(image.data()) + 8;
  try {
    const json header = json::parse(text, text + length);
    if (!header.is_object()) throw AdapterError("a header is no JSON object");
    return message_of(header, image.subspan(8 + length));
  } catch (const json::exception& error) {
    throw AdapterError(fmt::format("malformed header: {}", error.what()));
  }
}

}  // namespace dropcheck::impl::adapters
