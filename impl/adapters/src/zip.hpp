#pragma once

#include <cstddef>
#include <map>
#include <span>
#include <string>
#include <vector>

namespace dropcheck::impl::adapters {

/// The members of a ZIP archive by name, stored or deflated. Memory is bounded
/// by what deflate can make of the image's bytes. Throws AdapterError for what
/// is no such archive, and for encrypted members and those of 4 GiB and more.
std::map<std::string, std::vector<std::byte>> unzip(
    std::span<const std::byte> image);

}  // namespace dropcheck::impl::adapters
