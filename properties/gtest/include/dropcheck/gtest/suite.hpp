#pragma once

/// One test a check: ctest shows each, and each can be run alone.
///
///   DROPCHECK_CONFORMANCE_SUITE(MyDropout, "dropout");
///
/// registers MyDropout.support, MyDropout.drop_rate and so on, for the checks
/// that have a meaning for the law. Those that the filter selects are run
/// together when the first of them is; what a check finds, and its share of the
/// alarm budget, do not depend on which others run.

#include <algorithm>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "dropcheck/gtest/conforms.hpp"
#include "dropcheck/properties/check_catalogue.hpp"
#include "dropcheck/properties/glob.hpp"

namespace dropcheck::gtest {

/// The checks of a contract, run once for all their tests.
class ConformanceSuite {
 public:
  ConformanceSuite(std::string name, NamedEntry subject, Contract contract)
      : name_(std::move(name)),
        subject_(std::move(subject)),
        contract_(std::move(contract)),
        share_(alarm_shares().next()) {}

  const Contract& contract() const { return contract_; }
  const std::string& layer() const { return subject_.layer; }

  /// What one check found. Runs all selected checks at the first call, and
  /// again, with a share and seed of its own, when a check is asked twice.
  Outcome outcome(const std::string& check) {
    if (!asked_.insert(check).second) {
      asked_ = {check};
      share_ = alarm_shares().next();
      whole_.reset();
    }
    if (!whole_) {
      whole_ =
          session().verify({subject_.entry, contract_, share_, selected()});
    }
    Outcome part = *whole_;
    std::erase_if(part.result.findings, [&](const auto& finding) {
      return finding.check != check && finding.check != "open";
    });
    // An alarm of all together is told once, where most of it comes from.
    part.result.alarm =
        part.result.alarm &&
        std::any_of(part.result.findings.begin(), part.result.findings.end(),
                    [&](const auto& finding) {
                      return finding.id == part.result.largest_term;
                    });
    return part;
  }

 private:
  /// The checks whose tests run.
  std::vector<std::string> selected() const {
    const auto& unit = *::testing::UnitTest::GetInstance();
    std::vector<std::string> checks;
    for (int i = 0; i < unit.total_test_suite_count(); ++i) {
      const ::testing::TestSuite& suite = *unit.GetTestSuite(i);
      if (suite.name() != name_) continue;
      for (int k = 0; k < suite.total_test_count(); ++k) {
        const ::testing::TestInfo& test = *suite.GetTestInfo(k);
        if (test.should_run()) checks.emplace_back(test.name());
      }
    }
    return checks;
  }

  std::string name_;
  NamedEntry subject_;
  Contract contract_;
  double share_;
  std::set<std::string> asked_;
  std::optional<Outcome> whole_;
};

struct SourceLine {
  const char* file;
  int line;
};

/// The test of one check.
class CheckTest : public ::testing::Test {
 public:
  CheckTest(std::shared_ptr<ConformanceSuite> suite, std::string check,
            SourceLine source)
      : suite_(std::move(suite)), check_(std::move(check)), source_(source) {}

  void TestBody() override {
    try {
      judge(suite_->outcome(check_));
    } catch (const std::exception& error) {
      fail(std::string("dropcheck: ") + error.what());
    }
  }

 private:
  void judge(const Outcome& outcome) const {
    const auto& findings = outcome.result.findings;
    if (outcome.left_out) GTEST_SKIP() << "another finding is repeated";
    if (findings.empty()) GTEST_SKIP() << "left out by the contract";
    const bool lacking =
        std::all_of(findings.begin(), findings.end(), [](const auto& finding) {
          return finding.verdict == properties::Verdict::kNotSupported;
        });
    if (lacking) GTEST_SKIP() << findings.front().sentence;
    const auto verdict =
        verdict_on(outcome, suite_->layer(), suite_->contract());
    if (!verdict) fail(verdict.message());
  }

 protected:
  void fail(const std::string& message) const {
    ADD_FAILURE_AT(source_.file, source_.line) << message;
  }

 private:
  std::shared_ptr<ConformanceSuite> suite_;
  std::string check_;
  SourceLine source_;
};

/// The test of a contract that cannot be.
class BadContractTest : public CheckTest {
 public:
  BadContractTest(std::string message, SourceLine source)
      : CheckTest(nullptr, {}, source), message_(std::move(message)) {}
  void TestBody() override { fail("dropcheck: " + message_); }

 private:
  std::string message_;
};

inline void register_test(const std::string& suite, const std::string& test,
                          SourceLine source,
                          const std::function<CheckTest*()>& make) {
  ::testing::RegisterTest(suite.c_str(), test.c_str(), nullptr, nullptr,
                          source.file, source.line, make);
}

/// Whether a contract asks for a check anywhere. Patterns of whole identifiers
/// are for the run to match.
inline bool asks_for(const Contract& contract, const std::string& check) {
  return contract.only.empty() ||
         std::any_of(contract.only.begin(), contract.only.end(),
                     [&](const std::string& glob) {
                       return glob.find('[') != std::string::npos ||
                              properties::glob_matches(glob, check) ||
                              properties::glob_matches(
                                  glob, contract.layer + "." + check);
                     });
}

/// Registers the tests of a suite. Called before main: what is wrong with the
/// contract becomes a test that fails.
template <class Given>
bool register_suite(const std::string& name, const Given& given,
                    const Contract& contract, SourceLine source) try {
  const NamedEntry subject = named_entry(given, contract, "gtest:" + name);
  const auto suite =
      std::make_shared<ConformanceSuite>(name, subject, contract);
  const impl::Law law = impl::law_of(subject.entry);
  for (const properties::CheckInfo& info : properties::checks()) {
    const std::string check(info.name);
    if (!properties::not_applicable(info, law).empty() ||
        !asks_for(contract, check)) {
      continue;
    }
    register_test(name, check, source,
                  [=] { return new CheckTest(suite, check, source); });
  }
  return true;
} catch (const std::exception& error) {
  register_test(name, "contract", source,
                [source, message = std::string(error.what())] {
                  return new BadContractTest(message, source);
                });
  return false;
}

}  // namespace dropcheck::gtest

/// `Layer` is a class that is made from a drop probability or a LayerConfig,
/// and the name of the suite; what follows is a contract.
#define DROPCHECK_CONFORMANCE_SUITE(Layer, ...) \
  DROPCHECK_CONFORMANCE_SUITE_OF(               \
      Layer, (::dropcheck::impl::factory_of<Layer>()), __VA_ARGS__)

/// The same for anything that EXPECT_CONFORMS takes, under a name.
#define DROPCHECK_CONFORMANCE_SUITE_OF(name, given, ...)           \
  [[maybe_unused]] static const bool dropcheck_suite_##name =      \
      ::dropcheck::gtest::register_suite(                          \
          #name, given, ::dropcheck::gtest::contract(__VA_ARGS__), \
          {__FILE__, __LINE__})
