#pragma once

#include <array>
#include <optional>
#include <vector>

#include "state_commands.hpp"

namespace dropcheck::properties {

/// What the next mask of an instance may depend on: its seed, and the sizes of
/// its training calls since then; a clone has those of its original until then.
/// Neither evaluations nor gradients, nor
/// anything that was done with another instance.
struct History {
  bool other_probability = false;
  int seed = 0;
  std::vector<int> sizes;

  auto operator<=>(const History&) const = default;
};

/// What must hold of several instances of a layer after any commands.
class StateModel {
 public:
  StateModel();

  void apply(const Command& command);

  /// What the latest training call of an instance follows from.
  const History& history(int instance) const { return at(instance).history; }

  /// What the gradient of the latest forward call follows from; empty where
  /// that was an evaluation, whose gradient is the incoming one.
  const std::optional<History>& forward(int instance) const {
    return at(instance).forward;
  }
  /// The size of the latest forward call.
  int size(int instance) const { return at(instance).size; }

 private:
  struct Instance {
    History history;
    std::optional<History> forward;
    int size = 0;
  };
  const Instance& at(int instance) const {
    return instances_[static_cast<std::size_t>(instance)];
  }

  std::array<Instance, kInstances> instances_;
};

}  // namespace dropcheck::properties
