#include "resolution.hpp"

#include <fmt/format.h>
#include <tbb/parallel_for.h>
#include <tbb/task_arena.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <numeric>
#include <utility>

#include "dropcheck/impl/random_stream.hpp"

namespace dropcheck::properties {
namespace {

using Words = std::vector<std::uint64_t>;
using Decisions = std::vector<std::uint8_t>;

/// Vector lanes and their tails, blocks and theirs.
constexpr std::array<std::size_t, 21> kSizes{1,  2,  3,  4,   5,   7,    8,
                                             9,  15, 16, 17,  31,  32,   33,
                                             63, 64, 65, 127, 129, 1000, 4099};
constexpr std::size_t kSection = 1024;
constexpr std::size_t kAlone = 256;
constexpr std::size_t kRandom = std::size_t{1} << 14U;
/// Words of one task of an enumeration, and of one call in it: the words and
/// the tensors of a call stay in the cache of a core.
constexpr std::uint64_t kTask = std::uint64_t{1} << 20U;
constexpr std::uint64_t kCall = std::uint64_t{1} << 14U;
/// Up to here all words are tried in a second order too.
constexpr int kTwiceBits = 16;

/// `count` words from first to last, both included, evenly spaced.
Words evenly(std::uint64_t first, std::uint64_t last, std::size_t count) {
  if (last - first < count) count = static_cast<std::size_t>(last - first) + 1;
  Words words(count, last);
  if (count < 2) return words;
  const std::uint64_t step = (last - first) / (count - 1);
  for (std::size_t i = 0; i + 1 < count; ++i) words[i] = first + i * step;
  return words;
}

class Measurement {
 public:
  explicit Measurement(const ResolutionTask& task)
      : task_(task), lease_(task.pool) {}

  Resolution run() {
    WordDriver driver = fresh();
    last_ = driver.last_word();
    result_.word_bits = driver.word_bits();
    values_ = driver.find_values(evenly(0, last_, kSection));
    driver.use(values_);
    require_one_word_each(driver);
    require_own_word_only(driver);
    if (result_.word_bits <= task_.most_bits) {
      result_.enumerated = true;
      enumerate();
    } else {
      bisect(driver);
      require_monotone(driver);
    }
    require_same_everywhere(driver);
    return result_;
  }

 private:
  WordDriver fresh() const { return made_by(*lease_); }

  WordDriver made_by(impl::Subject& subject) const {
    WordDriver driver(subject.make(task_.config), task_.law, task_.config);
    driver.use(values_);
    return driver;
  }

  std::uint64_t random_word(std::uint64_t index) const {
    return impl::keyed_word(task_.key, index) & last_;
  }

  Words random_words(std::size_t count) const {
    Words words(count);
    for (std::size_t i = 0; i < count; ++i) words[i] = random_word(i);
    return words;
  }

  Decisions decide(WordDriver& driver, const Words& words) {
    result_.words += words.size();
    return driver.decide(words);
  }

  /// Whatever the words are: rejection reads more after some than after others.
  void require_one_word_each(WordDriver& driver) {
    for (const std::size_t size : kSizes) {
      decide(driver, random_words(size));
      decide(driver, Words(size, 0));
      decide(driver, Words(size, last_));
    }
  }

  /// One word unlike all others changes its own decision and no other.
  void require_own_word_only(WordDriver& driver) {
    const Words candidates = evenly(0, last_, kSection);
    const Decisions decisions = decide(driver, candidates);
    const auto find = [&](std::uint8_t decision) {
      return std::find(decisions.begin(), decisions.end(), decision) -
             decisions.begin();
    };
    const auto keeps = static_cast<std::size_t>(find(0));
    const auto drops = static_cast<std::size_t>(find(1));
    if (std::max(keeps, drops) == decisions.size()) return;
    require_alone(driver, candidates[keeps], candidates[drops]);
    require_alone(driver, candidates[drops], candidates[keeps]);
  }

  void require_alone(WordDriver& driver, std::uint64_t common,
                     std::uint64_t other) {
    constexpr std::size_t kUnits = 65;
    Words words(kUnits, common);
    const Decisions plain = decide(driver, words);
    for (std::size_t i = 0; i < kUnits; ++i) {
      words[i] = other;
      const Decisions seen = decide(driver, words);
      words[i] = common;
      for (std::size_t j = 0; j < kUnits; ++j) {
        if ((seen[j] != plain[j]) == (i == j)) continue;
        throw Undrivable(
            i == j ? fmt::format("decision {} does not depend on word {}", j, i)
                   : fmt::format("decision {} depends on word {}", j, i));
      }
    }
  }

  void enumerate() {
    const int bits = result_.word_bits;
    const std::uint64_t dropped = count_all(1);
    result_.dropped = impl::DyadicFraction::of(dropped, bits);
    if (bits > kTwiceBits) return;
    // An odd factor permutes the words.
    const std::uint64_t again = count_all(0x9E3779B97F4A7C15U);
    if (again == dropped) return;
    throw Undrivable(fmt::format(
        "of the same {} words {} drop in one order and {} in another",
        last_ + 1, dropped, again));
  }

  /// Number of words w for which factor * w drops, over all words.
  std::uint64_t count_all(std::uint64_t factor) {
    const std::uint64_t total = last_ + 1;
    const std::uint64_t size = std::min(total, kTask);
    std::atomic<std::uint64_t> dropped{0};
    const auto count = [&](std::uint64_t task) {
      dropped += count_some(task * size, size, factor);
    };
    if (task_.pool.planned().repeatable()) {
      tbb::this_task_arena::isolate(
          [&] { tbb::parallel_for(std::uint64_t{0}, total / size, count); });
    } else {
      for (std::uint64_t i = 0; i < total / size; ++i) count(i);
    }
    result_.words += total;
    return dropped;
  }

  std::uint64_t count_some(std::uint64_t begin, std::uint64_t size,
                           std::uint64_t factor) const {
    const SubjectLease lease(task_.pool);
    WordDriver driver = made_by(*lease);
    Words words(std::min(size, kCall));
    std::uint64_t dropped = 0;
    for (std::uint64_t at = begin; at < begin + size; at += words.size()) {
      for (std::size_t i = 0; i < words.size(); ++i) {
        words[i] = (at + i) * factor & last_;
      }
      dropped += driver.count_dropped(words);
    }
    return dropped;
  }

  [[noreturn]] void refuse_as_not_monotone() const {
    throw Undrivable(fmt::format(
        "the decision is not monotone in its word, and 2^{} words are too many "
        "to try them all",
        result_.word_bits));
  }

  /// Finds the last word that decides as word 0 does.
  void bisect(WordDriver& driver) {
    std::uint64_t low = 0;
    std::uint64_t high = last_;
    const Decisions ends = decide(driver, {low, high});
    first_ = ends[0];
    constant_ = ends[0] == ends[1];
    while (!constant_ && high - low > 1) {
      const Words words = evenly(low, high, kSection);
      const Decisions decisions = decide(driver, words);
      const auto change =
          std::find(decisions.begin(), decisions.end(), ends[1]);
      if (change == decisions.begin() || change == decisions.end() ||
          std::find(change, decisions.end(), ends[0]) != decisions.end()) {
        refuse_as_not_monotone();
      }
      const auto at = static_cast<std::size_t>(change - decisions.begin());
      low = words[at - 1];
      high = words[at];
    }
    like_first_ = constant_ ? last_ : low;
    const auto as_first = impl::DyadicFraction::of(low + 1, result_.word_bits);
    if (constant_) {
      result_.dropped = {first_, 0};
    } else {
      result_.dropped = first_ == 1 ? as_first : as_first.complement();
    }
  }

  std::uint8_t due(std::uint64_t word) const {
    return word <= like_first_ ? first_ : first_ ^ 1U;
  }

  void require_threshold(WordDriver& driver, const Words& words) {
    const Decisions decisions = decide(driver, words);
    for (std::size_t i = 0; i < words.size(); ++i) {
      if (decisions[i] != due(words[i])) refuse_as_not_monotone();
    }
  }

  Words around_threshold(std::uint64_t distance) const {
    const std::uint64_t first =
        like_first_ < distance ? 0 : like_first_ - distance;
    Words words(std::min(2 * distance, last_ - first) + 1);
    std::iota(words.begin(), words.end(), first);
    return words;
  }

  Words powers_of_two() const {
    Words words;
    for (int bit = 0; bit < result_.word_bits; ++bit) {
      const std::uint64_t power = std::uint64_t{1}
                                  << static_cast<unsigned>(bit);
      for (const std::uint64_t word : {power - 1, power, last_ - power}) {
        words.push_back(word);
      }
    }
    return words;
  }

  void require_monotone(WordDriver& driver) {
    require_threshold(driver, around_threshold(kSection));
    require_threshold(driver, powers_of_two());
    require_threshold(driver, evenly(0, last_, kRandom));
    require_threshold(driver, random_words(kRandom));
  }

  /// Each word alone on a layer of its own, then at all places of calls of all
  /// sizes on a layer that has decided much already.
  void require_same_everywhere(WordDriver& used) {
    Words words = random_words(kAlone);
    if (!result_.enumerated) {
      const Words near = around_threshold(4);
      words.insert(words.end(), near.begin(), near.end());
    }
    Decisions alone;
    for (const std::uint64_t word : words) {
      WordDriver driver = fresh();
      alone.push_back(decide(driver, {word}).front());
      if (result_.enumerated || alone.back() == due(word)) continue;
      refuse_as_not_monotone();
    }
    std::size_t next = 0;
    for (const std::size_t size : kSizes) {
      for (int round = 0; round < 4; ++round) {
        std::vector<std::size_t> chosen(size);
        for (std::size_t& index : chosen) index = next++ % words.size();
        ++next;  // Another offset in every round.
        Words mixed;
        for (const std::size_t index : chosen) mixed.push_back(words[index]);
        const Decisions decisions = decide(used, mixed);
        for (std::size_t i = 0; i < size; ++i) {
          if (decisions[i] == alone[chosen[i]]) continue;
          throw Undrivable(fmt::format(
              "word {} {} alone, but not as decision {} of {}", mixed[i],
              alone[chosen[i]] == 1 ? "drops" : "keeps", i, size));
        }
      }
    }
  }

  const ResolutionTask& task_;
  SubjectLease lease_;
  WordDriver::Values values_;
  std::uint64_t last_ = 0;
  Resolution result_;
  // Of a bisected threshold: the decision of word 0 and the last word like it.
  std::uint8_t first_ = 0;
  bool constant_ = false;
  std::uint64_t like_first_ = 0;
};

}  // namespace

Resolution measure_resolution(const ResolutionTask& task) {
  return Measurement(task).run();
}

}  // namespace dropcheck::properties
