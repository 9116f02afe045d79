#pragma once

#include <cstdint>
#include <numbers>

namespace dropcheck::impl {

/// What logarithm, sine and cosine are computed from in a type: minimax
/// polynomials, the lowest power first, and parts of its format.
///
/// Sources: of f64 fdlibm (e_log.c, k_sin.c, k_cos.c), of f32 its logf and
/// Cephes' sinf.
template <class T>
struct NormalConstants;

template <>
struct NormalConstants<double> {
  using Bits = std::uint64_t;
  static constexpr int kFractionBits = 52;
  static constexpr Bits kOne = 0x3ff0000000000000;
  /// sqrt(1/2), cut: fractions lie between it and sqrt(2).
  static constexpr Bits kRootOfHalf = 0x3fe6a09e00000000;
  /// Adding it rounds to an integer, which stands in the lowest bits.
  static constexpr double kRounder = 0x1.8p52;
  static constexpr double kLog2High = 6.93147180369123816490e-01;
  static constexpr double kLog2Low = 1.90821492927058770002e-10;
  /// Of ln((1 + s) / (1 - s)) = 2 s + s * P(s^2) s^2.
  static constexpr double kLog[] = {
      6.666666666666735130e-01, 3.999999999940941908e-01,
      2.857142874366239149e-01, 2.222219843214978396e-01,
      1.818357216161805012e-01, 1.531383769920937332e-01,
      1.479819860511658591e-01};
  static constexpr double kSine[] = {
      -1.66666666666666324348e-01, 8.33333333332248946124e-03,
      -1.98412698298579493134e-04, 2.75573137070700676789e-06,
      -2.50507602534068634195e-08, 1.58969099521155010221e-10};
  static constexpr double kCosine[] = {
      4.16666666666666019037e-02, -1.38888888888741095749e-03,
      2.48015872894767294178e-05, -2.75573143513906633035e-07,
      2.08757232129817482790e-09, -1.13596475577881948265e-11};
};

template <>
struct NormalConstants<float> {
  using Bits = std::uint32_t;
  static constexpr int kFractionBits = 23;
  static constexpr Bits kOne = 0x3f800000;
  static constexpr Bits kRootOfHalf = 0x3f3504f3;
  static constexpr float kRounder = 0x1.8p23F;
  static constexpr float kLog2High = 6.9313812256e-01F;
  static constexpr float kLog2Low = 9.0580006145e-06F;
  static constexpr float kLog[] = {0xaaaaaa.0p-24F, 0xccce13.0p-25F,
                                   0x91e9ee.0p-25F, 0xf89e26.0p-26F};
  static constexpr float kSine[] = {-1.6666654611e-1F, 8.3321608736e-3F,
                                    -1.9515295891e-4F};
  static constexpr float kCosine[] = {
      4.166664568298827e-2F, -1.388731625493765e-3F, 2.443315711809948e-5F};
};

}  // namespace dropcheck::impl
