#pragma once

#include <string>

namespace dropcheck::reports {

/// Compares with tests/golden/NAME. With DROPCHECK_UPDATE_GOLDEN in the
/// environment the file is written instead: read the difference before
/// committing it.
void expect_golden(const std::string& name, const std::string& text);

}  // namespace dropcheck::reports
