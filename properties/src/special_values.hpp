#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "dropcheck/impl/law.hpp"

namespace dropcheck::properties {

/// The numbers for which IEEE arithmetic has rules of its own.
enum class Special : std::uint8_t {
  kOrdinary,
  kZero,
  kNegativeZero,
  kNaN,
  kInfinity,
  kNegativeInfinity,
  kSubnormal,
  kNegativeSubnormal,
  kLarge,  ///< a quarter of the largest finite number, and above
  kNegativeLarge,
};
inline constexpr std::size_t kSpecials = 10;

/// "a NaN", "a subnormal number": for sentences.
std::string_view name_of(Special kind);

Special kind_of(double value, impl::DType dtype);

/// "NaN", "-infinity", "-0", "5.877472e-39".
std::string text_of(double value);

/// Puts specials into `input`, which holds ordinary numbers: about half of the
/// elements, another half in every `round`, so that each kind comes to each
/// element. Kinds are zeros, NaN (quiet, and one with all bits set),
/// infinities, subnormals, the largest finite number, and one whose kept value
/// is just finite under `slope`; both signs of each. Scores get one special in
/// half of their rows, because a softmax spreads it over the row.
void put_specials(impl::Tensor& input, bool scores, double slope,
                  std::uint64_t key, std::uint64_t round);

/// How kept and dropped values come about: y = slope * x + offset, up to
/// rounding, or the fill value.
struct Answering {
  impl::DType dtype = impl::DType::kFloat32;
  double slope = 1;
  double offset = 0;
  double slack = 0;  ///< relative error of the slope
  double fill = 0;
};

/// What a layer did with one value, as far as it is wrong.
enum class Wrong : std::uint8_t {
  kNothing,
  kNaNLost,             ///< a kept NaN is none
  kInfinityLost,        ///< a kept infinity is finite, or has the other sign
  kZeroLost,            ///< a kept zero is none
  kZeroSignLost,        ///< a kept zero has the other sign
  kFlushed,             ///< a kept subnormal number becomes 0
  kSaturated,           ///< a kept value beyond the largest one stays finite
  kOverflowed,          ///< a kept value below it does not
  kKeptWrong,           ///< another kept value than is due
  kDroppedNaN,          ///< a dropped NaN or infinity is NaN, undeclared
  kDroppedNotNaN,       ///< it is not NaN, though that is declared
  kDroppedSign,         ///< a dropped zero has its input's sign, undeclared
  kDroppedSignMissing,  ///< it has not, though that is declared
  kDroppedWrong,        ///< another dropped value than the fill value
};
inline constexpr std::size_t kWrongs = 14;

/// Judges the result y for a value x that was kept, or dropped.
Wrong judge_kept(const Answering& answering, double x, double y);
Wrong judge_dropped(const Answering& answering, const impl::LawOptions& options,
                    double x, double y);

/// One value of each kind of wrong: the first that was seen, and how many.
struct WrongValue {
  std::int64_t count = 0;
  std::string place;
  double x = 0;
  double y = 0;
  double fill = 0;
};
using WrongValues = std::array<WrongValue, kWrongs>;

/// What is wrong, in one sentence that ends with the options that would make it
/// right where such options make up for all of it; empty if nothing is.
std::optional<std::string> sentence_of(const WrongValues& wrong);

}  // namespace dropcheck::properties
