#pragma once

#include <functional>
#include <string_view>

namespace dropcheck::impl::networks {

/// Where a drop layer stands.
struct Place {
  int block;   ///< from 0
  int blocks;  ///< in all
  int branch;  ///< within the block, from 0
};

enum class Join {
  kRight,          ///< h + layer(branch(h))
  kSwapped,        ///< branch(h) + layer(h)
  kAfterAddition,  ///< layer(h + branch(h))
};
enum class Seeds {
  kOwn,             ///< every drop layer has its own stream
  kOneForABlock,    ///< the branches of a block draw the same numbers
  kOneForAll,       ///< all blocks draw the same numbers
  kEveryCallAgain,  ///< every call begins with the seed
};
enum class AtEvaluation { kWhole, kDrops, kScaledByKeep };

/// How a network uses its drop layers. The defaults are right; a wrong network
/// changes one of them, and this is all that it consists of.
struct Wiring {
  /// Drop probability at a place, from the rate asked for; empty: as the law
  /// has it.
  std::function<double(double rate, Place)> rate = {};
  /// What survivors are multiplied by, from the rate asked for and the one at
  /// the place; empty: as the drop layer has it.
  std::function<double(double rate, double here)> scale = {};
  /// Another drop layer than the law's.
  std::string_view drop_layer = {};
  Join join = Join::kRight;
  Seeds seeds = Seeds::kOwn;
  AtEvaluation evaluation = AtEvaluation::kWhole;
  /// Factor on the variance of fresh weights.
  double weight_variance = 1;
};

}  // namespace dropcheck::impl::networks
