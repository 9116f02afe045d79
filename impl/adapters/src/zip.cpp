// The format: PKWARE's APPNOTE.TXT 6.3, sections 4.3.7, 4.3.12 and 4.3.16.
#include "zip.hpp"

#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>
#include <cstdint>

#include "dropcheck/impl/subject.hpp"

namespace dropcheck::impl::adapters {
namespace {

constexpr std::uint32_t kEnd = 0x06054b50;
constexpr std::uint32_t kCentral = 0x02014b50;
constexpr std::uint32_t kLocal = 0x04034b50;
constexpr std::size_t kEndSize = 22;
constexpr std::size_t kCentralSize = 46;
constexpr std::size_t kLocalSize = 30;
constexpr std::size_t kLongestComment = 0xffff;

/// Deflate makes at most 1032 bytes of one (zlib's technical page).
constexpr std::uint64_t kMostExpansion = 1032;

using Bytes = std::span<const std::byte>;

[[noreturn]] void refuse(const char* why) {
  throw AdapterError(fmt::format("is no ZIP archive: {}", why));
}

Bytes piece(Bytes image, std::uint64_t begin, std::uint64_t size) {
  if (begin > image.size() || size > image.size() - begin) {
    refuse("it is cut off");
  }
  return image.subspan(begin, size);
}

/// Little-endian, `width` bytes.
std::uint32_t number(Bytes record, std::size_t at, std::size_t width) {
  std::uint32_t value = 0;
  for (std::size_t i = width; i-- > 0;) {
    value = value << 8 | std::to_integer<std::uint32_t>(record[at + i]);
  }
  return value;
}

/// The record that ends an archive, behind which a comment may stand.
Bytes end_record(Bytes image) {
  if (image.size() < kEndSize) refuse("it is too short");
  const std::size_t last = image.size() - kEndSize;
  const std::size_t first = last - std::min(last, kLongestComment);
  for (std::size_t at = last + 1; at-- > first;) {
    const Bytes record = image.subspan(at, kEndSize);
    if (number(record, 0, 4) == kEnd) return record;
  }
  refuse("its end has no directory");
}

struct Member {
  std::string name;
  std::uint32_t flags = 0;
  std::uint32_t method = 0;
  std::uint32_t checksum = 0;
  std::uint32_t packed = 0;
  std::uint32_t size = 0;
  std::uint32_t header = 0;  ///< where its local header stands
};

/// The member whose directory entry begins at `at`, which moves behind it.
Member member_at(Bytes image, std::uint64_t& at) {
  const Bytes record = piece(image, at, kCentralSize);
  if (number(record, 0, 4) != kCentral) refuse("its directory is broken");
  const std::uint32_t name_size = number(record, 28, 2);
  const Bytes name = piece(image, at + kCentralSize, name_size);
  at +=
      kCentralSize + name_size + number(record, 30, 2) + number(record, 32, 2);
  return {{reinterpret_cast<const char*>(name.data()), name.size()},
          number(record, 8, 2),
          number(record, 10, 2),
          number(record, 16, 4),
          number(record, 20, 4),
          number(record, 24, 4),
          number(record, 42, 4)};
}

std::vector<std::byte> inflated(Bytes packed, std::size_t size) {
  std::vector<std::byte> result(size);
  z_stream stream = {};
  // zlib reads only, but takes a pointer to non-const.
  auto* input = const_cast<std::byte*>(packed.data());
  stream.next_in = reinterpret_cast<Bytef*>(input);
  stream.avail_in = static_cast<uInt>(packed.size());
  stream.next_out = reinterpret_cast<Bytef*>(result.data());
  stream.avail_out = static_cast<uInt>(result.size());
  constexpr int kRaw = -MAX_WBITS;  // no header of zlib's own
  if (::inflateInit2(&stream, kRaw) != Z_OK) throw std::bad_alloc();
  const int status = ::inflate(&stream, Z_FINISH);
  ::inflateEnd(&stream);
  if (status == Z_STREAM_END && stream.avail_out == 0) return result;
  throw AdapterError("its deflated data is broken");
}

std::vector<std::byte> content_of(Bytes image, const Member& member) {
  constexpr std::uint32_t kElsewhere = 0xffffffff;
  constexpr std::uint32_t kEncrypted = 1;
  constexpr std::uint32_t kStored = 0;
  constexpr std::uint32_t kDeflated = 8;
  if ((member.flags & kEncrypted) != 0) throw AdapterError("is encrypted");
  if (member.size == kElsewhere || member.packed == kElsewhere) {
    throw AdapterError("has 4 GiB or more");
  }
  const Bytes local = piece(image, member.header, kLocalSize);
  if (number(local, 0, 4) != kLocal) refuse("a member has no header");
  const std::uint64_t begin = std::uint64_t{member.header} + kLocalSize +
                              number(local, 26, 2) + number(local, 28, 2);
  const Bytes packed = piece(image, begin, member.packed);
  if (member.method == kStored && member.size == member.packed) {
    return {packed.begin(), packed.end()};
  }
  if (member.method == kDeflated &&
      member.size <= kMostExpansion * (member.packed + std::uint64_t{1})) {
    return inflated(packed, member.size);
  }
  throw AdapterError("is neither stored nor deflated");
}

}  // namespace

std::map<std::string, std::vector<std::byte>> unzip(Bytes image) {
  const Bytes end = end_record(image);
  std::map<std::string, std::vector<std::byte>> members;
  std::uint64_t at = number(end, 16, 4);
  for (std::uint32_t left = number(end, 10, 2); left > 0; --left) {
    const Member member = member_at(image, at);
    try {
      std::vector<std::byte> content = content_of(image, member);
      const auto checksum = ::crc32_z(
          0, reinterpret_cast<const Bytef*>(content.data()), content.size());
      if (checksum != member.checksum) {
        throw AdapterError("its checksum is wrong");
      }
      members[member.name] = std::move(content);
    } catch (const AdapterError& error) {
      throw AdapterError(
          fmt::format("member '{}': {}", member.name, error.what()));
    }
  }
  return members;
}

}  // namespace dropcheck::impl::adapters
