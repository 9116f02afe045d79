// Compiled once per instruction set by Highway; the best one is chosen when
// the program runs.

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "fast/rows.cpp"
#include "fast/rows.hpp"

#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include <cmath>

#ifndef DROPCHECK_ROWS_ONCE
#define DROPCHECK_ROWS_ONCE
namespace dropcheck::impl::fast {

/// Whether a value is a zero without a sign.
template <class T>
bool has_no_bits(T value) {
  return value == 0 && !std::signbit(static_cast<double>(value));
}

}  // namespace dropcheck::impl::fast
#endif

HWY_BEFORE_NAMESPACE();
namespace dropcheck::impl::fast::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// Product and sum are rounded apart, as in the readable code.
struct Copied {
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

/// How the values of a dtype stand in memory.
template <class T>
struct Plain {
  using Element = T;
  template <class D>
  static HWY_INLINE hn::Vec<D> load(D d, const T* from) {
    return hn::LoadU(d, from);
  }
  template <class D>
  static HWY_INLINE void store(hn::Vec<D> value, D d, T* to) {
    hn::StoreU(value, d, to);
  }
};

/// `number` in every lane of the bits of floats.
template <class D>
HWY_INLINE hn::Vec<hn::RebindToSigned<D>> bits_of(D, std::int32_t number) {
  return hn::Set(hn::RebindToSigned<D>(), number);
}

template <class D>
HWY_INLINE hn::Vec<hn::RebindToSigned<D>> load_16(D d,
                                                  const std::uint16_t* from) {
  const hn::Rebind<std::uint16_t, D> d16;
  const hn::RebindToSigned<D> bits;
  (void)d;
  return hn::PromoteTo(bits, hn::LoadU(d16, from));
}

template <class D>
HWY_INLINE void store_16(hn::Vec<hn::RebindToSigned<D>> value, D,
                         std::uint16_t* to) {
  const hn::Rebind<std::uint16_t, D> d16;
  hn::StoreU(hn::DemoteTo(d16, value), d16, to);
}

/// Rounded to the nearest, ties to even, as Eigen does it; any NaN becomes the
/// quiet one.
struct Half {
  using Element = std::uint16_t;
  template <class D>
  static HWY_INLINE hn::Vec<D> load(D d, const std::uint16_t* from) {
    const hn::RebindToSigned<D> bits;
    const auto half = load_16(d, from);
    const auto sign = hn::ShiftLeft<16>(hn::And(half, bits_of(d, 0x8000)));
    const auto rest = hn::ShiftLeft<13>(hn::And(half, bits_of(d, 0x7FFF)));
    // The exponent has another bias; a product is right for subnormals, too.
    const auto number =
        hn::BitCast(bits, hn::Mul(hn::BitCast(d, rest), hn::Set(d, 0x1p112F)));
    const auto special = hn::Gt(rest, bits_of(d, 0x0F7FFFFF));
    const auto infinite = hn::Or(rest, bits_of(d, 0x7F800000));
    return hn::BitCast(d,
                       hn::Or(sign, hn::IfThenElse(special, infinite, number)));
  }
  template <class D>
  static HWY_INLINE void store(hn::Vec<D> value, D d, std::uint16_t* to) {
    const hn::RebindToSigned<D> bits;
    const auto all = hn::BitCast(bits, value);
    const auto rest = hn::And(all, bits_of(d, 0x7FFFFFFF));
    const auto sign = hn::And(hn::ShiftRight<16>(all), bits_of(d, 0x8000));
    const auto odd = hn::And(hn::ShiftRight<13>(rest), bits_of(d, 1));
    const auto normal = hn::ShiftRight<13>(
        hn::Add(hn::Add(rest, odd), bits_of(d, 0xFFF - (112 << 23))));
    // A sum with 1/2 leaves the digits of a subnormal at the end.
    const auto moved =
        hn::BitCast(bits, hn::Add(hn::BitCast(d, rest), hn::Set(d, 0.5F)));
    const auto subnormal = hn::Sub(moved, bits_of(d, 0x3F000000));
    const auto special = hn::IfThenElse(hn::Gt(rest, bits_of(d, 0x7F800000)),
                                        bits_of(d, 0x7E00), bits_of(d, 0x7C00));
    const auto finite =
        hn::IfThenElse(hn::Gt(bits_of(d, 0x38800000), rest), subnormal, normal);
    const auto result =
        hn::IfThenElse(hn::Gt(rest, bits_of(d, 0x477FFFFF)), special, finite);
    store_16(hn::Or(result, sign), d, to);
  }
};

struct BFloat16 {
  using Element = std::uint16_t;
  template <class D>
  static HWY_INLINE hn::Vec<D> load(D d, const std::uint16_t* from) {
    return hn::BitCast(d, hn::ShiftLeft<16>(load_16(d, from)));
  }
  template <class D>
  static HWY_INLINE void store(hn::Vec<D> value, D d, std::uint16_t* to) {
    const hn::RebindToSigned<D> bits;
    const hn::RebindToUnsigned<D> unsigned_bits;
    const auto all = hn::BitCast(bits, value);
    const auto rest = hn::And(all, bits_of(d, 0x7FFFFFFF));
    const auto odd = hn::And(hn::ShiftRight<16>(all), bits_of(d, 1));
    const auto sum = hn::Add(hn::Add(all, odd), bits_of(d, 0x7FFF));
    const auto rounded =
        hn::BitCast(bits, hn::ShiftRight<16>(hn::BitCast(unsigned_bits, sum)));
    const auto sign = hn::And(hn::ShiftRight<16>(all), bits_of(d, 0x8000));
    const auto nan = hn::Or(sign, bits_of(d, 0x7FC0));
    store_16(hn::IfThenElse(hn::Gt(rest, bits_of(d, 0x7F800000)), nan, rounded),
             d, to);
  }
};

/// The lanes of `mask`, each a kept value's response; elsewhere `dropped`.
template <class Format, bool kZero, class Kept, class D, class M>
HWY_INLINE void reply_to_vector(const Kept& keep, hn::Vec<D> dropped, D d,
                                const typename Format::Element* x,
                                typename Format::Element* y, M mask) {
  const auto value = keep.of(d, Format::load(d, x));
  Format::store(kZero ? hn::IfThenElseZero(mask, value)
                      : hn::IfThenElse(mask, value, dropped),
                d, y);
}

template <class D>
HWY_INLINE auto mask_of(D d, std::uint64_t bits) {
  return hn::LoadMaskBits(d, reinterpret_cast<const std::uint8_t*>(&bits));
}

/// Vectors of at most 64 lanes, and single elements at the end of a row.
/// `kZero`: the dropped value has no bits.
template <class Format, bool kZero, class T, class Kept>
HWY_INLINE void reply_to_row(const Row<typename Format::Element>& row,
                             const Kept& keep, T dropped,
                             const std::uint64_t* kept) {
  const hn::CappedTag<T, 64> d;
  const hn::CappedTag<T, 1> one;
  const std::size_t lanes = hn::Lanes(d);
  // Copies: stores to a row might change what it says of itself.
  const auto* x = row.x;
  auto* y = row.y;
  const Kept reply = keep;
  const auto elsewhere = hn::Set(d, dropped);
  // The bits of eight lanes or more are read where they are, and up to eight
  // bytes from there on: never from the last word.
  const std::size_t full = row.count > 64 ? (row.count - 1) / 64 : 0;
  const auto* bytes = reinterpret_cast<const std::uint8_t*>(kept);
  for (std::size_t w = 0; w < full; ++w, x += 64, y += 64, bytes += 8) {
    for (std::size_t j = 0; j < 64; j += lanes) {
      const auto mask = lanes < 8 ? mask_of(d, kept[w] >> j)
                                  : hn::LoadMaskBits(d, bytes + j / 8);
      reply_to_vector<Format, kZero>(reply, elsewhere, d, x + j, y + j, mask);
    }
  }
  const std::size_t rest = row.count - 64 * full;
  const std::uint64_t word = rest > 0 ? kept[full] : 0;
  std::size_t j = 0;
  for (; j + lanes <= rest; j += lanes) {
    reply_to_vector<Format, kZero>(reply, elsewhere, d, x + j, y + j,
                                   mask_of(d, word >> j));
  }
  for (; j < rest; ++j) {
    reply_to_vector<Format, kZero>(reply, hn::Set(one, dropped), one, x + j,
                                   y + j, mask_of(one, word >> j & 1U));
  }
}

template <class Format, class T, class Kept>
HWY_INLINE void reply_to_all(const Row<typename Format::Element>& row,
                             const Kept& keep, T dropped,
                             const std::uint64_t* kept) {
  if (has_no_bits(dropped)) {
    reply_to_row<Format, true>(row, keep, dropped, kept);
  } else {
    reply_to_row<Format, false>(row, keep, dropped, kept);
  }
}

/// What is copied is never a number to the processor.
template <class Format, class T>
HWY_INLINE void reply_moved(const Row<typename Format::Element>& row,
                            const Reply<T>& reply, const std::uint64_t* kept) {
  if (reply.kind == Reply<T>::Kind::kScale) {
    reply_to_all<Format>(row, Scaled<T>(reply), reply.dropped, kept);
  } else {
    reply_to_all<Format>(row, ScaledAndShifted<T>(reply), reply.dropped, kept);
  }
}

template <class T>
HWY_INLINE void reply_plainly(const Row<T>& row, const Reply<T>& reply,
                              const std::uint64_t* kept) {
  if (reply.kind == Reply<T>::Kind::kCopy) {
    reply_to_all<Plain<T>>(row, Copied(), reply.dropped, kept);
  } else {
    reply_moved<Plain<T>>(row, reply, kept);
  }
}

void f32_by_bits(const Row<float>& row, const Reply<float>& reply,
                 const std::uint64_t* kept) {
  reply_plainly(row, reply, kept);
}
void f64_by_bits(const Row<double>& row, const Reply<double>& reply,
                 const std::uint64_t* kept) {
  reply_plainly(row, reply, kept);
}
void f16_by_bits(const Row<std::uint16_t>& row, const Reply<float>& reply,
                 const std::uint64_t* kept) {
  reply_moved<Half>(row, reply, kept);
}
void bf16_by_bits(const Row<std::uint16_t>& row, const Reply<float>& reply,
                  const std::uint64_t* kept) {
  reply_moved<BFloat16>(row, reply, kept);
}
void copied_by_bits(const Row<std::uint16_t>& row, std::uint16_t dropped,
                    const std::uint64_t* kept) {
  reply_to_all<Plain<std::uint16_t>>(row, Copied(), dropped, kept);
}

}  // namespace dropcheck::impl::fast::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace dropcheck::impl::fast {

HWY_EXPORT(f32_by_bits);
HWY_EXPORT(f64_by_bits);
HWY_EXPORT(f16_by_bits);
HWY_EXPORT(bf16_by_bits);
HWY_EXPORT(copied_by_bits);

void reply_by_bits(const Row<float>& row, const Reply<float>& reply,
                   const std::uint64_t* kept) {
  HWY_DYNAMIC_DISPATCH(f32_by_bits)(row, reply, kept);
}
void reply_by_bits(const Row<double>& row, const Reply<double>& reply,
                   const std::uint64_t* kept) {
  HWY_DYNAMIC_DISPATCH(f64_by_bits)(row, reply, kept);
}

void reply_by_bits(const Row<std::uint16_t>& row, Narrow dtype,
                   const Reply<float>& reply, std::uint16_t dropped_bits,
                   const std::uint64_t* kept) {
  if (reply.kind == Reply<float>::Kind::kCopy) {
    HWY_DYNAMIC_DISPATCH(copied_by_bits)(row, dropped_bits, kept);
  } else if (dtype == Narrow::kFloat16) {
    HWY_DYNAMIC_DISPATCH(f16_by_bits)(row, reply, kept);
  } else {
    HWY_DYNAMIC_DISPATCH(bf16_by_bits)(row, reply, kept);
  }
}

}  // namespace dropcheck::impl::fast
#endif  // HWY_ONCE
