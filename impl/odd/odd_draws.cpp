// Other ways to draw a right mask than one comparison a unit, in order.
#include <algorithm>
#include <cmath>
#include <vector>

#include "dropcheck/impl/random_stream.hpp"
#include "odd/odd_layer.hpp"

namespace dropcheck::impl::odd {
namespace {

/// Uniform on (0, 1], 53 bits.
double above_zero(std::uint64_t word) {
  return std::ldexp(static_cast<double>((word >> 11U) + 1), -53);
}

void keep_all(const Sheet& sheet, bool kept) {
  std::fill(sheet.mask.kept.begin(), sheet.mask.kept.end(),
            static_cast<std::uint8_t>(kept));
}

/// From drop to drop: the gap between two has a geometric law.
Drawing skips_geometrically(std::uint64_t seed) {
  return [stream = RandomStream(seed)](const Sheet& sheet) mutable {
    const double drop = sheet.probability.drop();
    keep_all(sheet, drop < 1);
    if (drop <= 0 || drop >= 1) return;
    const auto units = static_cast<double>(sheet.mask.kept.size());
    double at = -1;
    while (true) {
      at += 1 +
            std::floor(std::log(above_zero(stream.next())) / std::log1p(-drop));
      if (!(at < units)) return;
      sheet.mask.kept[static_cast<std::size_t>(at)] = 0;
    }
  };
}

/// 64 decisions at once: bit k of every uniform number is one word, and only as
/// many are drawn as it takes to tell all 64 from the threshold.
std::uint64_t sliced(RandomStream& stream, std::uint64_t threshold) {
  std::uint64_t below = 0;
  std::uint64_t equal = ~std::uint64_t{0};
  for (std::uint64_t bit = std::uint64_t{1} << 63U; bit != 0 && equal != 0;
       bit >>= 1U) {
    const std::uint64_t word = stream.next();
    if ((threshold & bit) != 0) {
      below |= equal & ~word;
      equal &= word;
    } else {
      equal &= ~word;
    }
  }
  return below;
}

Drawing slices_bits(std::uint64_t seed) {
  return [stream = RandomStream(seed)](const Sheet& sheet) mutable {
    const double keep = sheet.probability.keep();
    keep_all(sheet, keep > 0);
    if (keep <= 0 || keep >= 1) return;
    const auto threshold =
        static_cast<std::uint64_t>(std::ceil(std::ldexp(keep, 64)));
    auto& kept = sheet.mask.kept;
    for (std::size_t i = 0; i < kept.size(); i += 64) {
      const std::uint64_t lanes = sliced(stream, threshold);
      const std::size_t last = std::min(kept.size(), i + 64);
      for (std::size_t k = i; k < last; ++k) kept[k] = lanes >> (k - i) & 1U;
    }
  };
}

Drawing draws_backwards(std::uint64_t seed) {
  return [stream = RandomStream(seed)](const Sheet& sheet) mutable {
    auto& kept = sheet.mask.kept;
    for (auto unit = kept.rbegin(); unit != kept.rend(); ++unit) {
      *unit = sheet.probability.keeps(stream.next()) ? 1 : 0;
    }
  };
}

Drawing draws_by_columns(std::uint64_t seed) {
  return [stream = RandomStream(seed)](const Sheet& sheet) mutable {
    auto& kept = sheet.mask.kept;
    const Shape& shape = sheet.mask.shape;
    const auto columns =
        shape.empty() ? std::size_t{1} : static_cast<std::size_t>(shape.back());
    for (std::size_t column = 0; column < columns; ++column) {
      for (std::size_t i = column; i < kept.size(); i += columns) {
        kept[i] = sheet.probability.keeps(stream.next()) ? 1 : 0;
      }
    }
  };
}

/// Four parts of a call have streams of their own, whoever draws them.
Drawing splits_by_thread(std::uint64_t seed) {
  return [seed](const Sheet& sheet) {
    constexpr std::size_t kParts = 4;
    auto& kept = sheet.mask.kept;
    for (std::size_t part = 0; part < kParts; ++part) {
      RandomStream stream(keyed_word(seed, sheet.call, part, 0x0dd));
      const std::size_t last = (part + 1) * kept.size() / kParts;
      for (std::size_t i = part * kept.size() / kParts; i < last; ++i) {
        kept[i] = sheet.probability.keeps(stream.next()) ? 1 : 0;
      }
    }
  };
}

/// Draws sixteen masks ahead, uses each once, and draws again.
Drawing caches_masks(std::uint64_t seed) {
  return [stream = RandomStream(seed),
          cache = std::vector<std::vector<std::uint8_t>>()](
             const Sheet& sheet) mutable {
    constexpr std::size_t kAhead = 16;
    const std::size_t units = sheet.mask.kept.size();
    if (cache.empty() || cache.back().size() != units) {
      cache.assign(kAhead, std::vector<std::uint8_t>(units));
      for (auto& mask : cache) {
        for (std::uint8_t& kept : mask) {
          kept = sheet.probability.keeps(stream.next()) ? 1 : 0;
        }
      }
    }
    sheet.mask.kept = cache.back();
    cache.pop_back();
  };
}

template <class Keeps>
std::function<Drawing(std::uint64_t)> decides_by(Keeps keeps) {
  return [keeps](std::uint64_t seed) -> Drawing {
    return [keeps, stream = RandomStream(seed)](const Sheet& sheet) mutable {
      for (std::uint8_t& kept : sheet.mask.kept) {
        kept = keeps(sheet.probability, stream.next()) ? 1 : 0;
      }
    };
  };
}

/// 24 bits in float: off by at most 2^-24, which a right rate may be.
bool below_in_float(const Probability& probability, std::uint64_t word) {
  const float u = std::ldexp(static_cast<float>(word >> 40U), -24);
  return u < static_cast<float>(probability.keep());
}

bool below_in_double(const Probability& probability, std::uint64_t word) {
  return std::ldexp(static_cast<double>(word >> 11U), -53) < probability.keep();
}

/// Drops at the lower end and keeps above.
bool not_below_drop(const Probability& probability, std::uint64_t word) {
  return !Probability::from_keep(probability.drop()).keeps(word);
}

}  // namespace

std::vector<Oddity> odd_draws() {
  return {
      {"geometric_skipping", "dropout", "skips from drop to drop",
       skips_geometrically},
      {"bit_sliced", "dropout", "decides 64 units bit by bit", slices_bits},
      {"backwards", "dropout", "draws the last unit first", draws_backwards},
      {"column_order", "dropout", "draws column by column", draws_by_columns},
      {"thread_split", "dropout", "four streams a call, keyed by part and call",
       splits_by_thread},
      {"cached_masks", "dropout", "draws sixteen masks ahead, each used once",
       caches_masks},
      {"float_threshold", "dropout", "compares 24 bits in float",
       decides_by(below_in_float)},
      {"double_threshold", "dropout", "compares 53 bits in double",
       decides_by(below_in_double)},
      {"keeps_above", "dropout", "drops where the word is below, keeps above",
       decides_by(not_below_drop)},
      {"geometric_skipping_channels", "dropout2d",
       "skips from dropped channel to dropped channel", skips_geometrically},
      {"cached_paths", "drop_path", "draws sixteen masks of samples ahead",
       caches_masks},
      {"bit_sliced_alpha", "alpha_dropout", "decides 64 units bit by bit",
       slices_bits},
  };
}

}  // namespace dropcheck::impl::odd
