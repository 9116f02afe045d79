#pragma once

#include "dropcheck/self_test/result.hpp"

namespace dropcheck::reports {

/// A self-test with one of everything, and one thing wrong of each kind.
inline self_test::SelfTestResult sample_self_test() {
  using properties::Verdict;
  self_test::SelfTestResult result;
  result.version = "0.1.0";
  result.profile = "quick";
  result.seed = 18446744073709551615U;
  result.threads = 2;
  result.started = "2026-03-14T09:26:53Z";
  result.command = "dropcheck self-test --seed 18446744073709551615";
  result.seconds = 31.4;
  result.checks = {"support", "drop_rate", "seeding"};
  result.kills = {
      {"faulty:threshold_8bit",
       "dropout",
       "one byte & <no more>",
       "a drop rate off by 0.0016",
       "drop_rate",
       "pr",
       0.1,
       Verdict::kRefuted,
       true,
       true,
       "drop rate is 0.1016, not 0.1",
       2089952,
       0.2,
       {"drop_rate"},
       {}},
      {"faulty:no_scale",
       "dropout",
       "the 1/keep is missing",
       "",
       "support",
       "smoke",
       0.1,
       Verdict::kRefuted,
       true,
       true,
       "x becomes x",
       130784,
       0.001,
       {"support", "drop_rate", "seeding"},
       {"seeding"}},
      {"faulty:missed",
       "dropout",
       "too small to be seen",
       "",
       "drop_rate",
       "smoke",
       0.1,
       Verdict::kCertified,
       false,
       false,
       "right",
       44957,
       0.001,
       {"support", "drop_rate"},
       {}},
  };
  result.left_out = {"faulty:threshold_16bit"};
  result.false_alarms = {
      .runs = 400,
      .subjects = 20,
      .configurations = 183,
      .findings = 5525,
      .inconclusive = 1,
      .alarm_limit = 0.00746,
      .inconclusive_limit = 0.0118,
      .seconds = 12,
      .offences = {{"builtin:dropout", "p=0.1,f32,61x67", 7,
                    Verdict::kInconclusive, "drop_rate: too few"}}};
  result.powers = {{"rate_above", "drop_rate", "a drop rate too high by", 0.1,
                    0.011, 0.011, 1e-9, 12, 12, 0, true, true},
                   {"rate_above", "drop_rate", "a drop rate too high by", 0.1,
                    0.011, 0.0055, 1e-9, 100, 17, 0, false, false}};
  result.exactness = {{"log_martingale", "mean under the null", 1, 1, 1, true},
                      {"doubled", "mean under the null", 1, 1.5, 1, false}};
  result.failures = {"faulty:missed must be refuted by drop_rate",
                     "builtin:dropout is right, but is inconclusive",
                     "doubled: mean under the null"};
  return result;
}

}  // namespace dropcheck::reports
