#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace dropcheck::impl {

// What legitimate implementations do differently; declared, never guessed.

/// A drop probability of 1. kFormula: one like the others.
enum class AtOne { kZeros, kError, kEither, kFormula };
/// A drop probability outside [0, 1], or NaN. kAccepted: not checked.
enum class BeyondEnds { kError, kAccepted };
/// A dropped NaN or infinity. kNaN: it is multiplied by 0.
enum class DroppedNonFinite { kFill, kNaN, kEither };
/// The sign of a dropped value that is 0. kSigned: the input's, from 0 * x.
enum class DroppedZero { kPositive, kSigned, kEither };
/// The memory of a result of evaluation. kAlias: the input's.
enum class EvaluationReturn { kCopy, kAlias, kEither };
/// The scale in 16-bit dtypes. kDType: rounded to the dtype, which biases the
/// mean by up to 0.4 % in bf16.
enum class ScaleRounding { kFloat, kDType };

/// What a subject declares. The defaults are the strict choice, to which a
/// subject that declares nothing is held.
struct LawOptions {
  AtOne at_one = AtOne::kZeros;
  BeyondEnds beyond_ends = BeyondEnds::kError;
  DroppedNonFinite dropped_nonfinite = DroppedNonFinite::kFill;
  DroppedZero dropped_zero = DroppedZero::kPositive;
  EvaluationReturn evaluation_return = EvaluationReturn::kCopy;
  ScaleRounding scale_rounding = ScaleRounding::kFloat;
  bool dtype_is_kept = true;
  /// Inputs of another rank than the law takes are refused. Otherwise they may
  /// also get a result, of their shape.
  bool rank_is_checked = true;
  /// The scale is rounded to the tensor's dtype or a wider one. Otherwise it
  /// may be rounded to f32 for f64.
  bool scale_keeps_precision = true;

  bool operator==(const LawOptions&) const = default;
};

/// One option in words: {"at_one", "error"}; flags are "true" or "false".
struct DeclaredOption {
  std::string name;
  std::string value;

  bool operator==(const DeclaredOption&) const = default;
};
using DeclaredOptions = std::vector<DeclaredOption>;

/// Names of all options, in the order of LawOptions.
std::vector<std::string_view> option_names();

/// Whether the option is one of the flags.
bool is_flag(std::string_view option);

/// Sets an option. Throws std::invalid_argument that names the option, its
/// value and what is allowed.
void declare(const DeclaredOption& declared, LawOptions& options);

/// What has to be declared on top of `base` to get `options`.
DeclaredOptions declared_options(const LawOptions& options,
                                 const LawOptions& base = {});

}  // namespace dropcheck::impl
