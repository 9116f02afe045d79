#include "state_commands.hpp"

#include <algorithm>
#include <array>

#include "dropcheck/impl/random_stream.hpp"

namespace dropcheck::properties {
namespace {

/// As simple as it gets where fewer is simpler.
std::vector<Command> simpler(const Command& command) {
  std::vector<Command> all;
  if (command.act == Act::kClone) return all;
  for (int instance = 0; instance < command.instance; ++instance) {
    all.push_back({command.act, instance, command.choice});
  }
  if (command.choice > 0) all.push_back({command.act, command.instance, 0});
  return all;
}

bool leave_one_out(Commands& commands,
                   const std::function<bool(const Commands&)>& fails) {
  for (std::size_t i = 0; i < commands.size(); ++i) {
    Commands fewer = commands;
    fewer.erase(fewer.begin() + static_cast<std::ptrdiff_t>(i));
    if (fewer.empty() || !possible(fewer) || !fails(fewer)) continue;
    commands = std::move(fewer);
    return true;
  }
  return false;
}

bool simplify_one(Commands& commands,
                  const std::function<bool(const Commands&)>& fails) {
  for (std::size_t i = 0; i < commands.size(); ++i) {
    for (const Command& candidate : simpler(commands[i])) {
      Commands other = commands;
      other[i] = candidate;
      if (!possible(other) || !fails(other)) continue;
      commands = std::move(other);
      return true;
    }
  }
  return false;
}

bool has_size(const Command& command) {
  return command.act == Act::kTrain || command.act == Act::kEvaluate;
}

std::string noun_of(Act act) {
  switch (act) {
    case Act::kTrain:
      return "a training call";
    case Act::kEvaluate:
      return "an evaluation";
    case Act::kBackward:
      return "a gradient";
    case Act::kReseed:
      return "a reseed";
    case Act::kClone:
      return "a clone";
  }
  return {};
}

bool any_clone_into(int instance, const Commands& commands) {
  return std::any_of(
      commands.begin(), commands.end(), [&](const Command& command) {
        return command.act == Act::kClone && command.instance == instance;
      });
}

bool any_clone_from(int instance, const Commands& commands) {
  return std::any_of(
      commands.begin(), commands.end(), [&](const Command& command) {
        return command.act == Act::kClone && source_of(command) == instance;
      });
}

/// Which instance a command is of, where that is not the one before.
std::string words_of_instance(const Command& command, const Commands& before) {
  const bool clones = command.act == Act::kClone;
  const int instance = clones ? source_of(command) : command.instance;
  if (!clones && any_clone_into(instance, before)) return " of the clone";
  const Command& latest = before.back();
  if (latest.instance == instance && latest.act != Act::kClone) return {};
  if (!clones && any_clone_from(instance, before)) return " of the original";
  if (latest.instance == instance) return {};
  const bool back = std::any_of(
      before.begin(), before.end(),
      [&](const Command& earlier) { return earlier.instance == instance; });
  if (back) return " of the instance before";
  return instance == kOtherProbability
             ? " of an instance with another drop probability"
             : " of another instance";
}

/// A command as it looks beside the one that came before it.
std::string words_beside(const Command& command, const Commands& before) {
  std::string words = noun_of(command.act);
  const Command* sized = nullptr;
  for (const Command& earlier : before) {
    if (has_size(earlier)) sized = &earlier;
  }
  if (has_size(command) && sized != nullptr &&
      sized->choice != command.choice) {
    words += " of another size";
  }
  if (!before.empty()) words += words_of_instance(command, before);
  return words;
}

}  // namespace

Commands alphabet(const Abilities& abilities) {
  Commands all;
  for (int size = 0; size < abilities.sizes; ++size) {
    all.push_back({Act::kTrain, 0, size});
    all.push_back({Act::kEvaluate, 0, size});
  }
  if (abilities.backward) all.push_back({Act::kBackward, 0, 0});
  if (abilities.reseed) {
    all.push_back({Act::kReseed, 0, 0});
    all.push_back({Act::kReseed, 0, 1});
  }
  for (int other = 1; other < abilities.instances; ++other) {
    all.push_back({Act::kTrain, other, 0});
    if (other == kOtherProbability) continue;
    all.push_back({Act::kEvaluate, other, 0});
    if (abilities.reseed) all.push_back({Act::kReseed, other, 1});
  }
  if (abilities.clone && abilities.instances > 1) {
    all.push_back({Act::kClone, 1, 0});
    all.push_back({Act::kClone, 0, 0});
  }
  return all;
}

int source_of(const Command& clone) { return 1 - clone.instance; }

bool possible(const Commands& commands) {
  std::array<bool, kInstances> has_forward{};
  for (const Command& command : commands) {
    bool& known = has_forward[static_cast<std::size_t>(command.instance)];
    if (command.act == Act::kBackward && !known) return false;
    known = (known && command.act != Act::kClone) || has_size(command);
  }
  return true;
}

namespace {

Commands alphabet_without_clones(Abilities abilities) {
  abilities.clone = false;
  return alphabet(abilities);
}

}  // namespace

std::vector<Commands> pair_sequences(const Abilities& abilities) {
  std::vector<Commands> all;
  const Commands letters = alphabet_without_clones(abilities);
  for (const Command& first : letters) {
    for (const Command& second : letters) {
      Commands commands{first, second, {Act::kTrain, 0, 0}};
      if (abilities.sizes > 1) commands.push_back({Act::kTrain, 0, 1});
      if (possible(commands)) all.push_back(std::move(commands));
    }
  }
  return all;
}

std::vector<Commands> clone_sequences(const Abilities& abilities) {
  std::vector<Commands> all;
  if (!abilities.clone || abilities.instances < 2) return all;
  const Command clone{Act::kClone, 1, 0};
  const Command train_clone{Act::kTrain, 1, 0};
  const Command train{Act::kTrain, 0, 0};
  for (const Command& letter : alphabet_without_clones(abilities)) {
    for (Commands commands : {Commands{letter, clone, train_clone, train},
                              Commands{train, clone, letter, train_clone}}) {
      if (possible(commands)) all.push_back(std::move(commands));
    }
  }
  return all;
}

std::vector<Commands> random_sequences(const Abilities& abilities,
                                       std::size_t count, std::size_t length,
                                       std::uint64_t key) {
  const Commands letters = alphabet(abilities);
  std::vector<Commands> all;
  for (std::uint64_t i = 0; all.size() < count; ++i) {
    Commands commands;
    for (std::uint64_t k = 0; k < length; ++k) {
      commands.push_back(letters[impl::keyed_word(key, i, k) % letters.size()]);
      if (!possible(commands)) commands.pop_back();
    }
    if (!commands.empty()) all.push_back(std::move(commands));
  }
  return all;
}

Commands shrunk(Commands commands,
                const std::function<bool(const Commands&)>& fails) {
  while (leave_one_out(commands, fails) || simplify_one(commands, fails)) {
  }
  return commands;
}

std::string words_of(const Commands& commands) {
  std::string words;
  Commands before;
  for (std::size_t i = 0; i < commands.size(); ++i) {
    const bool last = i + 1 == commands.size();
    if (i == 0 && !last) words += "after ";
    if (i > 0) words += last ? ", " : ", then ";
    words += words_beside(commands[i], before);
    before.push_back(commands[i]);
  }
  return words;
}

}  // namespace dropcheck::properties
