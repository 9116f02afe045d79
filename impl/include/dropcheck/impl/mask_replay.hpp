#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "dropcheck/impl/mask_recipe.hpp"

namespace dropcheck::impl {

class ReplayWords;

/// Recomputes the masks that a recipe gives after a reseed, call after call.
///
/// MT19937, Philox and the comparison use the widest vectors that the processor
/// has. Throws std::invalid_argument for a recipe that is not possible.
class MaskReplay {
 public:
  MaskReplay(const MaskRecipe& recipe, double drop, std::uint64_t seed);
  /// ... that keeps by other values of k than the recipe says.
  MaskReplay(const MaskRecipe& recipe, KeptRange range, std::uint64_t seed);
  ~MaskReplay();
  MaskReplay(MaskReplay&&) noexcept;
  MaskReplay& operator=(MaskReplay&&) noexcept;

  /// The next call's mask: 1 for a unit that is kept, the lowest bit first, in
  /// ceil(units / 64) words with zeros past the end.
  void next(std::size_t units, std::uint64_t* kept);

  /// The next call's values k, where the generator gives words.
  std::vector<std::uint64_t> next_values(std::size_t units);

 private:
  void begin_call(std::size_t units);
  void next_planes(std::size_t units, std::uint64_t* kept);
  const std::uint64_t* groups_from(std::uint64_t first, std::size_t groups);

  MaskRecipe recipe_;
  KeptRange range_;
  std::uint64_t seed_;
  std::uint64_t key_;  // Threefry: of the calls to come
  std::uint64_t calls_ = 0;
  std::uint64_t decided_ = 0;          // kPhiloxPlanes
  std::vector<std::uint64_t> planes_;  ///< of groups from first_plane_ on
  std::uint64_t first_plane_ = 0;
  std::unique_ptr<ReplayWords> words_;
};

}  // namespace dropcheck::impl
