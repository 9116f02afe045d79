#pragma once

#include <memory>

namespace dropcheck::impl {

/// A layer that may keep the tensors it is given, as Python does.
class InputHolder {
 public:
  virtual ~InputHolder() = default;
  /// The memory of the next call's tensor. While a share of it is held, nobody
  /// else writes there.
  virtual void hold(std::shared_ptr<const void> memory) = 0;
};

}  // namespace dropcheck::impl
