#pragma once

#include <array>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "context.hpp"
#include "state_model.hpp"

namespace dropcheck::properties {

/// What a sequence showed that the model excludes.
struct Breach {
  std::string words;  ///< "drops nothing": what the last command does
  /// ln of the e-value; empty where no chance is involved.
  std::optional<double> log_e;
};

/// Runs sequences of commands on fresh instances and compares all results with
/// what the model allows: evaluation is the plain function, training and
/// gradients are those of the same training calls alone after the same seed
/// (made by instances that do nothing else), masks of one history differ,
/// something is dropped, and no result changes while others are called.
class StateTrial {
 public:
  /// A call with fewer decisions is made several times at once.
  static constexpr std::int64_t kFewDecisions = 8;
  /// Decisions of a call, or of several at once, that are enough for any p that
  /// is not extreme, and that a sequence can afford.
  static double most_decisions(const PlannedConfiguration& planned) {
    return planned.generated ? 256 : 4096;
  }

  /// `tries` bounds the comparisons that chance can fool.
  StateTrial(const Context& context, double tries);

  const Abilities& abilities() const { return abilities_; }
  /// Whether two masks agree, or nothing is dropped, only in case of a defect.
  bool tells_masks_apart() const { return tells_; }
  std::uint64_t calls() const { return calls_; }

  /// The first breach. Only what happens at the last command counts where
  /// `at_end`.
  std::optional<Breach> run(const Commands& commands, bool at_end = false);
  /// How many commands the latest `run` got through, that of a breach included.
  std::size_t reached() const { return reached_; }

 private:
  struct Instance {
    std::unique_ptr<impl::Layer> layer;
    impl::Tensor input;
    impl::Tensor gradient;
    impl::TensorView result;
    std::optional<impl::Tensor> held;
    std::map<std::vector<int>, impl::Tensor> masks;  ///< of one history
  };
  struct Size {
    impl::Tensor input;
    impl::Tensor gradient;
    impl::Shape output;
    std::uint64_t decisions = 0;
  };

  void choose_sizes();
  void add_sizes(std::int64_t decisions);
  void add_size(const impl::Shape& shape);
  void offer_other_probability();
  void offer_clones();
  impl::LayerConfig config_of(bool other) const;
  std::unique_ptr<impl::Layer> make(bool other, int seed);
  Instance& instance(int index);
  void clone(const Command& command);
  impl::Shape result_shape(const Size& size, bool training) const;
  impl::Tensor train(impl::Layer& layer, int size, impl::Tensor& scratch,
                     impl::TensorView* result = nullptr);
  impl::Tensor expected(const History& history, bool gradient);
  void restore_generator();
  const impl::Tensor& expected_evaluation(bool other, int size);

  std::optional<Breach> step(const Command& command);
  std::optional<Breach> after_training(const Command& command,
                                       const impl::Tensor& result);
  std::optional<Breach> after_evaluation(const Command& command,
                                         const impl::TensorView& result);
  std::optional<Breach> after_gradient(const Command& command,
                                       const impl::TensorView& result);
  std::optional<Breach> repeated_mask(const Command& command,
                                      const impl::Tensor& result);
  std::optional<Breach> nothing_dropped(const Command& command,
                                        const impl::Tensor& result) const;
  bool drops(const impl::Tensor& result) const;
  std::optional<Breach> changed_result(const Command& command) const;

  const Context& context_;
  double log_tries_;
  Abilities abilities_;
  bool tells_ = false;
  double other_p_ = 0;
  std::int64_t repeat_ = 1;
  std::vector<Size> sizes_;
  std::uint64_t calls_ = 0;
  std::size_t reached_ = 0;
  StateModel model_;
  std::array<Instance, kInstances> instances_;
  std::map<History, impl::Tensor> results_;
  std::map<History, impl::Tensor> gradients_;
  std::map<std::pair<bool, int>, impl::Tensor> evaluations_;
};

}  // namespace dropcheck::properties
