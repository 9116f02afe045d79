#pragma once

#include <cstddef>
#include <cstdint>

namespace dropcheck::impl {

/// Independent standard normal numbers from random words, by the method of Box
/// and Muller (1958): from the angle 2 pi a and the radius sqrt(-2 ln u), the
/// radius times sine and cosine.
///
/// Word 2 i gives a = (w, as signed, + 1/2) / 2^64 and word 2 i + 1 gives
/// u = (w + 1/2) / 2^64, each rounded to double; numbers 2 i and 2 i + 1 are
/// sine and cosine. Within 1e-15 of the exact ones, relative to the radius.
/// Uses the widest vectors that the processor has: all give the same bits.
void normals_of_words(const std::uint64_t* words, std::size_t pairs,
                      double* numbers);

/// The same, one pair after the other.
void normals_of_words_plainly(const std::uint64_t* words, std::size_t pairs,
                              double* numbers);

/// In f32, one word for two numbers: its low half gives u = (w + 1/2) / 2^32,
/// its high half a likewise, each rounded to f32. Within 1e-6 of the exact
/// ones of these, relative to the radius.
void normals_of_words(const std::uint64_t* words, std::size_t count,
                      float* cosines, float* sines);

/// The same, one word after the other.
void normals_of_words_plainly(const std::uint64_t* words, std::size_t count,
                              float* cosines, float* sines);

}  // namespace dropcheck::impl
