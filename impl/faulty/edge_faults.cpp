#include <limits>

#include "faulty/draws.hpp"

namespace dropcheck::impl::faulty {
namespace {

bool one_in_256(std::uint64_t word) { return word >> 56U == 0; }

}  // namespace

std::vector<Specimen> edge_faults() {
  return {
      {"drops_at_zero", "dropout", "edge_probabilities",
       "drops one element in 256 at drop probability 0",
       "rand > p with a coarse uniform; boltz #553, mxnet #9816.",
       drops_with([](const Draw& draw, std::size_t) {
         return draw.drop == 0 ? 1.0 / 256 : draw.drop;
       })},
      {"keeps_at_one",
       "dropout",
       "edge_probabilities",
       "keeps one element in 256 at drop probability 1",
       "mxnet #14288: the end point is not handled.",
       {.draw =
            [](const Draw& draw) {
              draw_right(draw);
              if (draw.drop != 1) return;
              for (std::uint8_t& kept : draw.mask.kept) {
                kept = one_in_256(draw.stream.next()) ? 1 : 0;
              }
            },
        .response =
            [](const LayerConfig& config, Response right) {
              if (config.drop_probability == 1) right.scale = 1;
              return right;
            }}},
      {"p1_keeps_all",
       "dropout",
       "edge_probabilities",
       "keeps everything at drop probability 1",
       "1 is taken for off, as 0 is; gorgonia #399.",
       {.drop = [](double drop) { return drop == 1 ? 0 : drop; }}},
      {"p0_drops_half",
       "dropout",
       "edge_probabilities",
       "takes 0 for missing and drops half",
       "`p or 0.5`: zero is false in Python.",
       {.drop = [](double drop) { return drop == 0 ? 0.5 : drop; }}},
      {"small_p_ignored",
       "dropout",
       "drop_rate",
       "never drops below 1/256, but still scales",
       "TransformerEngine #2014: the threshold of a byte is 0.",
       drops_with([](const Draw& draw, std::size_t) {
         return draw.drop < 1.0 / 256 ? 0 : draw.drop;
       }),
       {},
       {.drop_probability = 0.003, .effect = "a rate of 0 below 1/256"}},
      {"accepts_p_below_0",
       "dropout",
       "edge_probabilities",
       "takes -0.1 for 0",
       "No range check; min(p, 1) alone is there.",
       {.drop = [](double drop) { return drop < 0 ? 0 : drop; }}},
      {"p1_infinite",
       "dropout",
       "edge_probabilities",
       "returns x / 0 at drop probability 1",
       "A division by keep without a guard; keras #22311.",
       {.response =
            [](const LayerConfig& config, Response right) {
              if (config.drop_probability == 1) {
                right.dropped = std::numeric_limits<double>::infinity();
              }
              return right;
            }}},
      {"p1_nan",
       "dropout",
       "edge_probabilities",
       "returns NaN at drop probability 1",
       "0 * (1 / 0); flax #2055, pytorch #190057.",
       {.response =
            [](const LayerConfig& config, Response right) {
              if (config.drop_probability == 1) {
                right.dropped = std::numeric_limits<double>::quiet_NaN();
              }
              return right;
            }}},
      {"accepts_p_above_1",
       "dropout",
       "edge_probabilities",
       "takes 1.5 for 1",
       "No range check; tensorflow #40210 passes rates above 1.",
       {.drop = [](double drop) { return drop > 1 ? 1 : drop; }}},
      {"accepts_nan",
       "dropout",
       "edge_probabilities",
       "takes NaN for 0",
       "if (p < 0 || p > 1) lets NaN pass; torch.nn.Dropout's constructor.",
       {.drop = [](double drop) { return drop != drop ? 0 : drop; }}},
  };
}

}  // namespace dropcheck::impl::faulty
