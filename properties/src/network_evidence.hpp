#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "context.hpp"
#include "network_plan.hpp"
#include "network_tally.hpp"
#include "tap_reader.hpp"

namespace dropcheck::properties {

/// All that the checks of a network read: one run of calls.
struct NetworkEvidence {
  NetworkPlan plan;
  std::vector<TapReader> readers;  ///< one a tap
  NetworkTally tally;
  impl::Tensor input;
  bool complete = false;  ///< all planned blocks were drawn

  std::size_t taps() const { return readers.size(); }
  const impl::NetworkLaw& law() const { return plan.law; }
  /// Decisions of all branches of a block.
  stats::Counts block_counts(int block) const;
  /// "block 5 of 12 (from 0)", and the branch where there are several.
  std::string block_name(int block) const;
  std::string tap_name(std::size_t tap) const;
  double block_rate(int block) const;
};

/// Calibrates on a few calls of a stream of their own and draws all planned
/// blocks, in parallel where the subject can be reseeded. The same on any
/// number of threads. Throws what the network throws, LayerError for taps that
/// the law does not have.
std::shared_ptr<const NetworkEvidence> gather_network(
    const Context& context, const std::function<bool()>& interrupted);

/// Taps of the latest call as contiguous elements; `room` holds copies of
/// those that are strided. Throws LayerError for taps that the law does not
/// have.
std::vector<TapValues> tap_values(const impl::Layer& layer,
                                  const Context& context,
                                  const NetworkPlan& plan,
                                  std::vector<impl::Tensor>& room);

}  // namespace dropcheck::properties
