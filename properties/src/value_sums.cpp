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
#include <numeric>
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

#if HWY_TARGET != HWY_SCALAR && HWY_TARGET != HWY_EMU128

// How values become doubles; each step is exact.
struct FromDouble {
  using Element = double;
  using Bits = std::uint64_t;
  static HWY_INLINE Vector load(const double* from) {
    return hn::LoadU(Doubles(), from);
  }
};

struct FromFloat {
  using Element = float;
  using Bits = std::uint32_t;
  static HWY_INLINE Vector load(const float* from) {
    const hn::Rebind<float, Doubles> d;
    return hn::PromoteTo(Doubles(), hn::LoadU(d, from));
  }
};

template <class Narrow>
struct From16 {
  using Element = std::uint16_t;
  using Bits = std::uint16_t;
  static HWY_INLINE Vector load(const std::uint16_t* from) {
    const hn::Rebind<float, Doubles> d;
    const hn::Rebind<std::uint16_t, Doubles> bits;
    const hn::Rebind<Narrow, Doubles> narrow;
    const auto values = hn::BitCast(narrow, hn::LoadU(bits, from));
    return hn::PromoteTo(Doubles(), hn::PromoteTo(d, values));
  }
};

/// The sums of the powers 1 to 4, side by side.
struct Powers {
  HWY_ALIGN double of[4][kSums];
};

/// The sums that one vector's lanes take.
struct Lanes {
  HWY_INLINE Lanes(const Powers& powers, std::size_t at)
      : first(hn::Load(Doubles(), powers.of[0] + at)),
        second(hn::Load(Doubles(), powers.of[1] + at)),
        third(hn::Load(Doubles(), powers.of[2] + at)),
        fourth(hn::Load(Doubles(), powers.of[3] + at)) {}

  HWY_INLINE void store(Powers& powers, std::size_t at) const {
    hn::Store(first, Doubles(), powers.of[0] + at);
    hn::Store(second, Doubles(), powers.of[1] + at);
    hn::Store(third, Doubles(), powers.of[2] + at);
    hn::Store(fourth, Doubles(), powers.of[3] + at);
  }

  HWY_INLINE void add(Vector off) {
    const Vector square = hn::Mul(off, off);
    first = hn::Add(first, off);
    second = hn::Add(second, square);
    third = hn::Add(third, hn::Mul(square, off));
    fourth = hn::Add(fourth, hn::Mul(square, square));
  }

  Vector first;
  Vector second;
  Vector third;
  Vector fourth;
};

/// Values that are 0 but for the sign, of whole rounds. At most 2^15: the
/// counts of 16-bit lanes would run over.
template <class Bits>
HWY_INLINE std::uint64_t zeros_of(const Bits* from, std::size_t rounds) {
  const hn::CappedTag<Bits, kSums> d;
  const auto magnitude =
      hn::Set(d, static_cast<Bits>(static_cast<Bits>(~Bits{0}) >> 1U));
  const auto one = hn::Set(d, Bits{1});
  auto counts = hn::Zero(d);
  for (std::size_t i = 0; i < rounds * kSums; i += hn::Lanes(d)) {
    const auto bits = hn::And(hn::LoadU(d, from + i), magnitude);
    const auto zero = hn::Eq(bits, hn::Zero(d));
    counts = hn::IfThenElse(zero, hn::Add(counts, one), counts);
  }
  HWY_ALIGN Bits of[kSums];
  hn::Store(counts, d, of);
  return std::accumulate(of, of + hn::Lanes(d), std::uint64_t{0});
}

/// Two vectors at a time: one alone would wait for its sums. `kMoved`: by a
/// centre that is not 0.
template <class From, bool kMoved>
HWY_INLINE void add_powers(const typename From::Element* from,
                           std::size_t rounds, double centre, Powers& powers) {
  constexpr std::size_t kWidth = hn::MaxLanes(Doubles());
  const Vector middle = hn::Set(Doubles(), centre);
  const auto off = [middle](const typename From::Element* at) HWY_ATTR {
    const Vector value = From::load(at);
    return kMoved ? hn::Sub(value, middle) : value;
  };
  for (std::size_t at = 0; at < kSums; at += 2 * kWidth) {
    Lanes one(powers, at);
    Lanes other(powers, at + kWidth);
    const auto* next = from + at;
    for (std::size_t i = 0; i < rounds; ++i, next += kSums) {
      one.add(off(next));
      other.add(off(next + kWidth));
    }
    one.store(powers, at);
    other.store(powers, at + kWidth);
  }
}

template <class From>
void add_rounds(const void* values, std::size_t rounds, double centre,
                PowerSums* sums) {
  constexpr std::size_t kAtATime = 128;  // what stays in the nearest cache
  const auto* from = static_cast<const typename From::Element*>(values);
  Powers powers{};
  std::uint64_t zeros = 0;
  for (std::size_t done = 0; done < rounds; done += kAtATime) {
    const std::size_t part = std::min(kAtATime, rounds - done);
    if (centre == 0) {
      add_powers<From, false>(from, part, centre, powers);
    } else {
      add_powers<From, true>(from, part, centre, powers);
    }
    zeros += zeros_of(reinterpret_cast<const typename From::Bits*>(from), part);
    from += part * kSums;
  }
  for (std::size_t i = 0; i < kSums; ++i) {
    sums[i] = {rounds,          0,
               powers.of[0][i], powers.of[1][i],
               powers.of[2][i], powers.of[3][i]};
  }
  sums[0].zeros = zeros;
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
