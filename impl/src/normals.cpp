// Compiled once per instruction set by Highway; the best one is chosen when
// the program runs. Products are never fused with sums, so that all sets give
// the same bits.

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "normals.cpp"
#include "normals.hpp"

#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include <bit>
#include <cmath>
#include <numbers>

#include "normal_constants.hpp"

HWY_BEFORE_NAMESPACE();
namespace dropcheck::impl::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

#if HWY_TARGET == HWY_SCALAR || HWY_TARGET == HWY_EMU128

void doubles_of(const std::uint64_t* words, std::size_t pairs,
                double* numbers) {
  normals_of_words_plainly(words, pairs, numbers);
}

void floats_of(const std::uint64_t* words, std::size_t count, float* cosines,
               float* sines) {
  normals_of_words_plainly(words, count, cosines, sines);
}

#else

template <class T>
using Numbers = hn::CappedTag<T, 64 / sizeof(T)>;
template <class T>
using Vector = hn::Vec<Numbers<T>>;
template <class T>
using BitsTag = hn::RebindToUnsigned<Numbers<T>>;
template <class T>
using BitsVector = hn::Vec<BitsTag<T>>;

/// c[0] + c[1] x + ...
template <class T, std::size_t kCount>
HWY_INLINE Vector<T> polynomial(const T (&c)[kCount], Vector<T> x) {
  const Numbers<T> d;
  Vector<T> sum = hn::Set(d, c[kCount - 1]);
  for (std::size_t i = kCount - 1; i-- > 0;) {
    sum = hn::Add(hn::Set(d, c[i]), hn::Mul(x, sum));
  }
  return sum;
}

/// ln u of positive normal numbers.
template <class T>
HWY_INLINE Vector<T> logarithm(Vector<T> u) {
  using C = NormalConstants<T>;
  const Numbers<T> d;
  const BitsTag<T> b;
  const auto shifted =
      hn::Add(hn::BitCast(b, u), hn::Set(b, C::kOne - C::kRootOfHalf));
  const auto biased = hn::ShiftRight<C::kFractionBits>(shifted);
  const auto fraction = hn::And(
      shifted, hn::Set(b, (typename C::Bits{1} << C::kFractionBits) - 1));
  const auto m = hn::BitCast(d, hn::Add(fraction, hn::Set(b, C::kRootOfHalf)));
  // The exponent, as an integer in the lowest bits of a number.
  const auto rounder = hn::BitCast(b, hn::Set(d, C::kRounder));
  const auto bias = hn::Set(b, C::kOne >> C::kFractionBits);
  const auto k =
      hn::Sub(hn::BitCast(d, hn::Add(rounder, hn::Sub(biased, bias))),
              hn::Set(d, C::kRounder));
  const auto f = hn::Sub(m, hn::Set(d, T{1}));
  const auto s = hn::Div(f, hn::Add(hn::Set(d, T{2}), f));
  const auto z = hn::Mul(s, s);
  const auto rest = hn::Mul(z, polynomial<T>(C::kLog, z));
  const auto half = hn::Mul(hn::Set(d, T{0.5}), hn::Mul(f, f));
  const auto low = hn::Add(hn::Mul(s, hn::Add(half, rest)),
                           hn::Mul(k, hn::Set(d, C::kLog2Low)));
  return hn::Add(hn::Add(hn::Sub(low, half), f),
                 hn::Mul(k, hn::Set(d, C::kLog2High)));
}

template <class T>
struct Point {
  Vector<T> sine;
  Vector<T> cosine;
};

/// Of 2 pi a, for |a| <= 1.
template <class T>
HWY_INLINE Point<T> on_circle(Vector<T> a) {
  using C = NormalConstants<T>;
  const Numbers<T> d;
  const BitsTag<T> b;
  const auto rounder = hn::Set(d, C::kRounder);
  const auto rounded = hn::Add(hn::Mul(hn::Set(d, T{4}), a), rounder);
  const auto quarters = hn::Sub(rounded, rounder);
  const auto y = hn::Mul(hn::Sub(a, hn::Mul(quarters, hn::Set(d, T{0.25}))),
                         hn::Set(d, 2 * std::numbers::pi_v<T>));
  const auto z = hn::Mul(y, y);
  const auto sine =
      hn::Add(y, hn::Mul(hn::Mul(y, z), polynomial<T>(C::kSine, z)));
  const auto cosine =
      hn::Add(hn::Sub(hn::Set(d, T{1}), hn::Mul(hn::Set(d, T{0.5}), z)),
              hn::Mul(hn::Mul(z, z), polynomial<T>(C::kCosine, z)));
  // By the quarter of the circle they change places and signs.
  const auto quarter = hn::BitCast(b, rounded);
  const auto one = hn::Set(b, typename C::Bits{1});
  const auto odd = hn::MaskFromVec(
      hn::BitCast(d, hn::VecFromMask(b, hn::Eq(hn::And(quarter, one), one))));
  constexpr int kToSign = static_cast<int>(8 * sizeof(T)) - 2;
  const auto two = hn::Set(b, typename C::Bits{2});
  const auto sine_sign =
      hn::BitCast(d, hn::ShiftLeft<kToSign>(hn::And(quarter, two)));
  const auto cosine_sign = hn::BitCast(
      d, hn::ShiftLeft<kToSign>(hn::And(hn::Add(quarter, one), two)));
  return {hn::Xor(hn::IfThenElse(odd, cosine, sine), sine_sign),
          hn::Xor(hn::IfThenElse(odd, sine, cosine), cosine_sign)};
}

template <class T>
HWY_INLINE Vector<T> radius_of(Vector<T> u) {
  const Numbers<T> d;
  const auto square = hn::Mul(hn::Set(d, T{-2}), logarithm<T>(u));
  return hn::Sqrt(hn::Max(square, hn::Zero(d)));
}

/// (w + 1/2) / 2^64, w signed or not: both halves are exact, and their sum is
/// rounded once.
template <bool kSigned>
HWY_INLINE Vector<double> unit_double(BitsVector<double> words) {
  const Numbers<double> d;
  const BitsTag<double> b;
  const std::uint64_t high_bits =
      std::bit_cast<std::uint64_t>(0x1p84) | (kSigned ? 0x80000000U : 0U);
  const auto high =
      hn::BitCast(d, hn::Xor(hn::ShiftRight<32>(words), hn::Set(b, high_bits)));
  const auto low = hn::BitCast(
      d, hn::Or(hn::And(words, hn::Set(b, std::uint64_t{0xffffffff})),
                hn::Set(b, std::bit_cast<std::uint64_t>(0x1p52))));
  const double offset = kSigned ? 0x1p84 + 0x1p63 : 0x1p84;
  const auto w = hn::Add(hn::Sub(high, hn::Set(d, offset)),
                         hn::Sub(low, hn::Set(d, 0x1p52)));
  return hn::Add(hn::Mul(w, hn::Set(d, 0x1p-64)), hn::Set(d, 0x1p-65));
}

/// (w + 1/2) / 2^32.
HWY_INLINE Vector<float> unit_float(BitsVector<float> words) {
  const Numbers<float> d;
  const hn::RebindToSigned<Numbers<float>> i;
  const BitsTag<float> b;
  const auto high = hn::ConvertTo(d, hn::BitCast(i, hn::ShiftRight<16>(words)));
  const auto low =
      hn::ConvertTo(d, hn::BitCast(i, hn::And(words, hn::Set(b, 0xffffU))));
  const auto w = hn::Add(hn::Mul(high, hn::Set(d, 0x1p16F)), low);
  return hn::Mul(hn::Add(w, hn::Set(d, 0.5F)), hn::Set(d, 0x1p-32F));
}

void doubles_of(const std::uint64_t* words, std::size_t pairs,
                double* numbers) {
  const Numbers<double> d;
  const BitsTag<double> b;
  std::size_t i = 0;
  for (; i + hn::Lanes(d) <= pairs; i += hn::Lanes(d)) {
    BitsVector<double> angles;
    BitsVector<double> radii;
    hn::LoadInterleaved2(b, words + 2 * i, angles, radii);
    const auto point = on_circle<double>(unit_double<true>(angles));
    const auto radius = radius_of<double>(unit_double<false>(radii));
    hn::StoreInterleaved2(hn::Mul(radius, point.sine),
                          hn::Mul(radius, point.cosine), d, numbers + 2 * i);
  }
  normals_of_words_plainly(words + 2 * i, pairs - i, numbers + 2 * i);
}

void floats_of(const std::uint64_t* words, std::size_t count, float* cosines,
               float* sines) {
  const Numbers<float> d;
  const BitsTag<float> b;
  std::size_t i = 0;
  for (; i + hn::Lanes(d) <= count; i += hn::Lanes(d)) {
    BitsVector<float> low;
    BitsVector<float> high;
    hn::LoadInterleaved2(b, reinterpret_cast<const std::uint32_t*>(words + i),
                         low, high);
    const auto point = on_circle<float>(unit_float(high));
    const auto radius = radius_of<float>(unit_float(low));
    hn::StoreU(hn::Mul(radius, point.cosine), d, cosines + i);
    hn::StoreU(hn::Mul(radius, point.sine), d, sines + i);
  }
  normals_of_words_plainly(words + i, count - i, cosines + i, sines + i);
}

#endif

}  // namespace dropcheck::impl::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace dropcheck::impl {
namespace {

HWY_EXPORT(doubles_of);
HWY_EXPORT(floats_of);

template <class T, std::size_t kCount>
T polynomial(const T (&c)[kCount], T x) {
  T sum = c[kCount - 1];
  for (std::size_t i = kCount - 1; i-- > 0;) sum = c[i] + x * sum;
  return sum;
}

template <class T>
T logarithm(T u) {
  using C = NormalConstants<T>;
  using Bits = typename C::Bits;
  const Bits shifted = std::bit_cast<Bits>(u) + (C::kOne - C::kRootOfHalf);
  const Bits biased = shifted >> C::kFractionBits;
  const Bits fraction = shifted & ((Bits{1} << C::kFractionBits) - 1);
  const T m = std::bit_cast<T>(fraction + C::kRootOfHalf);
  const auto k = static_cast<T>(static_cast<int>(biased) -
                                static_cast<int>(C::kOne >> C::kFractionBits));
  const T f = m - 1;
  const T s = f / (2 + f);
  const T z = s * s;
  const T rest = z * polynomial(C::kLog, z);
  const T half = T{0.5} * (f * f);
  const T low = s * (half + rest) + k * C::kLog2Low;
  return ((low - half) + f) + k * C::kLog2High;
}

template <class T>
struct Point {
  T sine;
  T cosine;
};

template <class T>
Point<T> on_circle(T a) {
  using C = NormalConstants<T>;
  const T rounded = 4 * a + C::kRounder;
  const T quarters = rounded - C::kRounder;
  const T y = (a - quarters * T{0.25}) * (2 * std::numbers::pi_v<T>);
  const T z = y * y;
  const T sine = y + (y * z) * polynomial(C::kSine, z);
  const T cosine = (1 - T{0.5} * z) + (z * z) * polynomial(C::kCosine, z);
  switch (std::bit_cast<typename C::Bits>(rounded) % 4) {
    case 0:
      return {sine, cosine};
    case 1:
      return {cosine, -sine};
    case 2:
      return {-sine, -cosine};
    default:
      return {-cosine, sine};
  }
}

template <class T>
T radius_of(T u) {
  const T square = -2 * logarithm(u);
  return std::sqrt(square > 0 ? square : T{0});
}

float unit_float(std::uint64_t bits) {
  return (static_cast<float>(bits & 0xffffffffU) + 0.5F) * 0x1p-32F;
}

}  // namespace

void normals_of_words(const std::uint64_t* words, std::size_t pairs,
                      double* numbers) {
  HWY_DYNAMIC_DISPATCH(doubles_of)(words, pairs, numbers);
}

void normals_of_words(const std::uint64_t* words, std::size_t count,
                      float* cosines, float* sines) {
  HWY_DYNAMIC_DISPATCH(floats_of)(words, count, cosines, sines);
}

void normals_of_words_plainly(const std::uint64_t* words, std::size_t pairs,
                              double* numbers) {
  for (std::size_t i = 0; i < pairs; ++i) {
    const auto angle =
        static_cast<double>(static_cast<std::int64_t>(words[2 * i]));
    const auto w = static_cast<double>(words[2 * i + 1]);
    const Point<double> point = on_circle(angle * 0x1p-64 + 0x1p-65);
    const double radius = radius_of(w * 0x1p-64 + 0x1p-65);
    numbers[2 * i] = radius * point.sine;
    numbers[2 * i + 1] = radius * point.cosine;
  }
}

void normals_of_words_plainly(const std::uint64_t* words, std::size_t count,
                              float* cosines, float* sines) {
  for (std::size_t i = 0; i < count; ++i) {
    const Point<float> point = on_circle(unit_float(words[i] >> 32U));
    const float radius = radius_of(unit_float(words[i]));
    cosines[i] = radius * point.cosine;
    sines[i] = radius * point.sine;
  }
}

}  // namespace dropcheck::impl
#endif  // HWY_ONCE
