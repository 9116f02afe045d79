#include "dropcheck/impl/adapters/worker.hpp"
#include "torch_subject.hpp"

int main() {
  using namespace dropcheck::impl::adapters;
  return run_worker(torch_in_process());
}
