#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace dropcheck::properties {

/// Which windows of a sequence are kept, to be found again; fixed before the
/// first decision.
///
/// A kept word stands for the 64 windows that begin in it, at every shift. So a
/// later window need be looked up once a word only, and memory and time stay
/// small however long the sequence is.
struct RepeatPlan {
  std::int64_t window = 0;  ///< decisions, a multiple of 64; 0: no search
  std::int64_t head = 0;    ///< words at the beginning that are all kept
  std::int64_t step = 1;    ///< further on, one word in so many

  /// The search that finds a run of `run` decisions that returns, wherever it
  /// stands and at any distance and shift, and shorter ones that stand among
  /// the first `head`. Its window is so long that independent decisions of
  /// drop probability `p0` make it return with probability exp(-threshold).
  static RepeatPlan make(std::int64_t bits, std::int64_t head, std::int64_t run,
                         double p0, double threshold);

  /// ln of an upper bound of the chance that a window returns among `bits`
  /// independent decisions.
  double log_chance(std::int64_t bits, double p0) const;
};

/// The same run of decisions at two places of a sequence.
struct Repeat {
  std::int64_t earlier = 0;
  std::int64_t later = 0;
};

/// The first number that was put in under each hash.
class HashTable {
 public:
  void put(std::uint64_t hash, std::uint64_t number);
  std::optional<std::uint64_t> find(std::uint64_t hash) const;

  /// Begins to fetch what `put` and `find` will read.
  void prefetch(std::uint64_t hash) const {
    __builtin_prefetch(&places_[hash & (places_.size() - 1)]);
  }

 private:
  struct Place {
    std::uint64_t hash = 0;
    std::uint64_t number = 0;  ///< and 1; 0: nothing yet
  };
  /// Where the hash is, or would be put.
  std::size_t place_of(std::uint64_t hash) const;

  std::vector<Place> places_ = std::vector<Place>(1024);
  std::size_t used_ = 0;
};

/// Looks for a window of decisions that returns further on in one sequence.
///
/// Two windows that are compared never overlap, so independent decisions agree
/// with probability (p^2 + q^2)^window. Windows with less than a quarter of the
/// drops, or of the keeps, that are expected at `p0` are passed over, so that a
/// layer that never drops is not called a repetition.
class RepeatSearch {
 public:
  RepeatSearch(const RepeatPlan& plan, double p0);

  /// The next decisions, 64 a word.
  void add(std::span<const std::uint64_t> words);

  /// The first repeat, in decisions from the beginning.
  const std::optional<Repeat>& found() const { return found_; }

 private:
  void visit(std::int64_t word, std::uint64_t hash);
  void keep(std::int64_t word);
  void look_up(std::int64_t word, std::uint64_t hash);
  bool may_be_kept(std::uint64_t hash) const;
  bool telling(std::int64_t drops) const;
  bool agrees(std::uint64_t kept, const std::uint64_t* words) const;
  const std::uint64_t* at(std::int64_t word) const;

  /// The hash of the window that begins with a word, from that of the window
  /// before it.
  std::uint64_t rolled_hash(std::int64_t word);

  RepeatPlan plan_;
  double p0_;
  std::int64_t window_words_;
  std::uint64_t leaving_;  ///< weight of the first word of a window
  std::uint64_t rolling_ = 0;
  std::int64_t rolled_ = -1;  ///< word whose window that is
  std::int64_t next_ = 0;     ///< word that is visited next
  std::int64_t first_ = 0;    ///< number of the first word of `recent_`
  std::vector<std::uint64_t> recent_;
  /// window_words_ + 1 words for each kept word, and where they stood.
  std::vector<std::uint64_t> kept_words_;
  std::vector<std::int64_t> kept_places_;
  /// From the hash of a window to 64 * (number of the kept word) + shift.
  HashTable windows_;
  /// One bit for each of so many values of a hash: most windows are not kept,
  /// and most of those are told by their bit.
  std::vector<std::uint64_t> filter_;
  std::optional<Repeat> found_;
};

}  // namespace dropcheck::properties
