#pragma once

/// Dropout layers in GoogleTest.
///
///   TEST(MyDropout, Conforms) {
///     EXPECT_CONFORMS([](double drop) { return MyDropout(drop); }, "dropout");
///   }
///
/// The first argument is a function that makes layers (impl::LayerFactory), a
/// layer, or an impl::SubjectEntry; the rest is a Contract, in braces where it
/// is more than the name of the law: {.layer = "dropout2d", .dtypes = {...}}.
///
/// Chance   all assertions of a process together fail for right layers with
///          probability at most 1e-9 (--dropcheck_alpha), however many there
///          are: the i-th one gets 1 / (i (i + 1)) of that.
/// Options  --dropcheck_profile, _seed, _alpha, _threads and _call_timeout, or
///          DROPCHECK_PROFILE and so on, or dropcheck::gtest::defaults() before
///          the first assertion.
/// Replay   a failure ends with a line that repeats its finding alone.

#include <gtest/gtest.h>

#include <concepts>
#include <exception>
#include <string>
#include <type_traits>
#include <typeinfo>

#include "dropcheck/gtest/contract.hpp"
#include "dropcheck/gtest/process.hpp"
#include "dropcheck/gtest/session.hpp"
#include "dropcheck/gtest/wording.hpp"
#include "dropcheck/impl/in_process.hpp"

namespace dropcheck::gtest {

/// A subject to verify, and what to call its layer in a failure.
struct NamedEntry {
  impl::SubjectEntry entry;
  std::string layer;
};

/// The entry of a layer, of a function that makes layers, or of an entry of
/// another door, under the terms of a contract.
template <class Given>
NamedEntry named_entry(const Given& given, const Contract& contract,
                       const std::string& name) {
  impl::SubjectEntry entry = entry_of(contract, name);
  if constexpr (std::same_as<Given, impl::SubjectEntry>) {
    entry.open = given.open;
    entry.guard = given.guard;
    if (contract.variants.empty()) entry.variants = given.variants;
    return {entry, given.name};
  } else if constexpr (impl::LayerFactory<std::decay_t<Given>>) {
    const std::decay_t<Given> make = given;  // a function becomes a pointer
    return {impl::in_process(entry, make, dtypes_of(contract)),
            readable(typeid(decltype(impl::detail::make_layer(make, {}))))};
  } else {
    static_assert(impl::InProcessLayer<Given>,
                  "give a layer with forward(input, training, output), or a "
                  "function of a drop probability or a LayerConfig that makes "
                  "one");
    static_assert(
        std::copy_constructible<Given> && impl::ReseedableLayer<Given>,
        "a layer is copied, and copies of a generator draw the same "
        "masks: give it reseed(seed), or give a function that makes "
        "layers");
    const auto copies = impl::copies_of(given, only_probability(contract));
    return {impl::in_process(entry, copies, dtypes_of(contract)),
            readable(typeid(Given))};
  }
}

/// "Suite.Test" of the test that runs.
inline std::string current_test() {
  const auto* test = ::testing::UnitTest::GetInstance()->current_test_info();
  if (test == nullptr) return "outside";
  return std::string(test->test_suite_name()) + "." + test->name();
}

/// Says whether an outcome is a pass, and what is wrong with it if not.
inline ::testing::AssertionResult verdict_on(const Outcome& outcome,
                                             const std::string& layer,
                                             const Contract& contract) {
  if (outcome.left_out || conforms(outcome.result)) {
    return ::testing::AssertionSuccess();
  }
  return ::testing::AssertionFailure()
         << failure_text(outcome.result, {.layer = layer,
                                          .law = contract.layer,
                                          .test = current_test(),
                                          .program = program(),
                                          .seed = session().seed()});
}

/// The predicate behind EXPECT_CONFORMS.
struct Conforms {
  template <class Given>
  ::testing::AssertionResult operator()(const char*, const char*,
                                        const Given& given,
                                        const Contract& contract) const {
    try {
      const NamedEntry named =
          named_entry(given, contract, session().next_name(current_test()));
      return verdict_on(
          session().verify({named.entry, contract, alarm_shares().next()}),
          named.layer, contract);
    } catch (const std::exception& error) {
      return ::testing::AssertionFailure() << "dropcheck: " << error.what();
    }
  }
};

/// Tells the session when all tests begin to run and when they have run.
class SessionEnvironment final : public ::testing::Environment {
 public:
  void SetUp() override { begin_iteration(); }
  void TearDown() override {
    if (const auto complaint = unanswered_replay()) {
      ADD_FAILURE() << *complaint;
    }
  }
};

/// GoogleTest owns what it is given.
inline ::testing::Environment* const kSessionEnvironment =
    ::testing::AddGlobalTestEnvironment(new SessionEnvironment);

}  // namespace dropcheck::gtest

/// Passes if every finding is certified, or declared as not supported;
/// inconclusive is a failure.
#define EXPECT_CONFORMS(layer, ...)                          \
  EXPECT_PRED_FORMAT2(::dropcheck::gtest::Conforms(), layer, \
                      ::dropcheck::gtest::contract(__VA_ARGS__))
#define ASSERT_CONFORMS(layer, ...)                          \
  ASSERT_PRED_FORMAT2(::dropcheck::gtest::Conforms(), layer, \
                      ::dropcheck::gtest::contract(__VA_ARGS__))
