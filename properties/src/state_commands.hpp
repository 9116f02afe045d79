#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace dropcheck::properties {

/// What can be done with a layer between two looks at it.
enum class Act { kTrain, kEvaluate, kBackward, kReseed, kClone };

/// One step of a sequence. Instances come to be when they are first used, with
/// the seed of a `kReseed` with choice 0, and number 1 with that of choice 1;
/// the last one, number 2, has another drop probability. A `kClone` makes
/// number 0 or 1 a clone of the other of these two.
struct Command {
  Act act = Act::kTrain;
  int instance = 0;
  int choice = 0;  ///< which size (training, evaluation) or seed (reseed)

  bool operator==(const Command&) const = default;
};
using Commands = std::vector<Command>;

inline constexpr int kInstances = 3;
inline constexpr int kOtherProbability = 2;

/// What a subject can be asked for.
struct Abilities {
  bool reseed = true;
  bool backward = true;
  int sizes = 2;      ///< 1 or 2
  int instances = 3;  ///< 1, 2 or 3
  bool clone = true;  ///< needs two instances
};

/// Every command that sequences are made of.
Commands alphabet(const Abilities& abilities);

/// The instance that a `kClone` copies.
int source_of(const Command& clone);

/// Whether each gradient has a forward call of its instance before it, since
/// that instance was made.
bool possible(const Commands& commands);

/// Every two commands of the alphabet but clones, and then a training call of
/// each size.
std::vector<Commands> pair_sequences(const Abilities& abilities);

/// Every command before and after a clone is made, and then training calls of
/// clone and original.
std::vector<Commands> clone_sequences(const Abilities& abilities);

/// `count` possible sequences of up to `length` commands, by `key`.
std::vector<Commands> random_sequences(const Abilities& abilities,
                                       std::size_t count, std::size_t length,
                                       std::uint64_t key);

/// The smallest sequence that a greedy search finds: no command can be left out
/// or made simpler (first instance, first size or seed) without `fails`
/// becoming false. The same for the same `fails`.
Commands shrunk(Commands commands,
                const std::function<bool(const Commands&)>& fails);

/// "after an evaluation, then a training call of another size, a reseed": all
/// but the last command, and the last one as the subject of what follows. Sizes
/// and instances are named by whether they are the last one's.
std::string words_of(const Commands& commands);

}  // namespace dropcheck::properties
