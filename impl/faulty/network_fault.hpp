#pragma once

#include <string>
#include <vector>

#include "dropcheck/impl/registry.hpp"
#include "networks/wiring.hpp"

namespace dropcheck::impl::faulty {

/// One known-wrong network: the reference network but for its wiring.
struct NetworkSpecimen {
  std::string name;       ///< without "faulty:"
  std::string network;    ///< the law it promises
  std::string caught_by;  ///< the check that must refute it
  std::string summary;    ///< what it does, in one line
  std::string defect;     ///< what is wrong, and where it was seen
  networks::Wiring wiring;
  Trial trial = {};
};

std::vector<NetworkSpecimen> network_faults();

}  // namespace dropcheck::impl::faulty
