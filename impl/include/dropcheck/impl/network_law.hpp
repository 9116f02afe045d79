#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string_view>

namespace dropcheck::impl {

/// How the drop rate of a block follows from the rate that is asked for.
enum class Schedule {
  kConstant,  ///< every block drops at the rate
  kLinear,    ///< block i of L, counted from 0, at rate * i / (L - 1)
};

/// A shape of at most four axes as a constant.
class Extents {
 public:
  constexpr Extents() = default;
  constexpr Extents(std::initializer_list<std::int64_t> extents) {
    for (const std::int64_t extent : extents) values_.at(rank_++) = extent;
  }

  constexpr std::size_t size() const { return rank_; }
  constexpr const std::int64_t* begin() const { return values_.data(); }
  constexpr const std::int64_t* end() const { return begin() + rank_; }
  constexpr std::int64_t operator[](std::size_t axis) const {
    return values_[axis];
  }
  constexpr std::int64_t& back() { return values_[rank_ - 1]; }
  bool operator==(const Extents&) const = default;

 private:
  std::array<std::int64_t, 4> values_{};
  std::size_t rank_ = 0;
};

/// The contract of a network: where drop layers stand, and at which rates.
///
/// A network is a row of blocks, each with the same branches. On every branch
/// stands a drop layer, and there the network offers a tap (h, branch(h), out):
/// out = h + layer(branch(h)) where `residual`, else out = layer(branch(h)).
/// Every drop layer draws for itself: no decision depends on another one.
struct NetworkLaw {
  std::string_view drop_layer;  ///< law of the layer on every branch
  int blocks = 1;
  /// Names of the branches of a block, in order; one tap each.
  std::span<const std::string_view> branches;
  bool residual = false;
  Schedule schedule = Schedule::kConstant;
  Extents sample;           ///< shape of an input, without batch
  Extents tap;              ///< shape of a tap, without batch
  std::int64_t batch = 32;  ///< samples in a call of the oracle
  int heads = 0;            ///< of its attention; 0: it has none
  /// Freshly initialised by every seed, it keeps mean 0 and mean square 1 of a
  /// normal input at every tap.
  bool keeps_moments = false;

  std::size_t taps() const {
    return static_cast<std::size_t>(blocks) * branches.size();
  }
  int block_of(std::size_t index) const {
    return static_cast<int>(index / branches.size());
  }
};

/// What a schedule says for a block, from 0; `rate` for a single block.
double scheduled_rate(const NetworkLaw& law, double rate, int block);

}  // namespace dropcheck::impl
