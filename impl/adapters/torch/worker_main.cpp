#include <malloc.h>

#include "dropcheck/impl/adapters/worker.hpp"
#include "torch_subject.hpp"

int main() {
  using namespace dropcheck::impl::adapters;
  // Results of the same size come and go: memory that is given back to the
  // system between two calls costs a page fault each time.
  mallopt(M_MMAP_THRESHOLD, 32 << 20);
  mallopt(M_TRIM_THRESHOLD, 256 << 20);
  return run_worker(torch_in_process());
}
