// Verifies a dropout layer of our own through the installed headers.
//
//   consumer           a right layer: exit status 0
//   consumer wrong     drops half as often as it says: exit status 1
#include <cstdio>
#include <dropcheck/impl/simple_layer.hpp>
#include <dropcheck/properties/verify.hpp>
#include <exception>
#include <memory>
#include <random>
#include <stdexcept>
#include <vector>

namespace {

namespace impl = dropcheck::impl;
namespace properties = dropcheck::properties;

// Dropout as one would write it by hand; models impl::InProcessLayer.
class ToyDropout {
 public:
  ToyDropout(double drop, double drawn) : keep_(1 - drop), drawn_(drawn) {
    if (!(drop >= 0 && drop <= 1)) {
      throw std::domain_error("drop probability must be in [0, 1]");
    }
  }

  impl::Shape output_shape(const impl::TensorView& input) const {
    return input.shape;
  }

  void forward(const impl::TensorView& input, bool training,
               const impl::TensorView& output) {
    factors_.assign(static_cast<std::size_t>(input.size()), 1.0);
    if (training) draw();
    apply(input, output);
  }

  void backward(const impl::TensorView& gradient,
                const impl::TensorView& output) const {
    apply(gradient, output);
  }

  void reseed(std::uint64_t seed) { generator_.seed(seed); }

 private:
  void draw() {
    for (double& factor : factors_) {
      const double uniform = std::generate_canonical<double, 53>(generator_);
      factor = uniform < drawn_ ? 0 : 1 / keep_;
    }
  }

  void apply(const impl::TensorView& from, const impl::TensorView& to) const {
    for (std::int64_t i = 0; i < from.size(); ++i) {
      const double factor = factors_[static_cast<std::size_t>(i)];
      to.set(i, factor == 0 ? 0 : from.value(i) * factor);
    }
  }

  double keep_;
  double drawn_;
  std::mt19937_64 generator_;
  std::vector<double> factors_;
};

std::unique_ptr<impl::Subject> open_toy(double share) {
  const auto make = [share](const impl::LayerConfig& config) {
    const double drop = config.drop_probability;
    return std::make_unique<impl::SimpleLayer<ToyDropout>>(
        ToyDropout(drop, drop * share), config.in_place);
  };
  impl::Description description;
  description.name = "toy dropout";
  description.version = "1";
  description.dtypes = {impl::DType::kFloat32};
  return std::make_unique<impl::InProcessSubject<decltype(make)>>(description,
                                                                  make);
}

int verify_toy(double share) {
  impl::SubjectEntry entry;
  entry.name = "toy:dropout";
  entry.layer = "dropout";
  entry.open = [share] { return open_toy(share); };

  properties::Settings settings;
  settings.profile = properties::Profile::kSmoke;
  settings.drop_probabilities = {0.5};
  settings.seed = 1;
  const auto plan = properties::make_plan({entry}, settings);
  const auto result = properties::verify(plan);
  for (const auto& finding : result.findings) {
    if (finding.verdict == properties::Verdict::kCertified) continue;
    std::printf("%s: %s\n", finding.id.c_str(), finding.sentence.c_str());
  }
  const auto verdict = properties::name_of(properties::worst(result));
  std::printf("verdict: %.*s\n", static_cast<int>(verdict.size()),
              verdict.data());
  return properties::exit_status(result);
}

}  // namespace

int main(int argc, char**) {
  try {
    return verify_toy(argc > 1 ? 0.5 : 1.0);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "consumer: %s\n", error.what());
    return 70;
  }
}
