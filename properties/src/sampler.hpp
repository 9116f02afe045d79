#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

#include "dropcheck/impl/subject.hpp"
#include "dropcheck/properties/plan.hpp"
#include "mask_reader.hpp"
#include "structure_plan.hpp"
#include "tally.hpp"
#include "unit_reader.hpp"

namespace dropcheck::properties {

/// Copies of one subject, one for each thread that needs one.
class SubjectPool {
 public:
  explicit SubjectPool(const PlannedSubject& planned) : planned_(planned) {}

  std::shared_ptr<impl::Subject> take();
  void give_back(std::shared_ptr<impl::Subject> subject);
  /// Closes what is idle.
  void close();
  const PlannedSubject& planned() const { return planned_; }

  /// Notes how masks of the subject are read.
  void note_fused() { fused_ = true; }
  void note_blocks() { blocks_ = true; }
  bool fused() const { return fused_; }
  bool blocks() const { return blocks_; }

 private:
  std::atomic<bool> fused_{false};
  std::atomic<bool> blocks_{false};
  std::mutex mutex_;
  const PlannedSubject& planned_;
  std::vector<std::shared_ptr<impl::Subject>> idle_;
};

/// One subject of a pool for as long as this lives.
class SubjectLease {
 public:
  explicit SubjectLease(SubjectPool& pool)
      : pool_(pool), subject_(pool.take()) {}
  ~SubjectLease() { pool_.give_back(std::move(subject_)); }
  SubjectLease(const SubjectLease&) = delete;
  SubjectLease& operator=(const SubjectLease&) = delete;
  impl::Subject& operator*() const { return *subject_; }

 private:
  SubjectPool& pool_;
  std::shared_ptr<impl::Subject> subject_;
};

/// What identifies one configuration and its random numbers.
struct Experiment {
  const impl::Law* law = nullptr;
  impl::LayerConfig config;
  impl::Shape shape;  ///< of the input
  std::uint64_t run_seed = 0;
  std::uint64_t key = 0;  ///< of the configuration
};

/// Streams of one experiment that are no statistical blocks.
enum class Stream : std::uint64_t {
  kInput = 0x10000000000000,
  kCalibration,
  kGranularity,
  kSeeding,
  kBackward,
  kEvaluation,
  kEdges,
  kInPlace,
  kNetwork,
  kResolution,
  kStreamCalibration,
  kLongStream,
  kSeeds,
  kSizes,
  kPairs,
  kDispersion,
  kHigherOrder,
  kRobustRate,
  kRare,
  kValues,
  kBlocks,
  kPositions,
  kFactors,
  kForms,
  kSpecials,
  kState,
  kDiagnosis,
  kReplay,
};

/// Seed of a block (or of another stream) of the experiment.
std::uint64_t block_seed(const Experiment& experiment, std::uint64_t block);
std::uint64_t stream_seed(const Experiment& experiment, Stream stream,
                          std::uint64_t index = 0);
/// The same, but no two indices below 2^32 share the low 32 bits of a seed, as
/// those of blocks do not.
std::uint64_t distinct_seed(const Experiment& experiment, Stream stream,
                            std::uint64_t index);

/// Throws LayerError for a result of another shape or dtype than is due:
/// nothing may be read from it.
void require_result(const impl::TensorView& result, const impl::Shape& shape,
                    impl::DType dtype);

/// Calls a layer and keeps the oracle's copy of the input whole.
class Caller {
 public:
  /// Keeps a reference to `input`, which must not change meanwhile.
  Caller(impl::Layer& layer, const impl::Tensor& input);

  /// `repeat` training (or evaluation) calls, stacked on a new first axis also
  /// for repeat 1; compact. Throws LayerError for a result of another shape
  /// or dtype than `expected`, which is the shape of one output.
  impl::TensorView stacked(const impl::Shape& expected, std::int64_t repeat,
                           bool training = true);

 private:
  impl::Layer& layer_;
  const impl::Tensor& input_;
  std::uint64_t number_;  ///< of the input; no other Caller has it
  impl::Tensor scratch_;
  impl::Tensor compact_;
};

/// Results of `calls` training calls in one sequence, reseeded before if the
/// subject can be; one tensor a call.
std::vector<impl::Tensor> draw_outputs(impl::Subject& subject,
                                       const Experiment& experiment,
                                       const impl::Tensor& input,
                                       std::uint64_t seed, std::int64_t calls);

/// The oracle's input, and what the mask multiplies.
struct Inputs {
  impl::Tensor input;
  impl::Tensor base;
};
Inputs make_inputs(impl::Subject& subject, const Experiment& experiment);

/// Draws and counts the blocks of one experiment, on any thread.
class Sampler {
 public:
  Sampler(const Experiment& experiment, SubjectPool& pool, const Inputs& inputs,
          const MaskReader& reader, std::int64_t calls_per_block);
  ~Sampler();
  Sampler(const Sampler&) = delete;
  Sampler& operator=(const Sampler&) = delete;

  /// Counts one block; the structure part where `structure` says so.
  Tally block(std::uint64_t index, bool structure) const;

  const StructurePlan& structure() const { return structure_; }
  const UnitReader& units() const { return units_; }

 private:
  class Worker;
  std::unique_ptr<Worker> take_worker() const;
  void give_back(std::unique_ptr<Worker> worker) const;

  Experiment experiment_;
  SubjectPool& pool_;
  const Inputs& inputs_;
  const MaskReader& reader_;
  std::int64_t calls_per_block_;
  UnitReader units_;
  StructurePlan structure_;
  impl::Shape output_shape_;
  mutable std::mutex mutex_;
  mutable std::vector<std::unique_ptr<Worker>> idle_;
};

/// Counts the structure of one row of drop bits into the tally. Exposed for
/// its tests.
void count_row(const std::uint64_t* words, const StructurePlan& plan,
               Tally& tally);

}  // namespace dropcheck::properties
