#include "dropcheck/impl/adapters/recorded_tensors.hpp"

#include <fmt/format.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <optional>

#include "dropcheck/impl/adapters/safetensors.hpp"
#include "dropcheck/impl/subject.hpp"
#include "npy.hpp"
#include "zip.hpp"

namespace dropcheck::impl::adapters {
namespace {

namespace fs = std::filesystem;

constexpr std::uintmax_t kLongestRecording = std::uintmax_t{4} << 30;

std::vector<std::byte> bytes_of(const std::string& path) {
  std::error_code error;
  const auto size = fs::file_size(path, error);
  if (error) throw AdapterError(error.message());
  if (size > kLongestRecording) {
    throw AdapterError(fmt::format("has {} bytes, but at most {} are read",
                                   size, kLongestRecording));
  }
  std::vector<std::byte> bytes(size);
  std::ifstream file(path, std::ios::binary);
  file.read(reinterpret_cast<char*>(bytes.data()),
            static_cast<std::streamsize>(size));
  if (!file) throw AdapterError("cannot be read");
  return bytes;
}

Tensor owned(const WireTensor& wire) {
  Tensor tensor(dtype_of(wire.type), wire.shape);
  if (!wire.data.empty()) {
    std::memcpy(tensor.bytes(), wire.data.data(), wire.data.size());
  }
  return tensor;
}

RecordedTensors from_safetensors(const std::string& path) {
  const std::vector<std::byte> bytes = bytes_of(path);
  const Message message = decode(bytes);
  const WireTensor* input = message.find("input");
  if (input == nullptr) throw AdapterError("has no tensor 'input'");
  RecordedTensors recorded{owned(*input), {}};
  for (const WireTensor& tensor : message.tensors) {
    if (tensor.name.starts_with("output")) {
      recorded.outputs.push_back(owned(tensor));
    }
  }
  if (recorded.outputs.empty()) throw AdapterError("has no tensor 'output'");
  return recorded;
}

/// Runs `read`; its errors name the file or the array.
template <class Read>
auto naming(const std::string& path, const Read& read) {
  try {
    return read();
  } catch (const AdapterError& error) {
    throw AdapterError(fmt::format("{}: {}", path, error.what()));
  }
}

/// An archive of NumPy's: "input.npy" and members that begin with "output".
RecordedTensors from_npz(const std::string& path) {
  std::optional<Tensor> input;
  std::vector<Tensor> outputs;
  for (const auto& [name, bytes] : unzip(bytes_of(path))) {
    const bool is_input = name == "input.npy";
    if (!is_input && !name.starts_with("output")) continue;
    Tensor tensor =
        naming(name, [&, &content = bytes] { return decode_npy(content); });
    if (is_input) {
      input = std::move(tensor);
    } else {
      outputs.push_back(std::move(tensor));
    }
  }
  if (!input) throw AdapterError("has no array 'input'");
  if (outputs.empty()) throw AdapterError("has no array 'output'");
  return {std::move(*input), std::move(outputs)};
}
Tensor from_npy(const std::string& path) {
  return naming(path, [&] { return decode_npy(bytes_of(path)); });
}

}  // namespace

RecordedTensors read_recorded(const std::vector<std::string>& paths) {
  if (paths.size() == 1 && paths[0].ends_with(".safetensors")) {
    return naming(paths[0], [&] { return from_safetensors(paths[0]); });
  }
  if (paths.size() == 1 && paths[0].ends_with(".npz")) {
    return naming(paths[0], [&] { return from_npz(paths[0]); });
  }
  for (const std::string& path : paths) {
    if (path.ends_with(".npy")) continue;
    throw AdapterError(fmt::format(
        "{}: recordings are one .npz or .safetensors file, or .npy files, the "
        "input first",
        path));
  }
  if (paths.size() < 2) {
    throw AdapterError(
        "one .npy file is the input: name the outputs behind it");
  }
  RecordedTensors recorded{from_npy(paths[0]), {}};
  for (std::size_t i = 1; i < paths.size(); ++i) {
    recorded.outputs.push_back(from_npy(paths[i]));
  }
  return recorded;
}

}  // namespace dropcheck::impl::adapters
