// Compiled once per instruction set by Highway; the best one is chosen when
// the program runs.

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "fast/rows.cpp"
#include "fast/rows.hpp"

#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include <algorithm>
#include <cstring>

HWY_BEFORE_NAMESPACE();
namespace dropcheck::impl::fast::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// Product and sum are rounded apart, as in the readable code.
template <class T>
struct Copied {
  HWY_INLINE explicit Copied(const Reply<T>&) {}
  template <class D, class V>
  HWY_INLINE V of(D, V x) const {
    return x;
  }
};

template <class T>
struct Scaled {
  HWY_INLINE explicit Scaled(const Reply<T>& reply) : scale(reply.scale) {}
  template <class D, class V>
  HWY_INLINE V of(D d, V x) const {
    return hn::Mul(x, hn::Set(d, scale));
  }
  T scale;
};

template <class T>
struct ScaledAndShifted {
  HWY_INLINE explicit ScaledAndShifted(const Reply<T>& reply)
      : scale(reply.scale), offset(reply.offset) {}
  template <class D, class V>
  HWY_INLINE V of(D d, V x) const {
    return hn::Add(hn::Mul(x, hn::Set(d, scale)), hn::Set(d, offset));
  }
  T scale;
  T offset;
};

/// Vectors of at most 64 lanes, and single elements at the end of a row.
template <class T, class Kept, class D>
HWY_INLINE void reply_to_vector(const Row<T>& row, const Kept& keep, T dropped,
                                D d, std::size_t i, std::uint64_t kept) {
  const auto mask =
      hn::LoadMaskBits(d, reinterpret_cast<const std::uint8_t*>(&kept));
  const auto value = keep.of(d, hn::LoadU(d, row.x + i));
  hn::StoreU(hn::IfThenElse(mask, value, hn::Set(d, dropped)), d, row.y + i);
}

/// `kept_word(i)` has the decisions of the elements i .. i + 63.
template <class T, class Kept, class KeptWord>
HWY_INLINE void reply_to_row(const Row<T>& row, const Kept& keep, T dropped,
                             const KeptWord& kept_word) {
  const hn::CappedTag<T, 64> d;
  const hn::CappedTag<T, 1> one;
  for (std::size_t i = 0; i < row.count; i += 64) {
    const std::uint64_t kept = kept_word(i);
    const std::size_t count = std::min<std::size_t>(64, row.count - i);
    std::size_t j = 0;
    for (; j + hn::Lanes(d) <= count; j += hn::Lanes(d)) {
      reply_to_vector(row, keep, dropped, d, i + j, kept >> j);
    }
    for (; j < count; ++j) {
      reply_to_vector(row, keep, dropped, one, i + j, kept >> j & 1U);
    }
  }
}

template <class T, class KeptWord>
HWY_INLINE void reply_by(const Row<T>& row, const Reply<T>& reply,
                         const KeptWord& kept_word) {
  switch (reply.kind) {
    case Reply<T>::Kind::kCopy:
      return reply_to_row(row, Copied<T>(reply), reply.dropped, kept_word);
    case Reply<T>::Kind::kScale:
      return reply_to_row(row, Scaled<T>(reply), reply.dropped, kept_word);
    case Reply<T>::Kind::kScaleAndShift:
      return reply_to_row(row, ScaledAndShifted<T>(reply), reply.dropped,
                          kept_word);
  }
}

/// 64 bytes that are 0 or 1 as bits; fewer at the end of a row.
HWY_INLINE std::uint64_t packed(const std::uint8_t* bytes, std::size_t count) {
  std::uint64_t word = 0;
  for (std::size_t i = 0; i < count; i += 8) {
    std::uint64_t eight = 0;
    std::memcpy(&eight, bytes + i, std::min<std::size_t>(8, count - i));
    // Byte j becomes bit 56 + j: the partial products do not meet.
    word |= (eight * 0x0102040810204080U >> 56U) << i;
  }
  return word;
}

template <class T>
void by_bits(const Row<T>& row, const Reply<T>& reply,
             const std::uint64_t* kept) {
  reply_by(row, reply, [kept](std::size_t i) HWY_ATTR { return kept[i / 64]; });
}

template <class T>
void by_bytes(const Row<T>& row, const Reply<T>& reply,
              const std::uint8_t* kept) {
  reply_by(row, reply, [kept, count = row.count](std::size_t i) HWY_ATTR {
    return packed(kept + i, std::min<std::size_t>(64, count - i));
  });
}

template <class T>
void to_all(const Row<T>& row, const Reply<T>& reply, bool kept) {
  if (!kept) {
    std::fill_n(row.y, row.count, reply.dropped);
    return;
  }
  reply_by(row, reply, [](std::size_t) HWY_ATTR { return ~std::uint64_t{0}; });
}

void f32_by_bits(const Row<float>& row, const Reply<float>& reply,
                 const std::uint64_t* kept) {
  by_bits(row, reply, kept);
}
void f64_by_bits(const Row<double>& row, const Reply<double>& reply,
                 const std::uint64_t* kept) {
  by_bits(row, reply, kept);
}
void f32_by_bytes(const Row<float>& row, const Reply<float>& reply,
                  const std::uint8_t* kept) {
  by_bytes(row, reply, kept);
}
void f64_by_bytes(const Row<double>& row, const Reply<double>& reply,
                  const std::uint8_t* kept) {
  by_bytes(row, reply, kept);
}
void f32_to_all(const Row<float>& row, const Reply<float>& reply, bool kept) {
  to_all(row, reply, kept);
}
void f64_to_all(const Row<double>& row, const Reply<double>& reply, bool kept) {
  to_all(row, reply, kept);
}

}  // namespace dropcheck::impl::fast::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace dropcheck::impl::fast {

HWY_EXPORT(f32_by_bits);
HWY_EXPORT(f64_by_bits);
HWY_EXPORT(f32_by_bytes);
HWY_EXPORT(f64_by_bytes);
HWY_EXPORT(f32_to_all);
HWY_EXPORT(f64_to_all);

void reply_by_bits(const Row<float>& row, const Reply<float>& reply,
                   const std::uint64_t* kept) {
  HWY_DYNAMIC_DISPATCH(f32_by_bits)(row, reply, kept);
}
void reply_by_bits(const Row<double>& row, const Reply<double>& reply,
                   const std::uint64_t* kept) {
  HWY_DYNAMIC_DISPATCH(f64_by_bits)(row, reply, kept);
}

void reply_by_bytes(const Row<float>& row, const Reply<float>& reply,
                    const std::uint8_t* kept) {
  HWY_DYNAMIC_DISPATCH(f32_by_bytes)(row, reply, kept);
}
void reply_by_bytes(const Row<double>& row, const Reply<double>& reply,
                    const std::uint8_t* kept) {
  HWY_DYNAMIC_DISPATCH(f64_by_bytes)(row, reply, kept);
}

void reply_to_all(const Row<float>& row, const Reply<float>& reply, bool kept) {
  HWY_DYNAMIC_DISPATCH(f32_to_all)(row, reply, kept);
}
void reply_to_all(const Row<double>& row, const Reply<double>& reply,
                  bool kept) {
  HWY_DYNAMIC_DISPATCH(f64_to_all)(row, reply, kept);
}

}  // namespace dropcheck::impl::fast
#endif  // HWY_ONCE
