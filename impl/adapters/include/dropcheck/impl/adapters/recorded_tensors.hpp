#pragma once

#include <string>
#include <vector>

#include "dropcheck/impl/tensor.hpp"

namespace dropcheck::impl::adapters {

/// What a layer was given and what it returned, read from files.
struct RecordedTensors {
  Tensor input;
  std::vector<Tensor> outputs;  ///< each of one call, or of several, stacked
};

/// Reads recordings: one .npz or .safetensors file with the tensors "input" and
/// "output" (or several whose names begin with "output"), or .npy files, the
/// input first.
///
/// Format  .npy 1 to 3: floats of 2, 4 or 8 bytes of either byte order, in C
///         or Fortran order. Objects are pickled and never read.
/// Memory  bounded by the files' sizes, times 1032 where they are deflated,
///         whatever their headers claim.
/// Throws  AdapterError that names the file.
RecordedTensors read_recorded(const std::vector<std::string>& paths);

}  // namespace dropcheck::impl::adapters
