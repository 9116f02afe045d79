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
