#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "dropcheck/impl/law.hpp"
#include "dropcheck/impl/unit_bits.hpp"

namespace dropcheck::properties {

/// Turns drop bits of elements into drop bits of units, and notices a unit
/// whose elements disagree.
class UnitReader {
 public:
  UnitReader(const impl::Law& law, const impl::LayerConfig& config,
             const impl::Shape& output_shape);

  std::int64_t units() const { return units_; }
  std::int64_t elements() const { return elements_; }
  /// impl::kNoUnit for an element of none.
  std::uint32_t unit_of(std::int64_t element) const;

  /// Writes ceil(units / 64) words. Returns an element that disagrees with the
  /// first one of its unit, if there is one; then the unit counts as its first
  /// element does. `torn` is increased by the number of such units (or, on the
  /// general path, of elements).
  std::optional<std::int64_t> read(const std::uint64_t* elements,
                                   std::uint64_t* units,
                                   std::uint64_t& torn) const;

 private:
  void note_elements_of_units();
  /// The usual case, without a search for what disagrees: false where that is
  /// needed.
  bool read_whole(const std::uint64_t* elements, std::uint64_t* units) const;
  std::optional<std::int64_t> read_runs(const std::uint64_t* elements,
                                        std::uint64_t* units,
                                        std::uint64_t& torn) const;
  std::optional<std::int64_t> read_some(const std::uint64_t* elements,
                                        std::uint64_t* units,
                                        std::uint64_t& torn) const;
  std::optional<std::int64_t> read_any(const std::uint64_t* elements,
                                       std::uint64_t* units,
                                       std::uint64_t& torn) const;

  std::int64_t elements_;
  std::int64_t units_;
  std::int64_t run_ = 0;  ///< elements per unit if they are neighbours, else 0
  std::vector<std::uint32_t> unit_of_;  ///< none where `run_` tells it
  /// Elements of units, in order, where others belong to none.
  std::vector<std::uint32_t> some_;
  bool one_each_ = false;  ///< each of them is a unit of its own
  /// Where all elements belong to units.
  std::optional<impl::UnitBits> places_;
};

}  // namespace dropcheck::properties
