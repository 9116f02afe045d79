#pragma once

#include <optional>
#include <string>
#include <typeinfo>

#include "dropcheck/gtest/options.hpp"
#include "dropcheck/gtest/session.hpp"

namespace dropcheck::gtest {

/// Options of this process where neither arguments nor environment say
/// anything; change them before the first assertion.
Options& defaults();

/// The session of this process, made at its first use from `defaults`, the
/// arguments and the environment; it prints profile and seed. Throws
/// std::invalid_argument for an option that is none.
Session& session();

/// To be called when all tests begin to run, and run again.
void begin_iteration();

/// What is wrong when all tests have run: a token that was given, and no
/// assertion was its own.
std::optional<std::string> unanswered_replay();

/// The one alarm budget of this process.
AlarmShares& alarm_shares();

/// The program as it was started.
std::string program();

/// Name of a type for people.
std::string readable(const std::type_info& type);

}  // namespace dropcheck::gtest
