#include "npy.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <charconv>
#include <cstring>
#include <string>
#include <string_view>

#include "dropcheck/impl/subject.hpp"

namespace dropcheck::impl::adapters {
namespace {

constexpr std::string_view kMagic = "\x93NUMPY";
constexpr std::size_t kLongestHeader = 4096;
constexpr std::size_t kMostAxes = 32;

struct Header {
  DType dtype = DType::kFloat32;
  bool swapped = false;
  bool fortran = false;
  Shape shape;
};

/// What stands behind 'key': in the dictionary that Python wrote.
std::string_view value_of(std::string_view text, std::string_view key) {
  const std::string name = fmt::format("'{}':", key);
  const std::size_t at = text.find(name);
  if (at == std::string_view::npos) {
    throw AdapterError(fmt::format("the header has no '{}'", key));
  }
  std::string_view rest = text.substr(at + name.size());
  rest.remove_prefix(std::min(rest.find_first_not_of(' '), rest.size()));
  return rest;
}

/// "<f4" without its quotes.
void read_dtype(std::string_view value, Header& header) {
  const std::size_t end = value.size() > 1 ? value.find('\'', 1) : 0;
  const bool quoted = value.starts_with('\'') && end != value.npos;
  const std::string_view name = quoted ? value.substr(1, end - 1) : value;
  if (name.find('O') != name.npos) {
    throw AdapterError("holds Python objects, which are pickled and not read");
  }
  const std::pair<std::string_view, DType> known[] = {{"f8", DType::kFloat64},
                                                      {"f4", DType::kFloat32},
                                                      {"f2", DType::kFloat16}};
  for (const auto& [suffix, dtype] : known) {
    if (!quoted || name.size() != 3 || name.substr(1) != suffix) continue;
    if (name.front() != '<' && name.front() != '>') continue;
    header.dtype = dtype;
    header.swapped =
        (name.front() == '>') == (std::endian::native == std::endian::little);
    return;
  }
  throw AdapterError(
      fmt::format("dtype is {}, but must be f2, f4 or f8",
                  std::string(value.substr(
                      0, std::min<std::size_t>(value.find(','), 24)))));
}

void read_order(std::string_view value, Header& header) {
  header.fortran = value.starts_with("True");
  if (header.fortran || value.starts_with("False")) return;
  throw AdapterError("fortran_order is neither True nor False");
}

/// "(3, 4)", "(3,)" or "()".
void read_shape(std::string_view value, Header& header) {
  const std::size_t end = value.find(')');
  if (!value.starts_with('(') || end == value.npos) {
    throw AdapterError("the shape is no tuple");
  }
  std::string_view rest = value.substr(1, end - 1);
  while (!rest.empty()) {
    std::int64_t extent = -1;
    const auto [stop, error] =
        std::from_chars(rest.data(), rest.data() + rest.size(), extent);
    if (error != std::errc{} || extent < 0 ||
        header.shape.size() == kMostAxes) {
      throw AdapterError("the shape is no tuple of extents");
    }
    header.shape.push_back(extent);
    rest.remove_prefix(static_cast<std::size_t>(stop - rest.data()));
    rest.remove_prefix(std::min(rest.find_first_not_of(", "), rest.size()));
  }
}

Header header_from(std::string_view text) {
  Header header;
  read_dtype(value_of(text, "descr"), header);
  read_order(value_of(text, "fortran_order"), header);
  read_shape(value_of(text, "shape"), header);
  return header;
}

/// The header's text; `image` is left with the data.
std::string_view header_text(std::span<const std::byte>& image) {
  const std::string_view all(reinterpret_cast<const char*>(image.data()),
                             image.size());
  constexpr std::size_t kVersion1 = 10;
  constexpr std::size_t kVersion2 = 12;
  if (!all.starts_with(kMagic) || all.size() < kVersion2) {
    throw AdapterError("is no .npy file");
  }
  const int major = std::to_integer<int>(image[kMagic.size()]);
  if (major < 1 || major > 3) {
    throw AdapterError(fmt::format(
        "is a .npy file of version {}, but must be of 1 to 3", major));
  }
  const std::size_t begin = major == 1 ? kVersion1 : kVersion2;
  std::size_t length = 0;
  for (std::size_t i = begin; i-- > 8;) {
    length = length << 8 | std::to_integer<std::size_t>(image[i]);
  }
  if (length > kLongestHeader || length > all.size() - begin) {
    throw AdapterError(
        fmt::format("a header of {} bytes is announced, but at most {} are "
                    "allowed and {} are there",
                    length, kLongestHeader, all.size() - begin));
  }
  image = image.subspan(begin + length);
  return all.substr(begin, length);
}

/// Bytes that the data must have; the shape may leave 64 bits.
std::size_t bytes_of(const Header& header) {
  try {
    const auto count = static_cast<std::size_t>(element_count(header.shape));
    if (count <= SIZE_MAX / size_of(header.dtype)) {
      return count * size_of(header.dtype);
    }
  } catch (const std::invalid_argument&) {
    // The error below says so.
  }
  throw AdapterError("the shape leaves 63 bits");
}

void swap_bytes(Tensor& tensor) {
  const std::size_t width = size_of(tensor.dtype());
  for (std::size_t at = 0; at < tensor.byte_count(); at += width) {
    std::reverse(tensor.bytes() + at, tensor.bytes() + at + width);
  }
}

/// The same values, last axis fastest.
Tensor in_c_order(Tensor values, const Shape& shape) {
  TensorView view{values.bytes(), values.dtype(), shape, Shape(shape.size())};
  std::int64_t step = 1;
  for (std::size_t axis = 0; axis < shape.size(); ++axis) {
    view.strides[axis] = step;
    step *= shape[axis];
  }
  Tensor result(values.dtype(), shape);
  copy(view, result.view());
  return result;
}

}  // namespace

Tensor decode_npy(std::span<const std::byte> image) {
  const Header header = header_from(header_text(image));
  const std::size_t bytes = bytes_of(header);
  if (bytes != image.size()) {
    throw AdapterError(fmt::format(
        "shape {} in {} needs {} bytes, but {} follow the header",
        to_string(header.shape), name_of(header.dtype), bytes, image.size()));
  }
  Tensor values(header.dtype, header.shape);
  if (bytes > 0) std::memcpy(values.bytes(), image.data(), bytes);
  if (header.swapped) swap_bytes(values);
  if (!header.fortran) return values;
  return in_c_order(std::move(values), header.shape);
}

}  // namespace dropcheck::impl::adapters
