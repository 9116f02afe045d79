#pragma once

#include <benchmark/benchmark.h>

#include <cstdint>
#include <memory>
#include <utility>

#include "sampler.hpp"

namespace dropcheck::properties {

/// One layer under a Sampler, without a run around it.
class LayerBench {
 public:
  static constexpr std::int64_t kCalls = 16;  ///< a block, as plans cut it

  LayerBench(impl::SubjectEntry entry, const impl::Shape& shape, double drop)
      : planned_{std::move(entry), {}, {}, {}, false},
        pool_(planned_),
        experiment_(experiment_of(planned_.entry, shape, drop)),
        subject_(planned_.entry.open()),
        inputs_(make_inputs(*subject_, experiment_)),
        reader_(*experiment_.law, experiment_.config, inputs_.base,
                draw_outputs(*subject_, experiment_, inputs_.input, 1, 4)),
        sampler_(experiment_, pool_, inputs_, reader_, kCalls) {}

  void read_block(std::uint64_t index, bool structure) {
    benchmark::DoNotOptimize(sampler_.block(index, structure));
  }
  std::int64_t elements_a_block() const { return kCalls * inputs_.base.size(); }
  const impl::LayerConfig& config() const { return experiment_.config; }
  impl::Tensor& input() { return inputs_.input; }

 private:
  static Experiment experiment_of(const impl::SubjectEntry& entry,
                                  const impl::Shape& shape, double drop) {
    Experiment experiment;
    experiment.law = impl::find_law(entry.layer);
    experiment.config.layer = entry.layer;
    experiment.config.drop_probability = drop;
    experiment.shape = shape;
    experiment.run_seed = 1;
    return experiment;
  }

  PlannedSubject planned_;
  SubjectPool pool_;
  Experiment experiment_;
  std::unique_ptr<impl::Subject> subject_;
  Inputs inputs_;
  MaskReader reader_;
  Sampler sampler_;
};

}  // namespace dropcheck::properties
