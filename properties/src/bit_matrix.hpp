#pragma once

#include <cstdint>
#include <vector>

namespace dropcheck::properties {

/// Decisions of many calls by unit: one row of bits a unit, one bit a call, so
/// that two units are compared 64 calls at a time.
class BitMatrix {
 public:
  explicit BitMatrix(std::size_t units);

  /// Appends one call: ceil(units / 64) words, 1 = dropped, zeros past the end.
  void add_call(const std::uint64_t* words);
  /// To be called after the last call and before anything is counted.
  void finish();

  std::size_t units() const { return rows_.size(); }
  std::uint64_t calls() const { return calls_; }
  std::uint64_t drops(std::size_t unit) const;
  /// Calls in which both units were dropped.
  std::uint64_t joint(std::size_t a, std::size_t b) const;

 private:
  void transpose_pending();

  std::vector<std::vector<std::uint64_t>> rows_;
  std::vector<std::uint64_t> pending_;  ///< up to 64 calls
  std::size_t words_per_call_;
  std::uint64_t calls_ = 0;
};

/// Transposes 64 x 64 bits in place: bit j of word i becomes bit i of word j.
void transpose_64(std::uint64_t* words);

}  // namespace dropcheck::properties
