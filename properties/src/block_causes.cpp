#include "block_causes.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "dropcheck/impl/block_law.hpp"

namespace dropcheck::properties {
namespace {

struct Candidate {
  std::string words;
  std::vector<double> map;
};

impl::BlockLaw law_with(const Context& context, const impl::Shape& extents,
                        const impl::BlockOptions& options) {
  impl::LayerConfig config = context.config();
  config.block = options;
  impl::Shape shape{1, 1};
  shape.insert(shape.end(), extents.begin(), extents.end());
  return impl::block_law(context.law(), config, shape);
}

/// timm's map of valid centres for (W, H), read as (H, W): the rates that
/// follow, by counting the centres around every position.
std::vector<double> swapped_map(const impl::BlockLaw& law) {
  const impl::BlockAxis& rows = law.axes[0];
  const impl::BlockAxis& columns = law.axes[1];
  impl::BlockAxis anywhere[2];
  for (std::size_t axis = 0; axis < 2; ++axis) {
    anywhere[axis] =
        impl::block_axis(law.axes[axis].extent, law.axes[axis].block, true);
  }
  const auto within = [](const impl::BlockAxis& axis, std::int64_t centre) {
    return centre >= axis.first_centre && centre <= axis.last_centre;
  };
  std::vector<std::int64_t> covering(
      static_cast<std::size_t>(rows.extent * columns.extent), 0);
  for (std::int64_t index = 0; index < std::ssize(covering); ++index) {
    if (!within(rows, index % rows.extent)) continue;
    if (!within(columns, index / rows.extent)) continue;
    const std::int64_t row = index / columns.extent;
    const std::int64_t column = index % columns.extent;
    for (auto i = anywhere[0].begin(row); i < anywhere[0].end(row); ++i) {
      for (auto j = anywhere[1].begin(column); j < anywhere[1].end(column);
           ++j) {
        ++covering[static_cast<std::size_t>(i * columns.extent + j)];
      }
    }
  }
  std::vector<double> map;
  for (const std::int64_t count : covering) {
    map.push_back(law.drop_probability(count));
  }
  return map;
}

/// Another gamma, and everything else as declared.
std::vector<Candidate> other_gammas(const Context& context,
                                    const impl::Shape& extents) {
  const impl::BlockOptions declared = context.config().block;
  impl::BlockOptions other = declared;
  other.plain_gamma = !declared.plain_gamma;
  impl::BlockLaw direct = law_with(context, extents, declared);
  direct.gamma = context.config().drop_probability;
  return {
      {declared.plain_gamma
           ? "gamma looks corrected for the border"
           : "looks like gamma = p / block volume, without the correction "
             "for the border",
       law_with(context, extents, other).drop_map()},
      {"looks like the drop probability taken for gamma", direct.drop_map()}};
}

/// Centres in other places, whether gamma goes with them or not.
std::vector<Candidate> other_centres(const Context& context,
                                     const impl::Shape& extents) {
  const impl::BlockOptions declared = context.config().block;
  const impl::BlockLaw law = law_with(context, extents, declared);
  std::vector<Candidate> all;
  if (!declared.whole_map && extents.size() == 2 && extents[0] != extents[1]) {
    all.push_back(
        {"looks like height and width swapped in the map of valid "
         "centres",
         swapped_map(law)});
  }
  impl::BlockOptions other = declared;
  other.whole_map = !declared.whole_map;
  const std::string words =
      declared.whole_map
          ? "looks like centres only where whole blocks fit (declare that if "
            "it "
            "is meant)"
          : "looks like centres on the whole map, cut off at the border "
            "(declare whole_map if that is meant)";
  impl::BlockLaw moved = law_with(context, extents, other);
  all.push_back({words, moved.drop_map()});
  moved.gamma = law.gamma;
  all.push_back({words, moved.drop_map()});
  impl::BlockLaw last_missing = law;
  for (impl::BlockAxis& axis : last_missing.axes) {
    if (axis.centres() > 1) --axis.last_centre;
  }
  all.push_back({"looks as if the last centre of each axis were never drawn",
                 last_missing.drop_map()});
  return all;
}

std::vector<Candidate> other_sizes(const Context& context,
                                   const impl::Shape& extents) {
  const impl::BlockOptions declared = context.config().block;
  const impl::BlockLaw law = law_with(context, extents, declared);
  std::vector<Candidate> all;
  for (const std::int64_t step : {1, -1}) {
    impl::BlockOptions other = declared;
    other.size += step;
    if (other.size < 1) continue;
    const char* words = step > 0 ? "looks like blocks one longer"
                                 : "looks like blocks one shorter";
    impl::BlockLaw resized = law_with(context, extents, other);
    all.push_back({words, resized.drop_map()});
    resized.gamma = law.gamma;
    all.push_back({words, resized.drop_map()});
  }
  for (std::size_t axis = 0; axis < law.axes.size(); ++axis) {
    impl::BlockLaw flat = law;
    flat.axes[axis] = impl::block_axis(law.axes[axis].extent, 1, true);
    all.push_back(
        {fmt::format("looks like blocks that are 1 long along axis {}",
                     axis + 2),
         flat.drop_map()});
  }
  return all;
}

/// ln of the likelihood of the counts, less that of the best rates; minus
/// infinity where a position is further off than chance lets it be.
double log_likelihood(const Candidate& candidate,
                      const std::vector<stats::Counts>& seen) {
  double sum = 0;
  for (std::size_t i = 0; i < seen.size(); ++i) {
    const auto n = static_cast<double>(seen[i].n);
    const double p = candidate.map[i];
    const double rate = static_cast<double>(seen[i].drops) / n;
    // For words only: five standard errors and a count.
    if (std::abs(rate - p) > 5 * std::sqrt(p * (1 - p) / n) + 2 / n) {
      return -std::numeric_limits<double>::infinity();
    }
    const double within = std::clamp(p, 0.1 / n, 1 - 0.1 / n);
    sum += n * (rate * std::log(within) + (1 - rate) * std::log1p(-within));
  }
  return sum;
}

}  // namespace

std::optional<std::string> cause_of_map(
    const Context& context, const impl::Shape& extents,
    const std::vector<stats::Counts>& seen) {
  if (std::all_of(seen.begin(), seen.end(),
                  [](const stats::Counts& c) { return c.drops == 0; })) {
    return "it drops nothing";
  }
  std::optional<std::string> best;
  double largest = -std::numeric_limits<double>::infinity();
  for (const auto make : {other_gammas, other_centres, other_sizes}) {
    for (const Candidate& candidate : make(context, extents)) {
      const double log = log_likelihood(candidate, seen);
      if (log <= largest) continue;
      largest = log;
      best = candidate.words;
    }
  }
  return best;
}

std::optional<std::string> cause_of_block_rate(const Context& context,
                                               const stats::Interval& rate) {
  const impl::Shape& shape = context.inputs.base.shape();
  const auto units =
      impl::unit_of_element(context.law(), context.config(), shape);
  const auto readable = static_cast<std::size_t>(
      std::find_if(units.begin(), units.end(),
                   [](std::uint32_t unit) { return unit != impl::kNoUnit; }) -
      units.begin());
  for (const Candidate& candidate :
       other_gammas(context, impl::Shape(shape.begin() + 2, shape.end()))) {
    const double p = candidate.map[readable];
    if (p >= rate.lower && p <= rate.upper) return candidate.words;
  }
  return std::nullopt;
}

}  // namespace dropcheck::properties
