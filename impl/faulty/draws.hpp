#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>

#include "faulty/fault.hpp"

namespace dropcheck::impl::faulty {

// Small pieces that wrong masks are made of.

inline double keep_of(const Draw& draw) { return 1 - draw.drop; }

/// A drop probability pushed back into [0, 1].
inline double clamped(double drop) { return std::clamp(drop, 0.0, 1.0); }

/// Uniform on [0, 1), 53 bits.
inline double uniform(std::uint64_t word) {
  return std::ldexp(static_cast<double>(word >> 11U), -53);
}

/// A right decision for the probability `drop`.
inline std::uint8_t decide(double drop, std::uint64_t word) {
  return Probability::from_drop(clamped(drop)).keeps(word) ? 1 : 0;
}

/// Fills the mask as it should be, from any stream.
inline void draw_right(const Draw& draw, RandomStream& stream) {
  const auto probability = Probability::from_drop(draw.drop);
  for (std::uint8_t& kept : draw.mask.kept) {
    kept = probability.keeps(stream.next()) ? 1 : 0;
  }
}

inline void draw_right(const Draw& draw) { draw_right(draw, draw.stream); }

/// A fault that keeps a unit by `keeps(keep, word)` instead of the right rule.
template <class Keeps>
Fault keeps_if(Keeps keeps) {
  return {.draw = [keeps](const Draw& draw) {
    for (std::uint8_t& kept : draw.mask.kept) {
      kept = keeps(keep_of(draw), draw.stream.next()) ? 1 : 0;
    }
  }};
}

/// A fault that decides unit i with the drop probability `drop(draw, i)`.
template <class Drop>
Fault drops_with(Drop drop) {
  return {.draw = [drop](const Draw& draw) {
    for (std::size_t i = 0; i < draw.mask.kept.size(); ++i) {
      draw.mask.kept[i] = decide(drop(draw, i), draw.stream.next());
    }
  }};
}

/// A fault that changes a right mask afterwards.
template <class Change>
Fault then(Change change) {
  return {.draw = [change](const Draw& draw) {
    draw_right(draw);
    change(draw);
  }};
}

/// Half the room that a rate has on both sides.
inline double half_room(double drop) { return std::min(drop, 1 - drop) / 2; }

/// Drops a fixed number of the units [first, last), all choices equally likely.
inline void drop_exactly(const Draw& draw, std::size_t first,
                         std::size_t last) {
  const auto length = static_cast<double>(last - first);
  // Rounded up or down at random, so that the rate is right on average.
  double missing = std::floor(length * draw.drop + uniform(draw.stream.next()));
  for (std::size_t i = first; i < last; ++i) {
    const auto left = static_cast<double>(last - i);
    const bool drop = uniform(draw.stream.next()) * left < missing;
    draw.mask.kept[i] = drop ? 0 : 1;
    missing -= drop ? 1 : 0;
  }
}

}  // namespace dropcheck::impl::faulty
