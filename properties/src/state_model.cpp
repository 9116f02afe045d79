#include "state_model.hpp"

namespace dropcheck::properties {

StateModel::StateModel() {
  instances_[1].history.seed = 1;
  instances_[kOtherProbability].history.other_probability = true;
}

void StateModel::apply(const Command& command) {
  Instance& instance = instances_[static_cast<std::size_t>(command.instance)];
  switch (command.act) {
    case Act::kTrain:
      instance.history.sizes.push_back(command.choice);
      instance.forward = instance.history;
      instance.size = command.choice;
      break;
    case Act::kEvaluate:
      instance.forward.reset();
      instance.size = command.choice;
      break;
    case Act::kReseed:
      instance.history.seed = command.choice;
      instance.history.sizes.clear();
      break;
    case Act::kClone: {
      const auto source = static_cast<std::size_t>(source_of(command));
      instance.history = instances_[source].history;
      instance.forward.reset();
      break;
    }
    case Act::kBackward:
      break;
  }
}

}  // namespace dropcheck::properties
