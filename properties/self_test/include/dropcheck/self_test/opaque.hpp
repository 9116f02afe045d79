#pragma once

#include <string>

#include "dropcheck/impl/registry.hpp"

namespace dropcheck::self_test {

/// The same subject under another name, without anything that tells what it is:
/// no version, generator, summary, nor what should catch it. Layer, variants,
/// options and capabilities, which say what may be asked, stay.
impl::SubjectEntry opaque(const impl::SubjectEntry& entry, std::string name);

}  // namespace dropcheck::self_test
