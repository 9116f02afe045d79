#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "dropcheck/impl/mask_recipe.hpp"

namespace dropcheck::properties {

/// A call whose mask is not the one that the recipe gives. Masks have 1 for a
/// unit that is kept, the lowest bit first, and zeros past the end.
struct ReplayMismatch {
  std::uint64_t seed = 0;
  std::size_t call = 0;  ///< after the reseed, from 0
  std::size_t units = 0;
  std::vector<std::uint64_t> observed;
  std::vector<std::uint64_t> expected;

  std::size_t first() const;  ///< unit that differs
  std::size_t count() const;  ///< of units that differ
};

/// The possible recipes that differ from one in a single part.
std::vector<impl::MaskRecipe> neighbours(const impl::MaskRecipe& recipe);

/// What is wrong, as the end of a sentence that names the first difference:
/// ": every call begins anew", or nothing.
std::string cause_of_mismatch(const impl::MaskRecipe& recipe, double drop,
                              const ReplayMismatch& mismatch);

}  // namespace dropcheck::properties
