#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "context.hpp"
#include "special_values.hpp"

namespace dropcheck::properties {

/// How often each kind was seen.
struct Seen {
  std::uint64_t kept = 0;
  std::uint64_t dropped = 0;
  /// Of those, decisions that do not depend on each other; without reseeding.
  std::uint64_t decisions = 0;
};

/// Calls a layer with special values among ordinary ones, and collects what is
/// wrong with the results.
class SpecialRounds {
 public:
  SpecialRounds(const Context& context, Finding& finding);

  /// One more round; false where something beside specials went wrong, which
  /// `sentence` then says.
  bool reseeded_round(std::uint64_t round);

  /// One more round of a subject whose mask is read from the call itself.
  bool blind_round(std::uint64_t round);

  /// Whether every kind that came was seen kept and dropped.
  bool saw_all() const;

  const std::array<Seen, kSpecials>& seen() const { return seen_; }
  const WrongValues& wrong() const { return wrong_; }
  const std::optional<std::string>& sentence() const { return sentence_; }
  bool open() const { return open_; }
  /// Whether y / x is another one in every call, and there is no seed to see
  /// it.
  bool unknown() const { return unknown_; }

 private:
  void put(std::uint64_t round);

  impl::Tensor call(const impl::Tensor& input);

  impl::Tensor call_after(std::uint64_t seed, const impl::Tensor& input);

  bool is_ordinary(std::int64_t i) const;

  Special kind_at(std::int64_t i) const;

  std::uint32_t unit_of(std::int64_t i);

  /// An ordinary number that specials elsewhere change.
  std::optional<std::int64_t> first_strange(const impl::Tensor& plain,
                                            const impl::Tensor& special) const;

  void blame(std::int64_t i, const impl::Tensor& plain,
             const impl::Tensor& special, bool repeats);

  void note(Wrong wrong, std::int64_t i, double y);

  void judge(std::int64_t i, bool dropped, double plain, double y);

  /// By any factor: NaN stays NaN, infinity infinite, 0 is 0, unless dropped.
  Wrong judge_unknown(double x, double y) const;

  /// Wrong only if it is neither what a kept nor what a dropped value becomes.
  void judge_blind(std::int64_t i, double y);

  const Context& context_;
  Finding& finding_;
  Answering answering_;
  const impl::Tensor& base_;
  std::uint64_t key_;
  std::unique_ptr<impl::Layer> layer_;
  std::unique_ptr<impl::Layer> evaluator_;
  bool noise_ = false;
  bool factors_ = false;  ///< y / x is another one in every call
  bool unknown_ = false;  ///< and not known, for want of a seed
  impl::Tensor input_;
  impl::Tensor special_base_;
  std::vector<std::uint32_t> units_;
  std::array<Seen, kSpecials> seen_{};
  WrongValues wrong_{};
  std::optional<std::string> sentence_;
  bool open_ = false;
};

}  // namespace dropcheck::properties
