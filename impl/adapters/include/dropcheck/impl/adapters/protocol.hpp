#pragma once

#include <cstdint>
#include <string>

#include "dropcheck/impl/adapters/safetensors.hpp"
#include "dropcheck/impl/config.hpp"
#include "dropcheck/impl/subject.hpp"

namespace dropcheck::impl::adapters {

/// The version of PROTOCOL.md that this code speaks.
inline constexpr const char* kProtocolVersion = "1";

/// A frame may be this long unless the options say less: 4 GiB.
inline constexpr std::uint64_t kLongestFrame = std::uint64_t{1} << 32;

/// A number as the protocol has it: "0.1", "NaN", "Infinity", "-Infinity".
std::string number_to_text(double value);

/// What may be wrong with the length in front of a frame that makes no sense:
/// text that someone printed, or the other order of bytes. Empty, or "; ...".
std::string suspicion_of(std::span<const std::byte, 8> length);

/// Reads the length in front of a frame. Throws AdapterError with a suspicion
/// where it exceeds `limit`.
std::uint64_t frame_length(std::span<const std::byte, 8> bytes,
                           std::uint64_t limit = kLongestFrame);

/// A configuration as JSON. The drop probability is a string, because JSON
/// has no NaN.
std::string to_json(const LayerConfig& config);

/// The inverse. Absent keys keep their defaults, unknown ones are an
/// AdapterError: an option that is ignored would be verified as if it worked.
LayerConfig config_from_json(const std::string& text);

/// Declared options as a JSON object: {"at_one": "error", "dtype_is_kept":
/// false}; the flags are booleans.
std::string to_json(const DeclaredOptions& options);

/// The inverse. Throws AdapterError for an option or a value that there is not:
/// a difference that nobody reads would be held against the layer.
DeclaredOptions options_from_json(const std::string& text);

/// A recipe as a JSON object of its parts; the inverse takes its name, too.
/// Throws AdapterError.
std::string to_json(const MaskRecipe& recipe);
MaskRecipe recipe_from_text(const std::string& text);

/// A description as fields of an answer, and back. Throws AdapterError.
void describe_to(const Description& description, Message& message);
Description description_from(const Message& message);

/// "2,1" for strides; the inverse throws AdapterError.
std::string strides_to_text(const Shape& strides);
Shape strides_from_text(const std::string& text);

/// Number of elements between the first and the last one that a view with
/// these extents and strides touches, both included; 0 for an empty view.
/// Throws AdapterError for a negative stride or a span over 4 GiB elements.
std::int64_t element_span(const Shape& shape, const Shape& strides);

}  // namespace dropcheck::impl::adapters
