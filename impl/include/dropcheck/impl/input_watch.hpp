#pragma once

namespace dropcheck::impl {

/// A layer that compares its input with what it was given anyway: who calls it
/// need not do so again.
class InputWatch {
 public:
  virtual ~InputWatch() = default;
  /// Whether the latest forward call changed the bytes of its input, gaps
  /// included.
  virtual bool changed_input() const = 0;
};

}  // namespace dropcheck::impl
