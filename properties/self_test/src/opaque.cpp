#include "dropcheck/self_test/opaque.hpp"

#include <memory>
#include <utility>

namespace dropcheck::self_test {
namespace {

class Masked final : public impl::Subject {
 public:
  Masked(std::unique_ptr<impl::Subject> subject, const std::string& name)
      : subject_(std::move(subject)), description_(subject_->describe()) {
    description_.name = name;
    description_.version.clear();
    description_.generator.clear();
  }
  const impl::Description& describe() const override { return description_; }
  std::unique_ptr<impl::Layer> make(const impl::LayerConfig& config) override {
    return subject_->make(config);
  }

 private:
  std::unique_ptr<impl::Subject> subject_;
  impl::Description description_;
};

}  // namespace

impl::SubjectEntry opaque(const impl::SubjectEntry& entry, std::string name) {
  impl::SubjectEntry masked = entry;
  masked.open = [open = entry.open, name]() -> std::unique_ptr<impl::Subject> {
    return std::make_unique<Masked>(open(), name);
  };
  masked.name = std::move(name);
  masked.summary.clear();
  masked.caught_by.clear();
  masked.defect.clear();
  masked.trial = {};
  return masked;
}

}  // namespace dropcheck::self_test
