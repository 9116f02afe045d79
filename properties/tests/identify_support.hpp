#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>

#include "dropcheck/properties/identify.hpp"
#include "odd_subjects.hpp"
#include "support.hpp"

namespace dropcheck::properties::testing {

using impl::LayerConfig;
using impl::SubjectEntry;

inline constexpr const char* kOpaque = "l7";

/// A subject that gives its layers' names away nowhere.
class OpaqueSubject final : public impl::Subject {
 public:
  OpaqueSubject(std::unique_ptr<impl::Subject> subject, std::string layer)
      : subject_(std::move(subject)), layer_(std::move(layer)) {
    description_ = subject_->describe();
    description_.name = "s1";
    description_.version = "v";
    description_.generator.clear();
  }
  const impl::Description& describe() const override { return description_; }
  std::unique_ptr<impl::Layer> make(const LayerConfig& config) override {
    EXPECT_EQ(config.layer, kOpaque);
    LayerConfig real = config;
    real.layer = layer_;
    return subject_->make(real);
  }

 private:
  std::unique_ptr<impl::Subject> subject_;
  std::string layer_;
  impl::Description description_;
};

inline SubjectEntry opaque(const SubjectEntry& entry) {
  SubjectEntry hidden;
  hidden.name = "s1";
  hidden.layer = kOpaque;
  hidden.open = [entry] {
    return std::make_unique<OpaqueSubject>(entry.open(), entry.layer);
  };
  return hidden;
}

inline IdentifySettings settings(double drop, LayerConfig config = {}) {
  IdentifySettings result;
  result.config = std::move(config);
  result.config.drop_probability = drop;
  result.seed = 3;
  return result;
}

/// Whether the layer is the nearest, or one that differs no more.
inline bool is_named(const Identification& found, const std::string& layer) {
  for (const NearestLayer& nearest : found.nearest) {
    if (nearest.config.layer == layer) return nearest.differences.empty();
    if (!nearest.differences.empty()) return false;
  }
  return false;
}

inline std::string told(const Identification& found) {
  std::string text = found.law + " | " + found.nearest_words;
  for (const std::string& what : found.unknown) text += " | " + what;
  return text;
}

inline Identification identify_odd(const Oddity& odd, double drop = 0.3) {
  return identify(odd_subject("odd", odd), settings(drop));
}

}  // namespace dropcheck::properties::testing
