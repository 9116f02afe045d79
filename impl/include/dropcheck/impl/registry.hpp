#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "dropcheck/impl/config.hpp"
#include "dropcheck/impl/law.hpp"
#include "dropcheck/impl/subject.hpp"

namespace dropcheck::impl {

/// Where the defect of a wrong layer is large enough to be found.
struct Trial {
  std::string profile = "smoke";  ///< the cheapest that must find it
  double drop_probability = 0.1;
  DType dtype = DType::kFloat32;
  double call_timeout_seconds = 60;
  std::string effect = {};  ///< how big it is: "a drop rate off by 0.0016"
  std::string says = {};    ///< words of the sentence that name the cause
};

/// One name that the program knows: how to open it, and what it promises.
struct SubjectEntry {
  std::string name;     ///< e.g. "builtin:dropout", "torch:nn.Dropout2d"
  std::string layer;    ///< the law it promises to follow
  std::string summary;  ///< one line for `dropcheck list`
  /// Opens the implementation. Throws AdapterError if it is not to be had.
  std::function<std::unique_ptr<Subject>()> open;
  /// Opens it with another limit for a call, where a call that does not return
  /// can be ended: in a process of its own. Empty: it cannot be.
  std::function<std::unique_ptr<Subject>(std::chrono::milliseconds)>
      open_within = {};
  /// Configurations to verify besides the plain one: only the options of
  /// LayerConfig count (in_place, channels_last, ...), not p or dtype.
  std::vector<LayerConfig> variants;
  /// Where the implementation documents another choice than the law's default.
  std::optional<int> spatial_axes = {};
  std::optional<LawOptions> options = {};
  /// Where its masks can be recomputed; counts before what it describes.
  std::optional<MaskRecipe> recipe = {};
  /// Layers made by `in_process`: which strides their tensors may have.
  Strides strides = Strides::kCompact;
  /// Runs code under test in this process, so the oracle opens it `guarded`.
  bool guard = false;
  /// faulty: entries only: the check that must refute it, and what is wrong.
  std::string caught_by;
  std::string defect;
  Trial trial = {};
};

/// The law that an entry promises, with the choices that it declares. Throws
/// std::invalid_argument for an unknown layer.
Law law_of(const SubjectEntry& entry);

/// The same, where the subject has described itself: options that the entry
/// leaves open are those of the description. Throws std::invalid_argument for
/// an option that does not exist.
Law law_of(const SubjectEntry& entry, const Description& description);

/// The reference layers: "builtin:NAME" for every law.
const std::vector<SubjectEntry>& builtin_subjects();

/// The zoo of known-wrong layers: "faulty:NAME".
const std::vector<SubjectEntry>& faulty_subjects();

/// The reference networks, "builtin:NAME", and the known-wrong ones,
/// "faulty:NAME". Their layers have taps.
const std::vector<SubjectEntry>& builtin_networks();
const std::vector<SubjectEntry>& faulty_networks();

}  // namespace dropcheck::impl
