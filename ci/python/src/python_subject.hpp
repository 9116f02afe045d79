#pragma once

#include <nanobind/nanobind.h>

#include <vector>

#include "dropcheck/impl/registry.hpp"

namespace dropcheck::python {

/// A Python object that may be dropped on any thread.
class Held {
 public:
  explicit Held(nanobind::object object) : object_(std::move(object)) {}
  ~Held();
  Held(const Held&) = delete;
  Held& operator=(const Held&) = delete;

  const nanobind::object& get() const { return object_; }

 private:
  nanobind::object object_;
};

/// Completes `entry` by a way to open it: layers that Python makes.
///
/// Make    called with a dict (layer, p, dtype, in_place, ...), returns an
///         object with forward(input, training), and backward(grad_output) and
///         reseed(seed) where `description` says so. Tensors go in as objects
///         with __dlpack__ and the buffer protocol, and come out as anything
///         that DLPack or the buffer protocol can read, on the CPU.
/// Errors  an exception is the layer's refusal (LayerError); one of the type
///         dropcheck.NotSupported is NotSupported.
/// Memory  inputs lie where Python may keep them (impl/input_holder.hpp) and
///         are not copied for it; results are read where they are.
impl::SubjectEntry python_subject(impl::SubjectEntry entry,
                                  impl::Description description,
                                  nanobind::object make);

}  // namespace dropcheck::python
