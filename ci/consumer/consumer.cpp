// Verifies a dropout layer of our own through the installed headers.
//
//   consumer           a right layer: exit status 0
//   consumer wrong     drops half as often as it says: exit status 1
#include <cstdio>
#include <dropcheck/impl/in_process.hpp>
#include <dropcheck/properties/verify.hpp>
#include <exception>

#include "toy_dropout.hpp"

namespace {

namespace impl = dropcheck::impl;
namespace properties = dropcheck::properties;

int verify_toy(double share) {
  impl::SubjectEntry promise;
  promise.name = "toy:dropout";
  promise.layer = "dropout";
  const auto entry = impl::in_process(
      promise, [share](double drop) { return ToyDropout(drop, drop * share); });

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
  // What the layer declares that it cannot do is no defect.
  const int status = properties::exit_status(result);
  const auto verdict = properties::name_of(properties::worst(result));
  std::printf("verdict: %.*s\n",
              status == 0 ? 9 : static_cast<int>(verdict.size()),
              status == 0 ? "certified" : verdict.data());
  return status;
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
