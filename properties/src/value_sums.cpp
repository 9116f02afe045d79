// Compiled once per instruction set by Highway; the best one is chosen when
// the program runs.

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "value_sums.cpp"
#include "value_sums.hpp"

#include <hwy/foreach_target.h>
#include <hwy/highway.h>
#include <tbb/parallel_for.h>
#include <tbb/task_arena.h>

#include <algorithm>
#include <array>
#include <vector>

#ifndef DROPCHECK_VALUE_SUMS_ONCE
#define DROPCHECK_VALUE_SUMS_ONCE
namespace dropcheck::properties {

/// Sums that are taken side by side, whatever a vector's width is.
constexpr std::size_t kSums = 16;

/// Adds value i to sum i % 16, one by one.
void plain_sums(impl::DType dtype, const void* values, std::size_t count,
                double centre, PowerSums* sums);

}  // namespace dropcheck::properties
#endif

HWY_BEFORE_NAMESPACE();
namespace dropcheck::properties::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using Doubles = hn::CappedTag<double, 8>;
using Vector = hn::Vec<Doubles>;
using Counts = hn::Rebind<std::int64_t, Doubles>;

#if HWY_TARGET != HWY_SCALAR && HWY_TARGET != HWY_EMU128

// How values become doubles; each step is exact.
struct FromDouble {
  using Element = double;
  static HWY_INLINE Vector load(const double* from) {
    return hn::LoadU(Doubles(), from);
  }
};

struct FromFloat {
  using Element = float;
  static HWY_INLINE Vector load(const float* from) {
    const hn::Rebind<float, Doubles> d;
    return hn::PromoteTo(Doubles(), hn::LoadU(d, from));
  }
};

template <class Narrow>
struct From16 {
  using Element = std::uint16_t;
  static HWY_INLINE Vector load(const std::uint16_t* from) {
    const hn::Rebind<float, Doubles> d;
    const hn::Rebind<std::uint16_t, Doubles> bits;
    const hn::Rebind<Narrow, Doubles> narrow;
    const auto values = hn::BitCast(narrow, hn::LoadU(bits, from));
    return hn::PromoteTo(Doubles(), hn::PromoteTo(d, values));
  }
};

/// The sums that one vector's lanes take.
struct Lanes {
  Vector first;
  Vector second;
  Vector third;
  Vector fourth;
  hn::Vec<Counts> zeros;

  HWY_INLINE void add(Vector value, Vector centre) {
    const Doubles d;
    const Vector off = hn::Sub(value, centre);
    const Vector square = hn::Mul(off, off);
    first = hn::Add(first, off);
    second = hn::Add(second, square);
    third = hn::Add(third, hn::Mul(square, off));
    fourth = hn::Add(fourth, hn::Mul(square, square));
    const auto zero = hn::Eq(value, hn::Zero(d));
    // A set mask lane is -1.
    zeros = hn::Sub(zeros, hn::BitCast(Counts(), hn::VecFromMask(d, zero)));
  }
};

template <class From>
void add_rounds(const void* values, std::size_t rounds, double centre,
                PowerSums* sums) {
  const Doubles d;
  constexpr std::size_t kWidth = hn::MaxLanes(Doubles());
  constexpr std::size_t kVectors = kSums / kWidth;
  const auto* from = static_cast<const typename From::Element*>(values);
  const Vector middle = hn::Set(d, centre);
  for (std::size_t v = 0; v < kVectors; ++v) {
    const Vector none = hn::Zero(d);
    Lanes lanes{none, none, none, none, hn::Zero(Counts())};
    for (std::size_t i = 0; i < rounds; ++i) {
      lanes.add(From::load(from + i * kSums + v * kWidth), middle);
    }
    HWY_ALIGN double of[4][kWidth];
    HWY_ALIGN std::int64_t zeros[kWidth];
    hn::Store(lanes.first, d, of[0]);
    hn::Store(lanes.second, d, of[1]);
    hn::Store(lanes.third, d, of[2]);
    hn::Store(lanes.fourth, d, of[3]);
    hn::Store(lanes.zeros, Counts(), zeros);
    for (std::size_t j = 0; j < kWidth; ++j) {
      sums[v * kWidth + j] = {rounds,   static_cast<std::uint64_t>(zeros[j]),
                              of[0][j], of[1][j],
                              of[2][j], of[3][j]};
    }
  }
}

/// The first `rounds` * 16 values.
void sums_of_rounds(impl::DType dtype, const void* values, std::size_t rounds,
                    double centre, PowerSums* sums) {
  switch (dtype) {
    case impl::DType::kFloat64:
      return add_rounds<FromDouble>(values, rounds, centre, sums);
    case impl::DType::kFloat32:
      return add_rounds<FromFloat>(values, rounds, centre, sums);
    case impl::DType::kFloat16:
      return add_rounds<From16<hwy::float16_t>>(values, rounds, centre, sums);
    case impl::DType::kBFloat16:
      return add_rounds<From16<hwy::bfloat16_t>>(values, rounds, centre, sums);
  }
}

#else

// Without vectors there is the plain way only.
void sums_of_rounds(impl::DType dtype, const void* values, std::size_t rounds,
                    double centre, PowerSums* sums) {
  plain_sums(dtype, values, rounds * kSums, centre, sums);
}

#endif

}  // namespace dropcheck::properties::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace dropcheck::properties {

HWY_EXPORT(sums_of_rounds);

void plain_sums(impl::DType dtype, const void* values, std::size_t count,
                double centre, PowerSums* sums) {
  const auto* element = static_cast<const std::byte*>(values);
  for (std::size_t i = 0; i < count; ++i) {
    const double value = impl::load(element, dtype);
    element += impl::size_of(dtype);
    PowerSums& sum = sums[i % kSums];
    const double off = value - centre;
    const double square = off * off;
    ++sum.n;
    sum.zeros += value == 0 ? 1 : 0;
    sum.first += off;
    sum.second += square;
    sum.third += square * off;
    sum.fourth += square * square;
  }
}

namespace {

using AllSums = std::array<PowerSums, kSums>;

PowerSums total_of(const AllSums& sums) {
  PowerSums total;
  for (const PowerSums& sum : sums) {
    total.n += sum.n;
    total.zeros += sum.zeros;
    total.first += sum.first;
    total.second += sum.second;
    total.third += sum.third;
    total.fourth += sum.fourth;
  }
  return total;
}

/// Moments about the mean, from sums about a centre.
ValueMoments moments_of(const PowerSums& sums, double centre) {
  if (sums.n == 0) return {};
  const auto n = static_cast<double>(sums.n);
  const double a = sums.first / n;
  ValueMoments result;
  result.zeros = sums.zeros;
  result.moments = {
      .n = n,
      .mean = centre + a,
      .m2 = sums.second - a * sums.first,
      .m3 = sums.third - 3 * a * sums.second + 2 * a * a * sums.first,
      .m4 = sums.fourth - 4 * a * sums.third + 6 * a * a * sums.second -
            3 * a * a * a * sums.first};
  return result;
}

/// Values whose sums are taken at once; the next ones are merged with them.
constexpr std::size_t kBlock = std::size_t{1} << 16;

}  // namespace

PowerSums power_sums(impl::DType dtype, const void* values, std::size_t count,
                     double centre) {
  AllSums sums{};
  const std::size_t rounds = count / kSums;
  HWY_DYNAMIC_DISPATCH(sums_of_rounds)
  (dtype, values, rounds, centre, sums.data());
  plain_sums(dtype,
             static_cast<const std::byte*>(values) +
                 rounds * kSums * impl::size_of(dtype),
             count % kSums, centre, sums.data());
  return total_of(sums);
}

PowerSums power_sums_plainly(impl::DType dtype, const void* values,
                             std::size_t count, double centre) {
  AllSums sums{};
  plain_sums(dtype, values, count, centre, sums.data());
  return total_of(sums);
}

ValueMoments value_moments(impl::DType dtype, const void* values,
                           std::size_t count, double centre) {
  const std::size_t blocks = (count + kBlock - 1) / kBlock;
  std::vector<ValueMoments> parts(blocks);
  const auto take = [&](std::size_t block) {
    const std::size_t begin = block * kBlock;
    parts[block] =
        moments_of(power_sums(dtype,
                              static_cast<const std::byte*>(values) +
                                  begin * impl::size_of(dtype),
                              std::min(kBlock, count - begin), centre),
                   centre);
  };
  if (blocks < 2) {
    for (std::size_t block = 0; block < blocks; ++block) take(block);
  } else {
    // Isolated: a thread that waits here must not begin other work.
    tbb::this_task_arena::isolate(
        [&] { tbb::parallel_for(std::size_t{0}, blocks, take); });
  }
  ValueMoments all;
  for (const ValueMoments& part : parts) {
    all.moments.merge(part.moments);
    all.zeros += part.zeros;
  }
  return all;
}

}  // namespace dropcheck::properties
#endif  // HWY_ONCE
