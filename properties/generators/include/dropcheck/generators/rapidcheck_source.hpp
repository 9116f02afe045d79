#pragma once

#include "dropcheck/properties/config_source.hpp"

namespace dropcheck::generators {

/// Draws by `cases`, each case by a RapidCheck key of its own, which
/// Threefry4x64-20 makes from the seed and the number of the case.
class RapidCheckSource final : public properties::ConfigSource {
 public:
  std::vector<properties::DrawnCase> draw(const properties::CaseWish& wish,
                                          std::uint64_t seed,
                                          std::size_t count) const override;
};

}  // namespace dropcheck::generators
