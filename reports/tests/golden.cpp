#include "golden.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <sstream>

namespace dropcheck::reports {

void expect_golden(const std::string& name, const std::string& text) {
  const std::string path = std::string(DROPCHECK_GOLDEN_DIR) + "/" + name;
  if (std::getenv("DROPCHECK_UPDATE_GOLDEN") != nullptr) {
    std::ofstream(path) << text;
    return;
  }
  std::ifstream file(path);
  ASSERT_TRUE(file) << path << " is missing: set DROPCHECK_UPDATE_GOLDEN";
  std::ostringstream golden;
  golden << file.rdbuf();
  EXPECT_EQ(golden.str(), text) << "to accept it, set DROPCHECK_UPDATE_GOLDEN";
}

}  // namespace dropcheck::reports
