#include "todays_test.hpp"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <map>

#include "dropcheck/impl/tensor.hpp"

namespace dropcheck::properties::todays_tests {

std::vector<TodaysTest> todays_tests() {
  std::vector<TodaysTest> all = counting_tests();
  std::vector<TodaysTest> others = other_tests();
  std::move(others.begin(), others.end(), std::back_inserter(all));
  return all;
}

double false_alarm(const TodaysTest& test) {
  double log_pass = 0;
  double sum = 0;
  for (const Case& situation : test.cases) {
    const double rate = test.false_alarm(situation);
    log_pass += std::log1p(-rate);
    sum += rate;
  }
  return test.choice == Cases::kAll
             ? std::abs(std::expm1(log_pass))
             : sum / static_cast<double>(test.cases.size());
}

double decisions(const TodaysTest& test) {
  std::map<std::string, double> by_layer;
  for (const Case& situation : test.cases) {
    const double drawn =
        static_cast<double>(impl::element_count(situation.shape)) *
        static_cast<double>(situation.calls);
    double& total = by_layer[situation.layer];
    total = test.choice == Cases::kAll ? total + drawn : std::max(total, drawn);
  }
  double most = 0;
  for (const auto& entry : by_layer) most = std::max(most, entry.second);
  return most;
}

}  // namespace dropcheck::properties::todays_tests
