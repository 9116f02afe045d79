// What decisions cost, in samples and in time.
//
//   dropcheck_stats_benchmarks [--benchmark_filter=REGEX] ...
#include <benchmark/benchmark.h>

#include <string>
#include <vector>

namespace dropcheck::stats {

void register_characteristics();
void register_simulations();
void register_evaluations();

}  // namespace dropcheck::stats

int main(int argc, char** argv) {
  std::string tabular = "--benchmark_counters_tabular=true";
  std::vector<char*> arguments(argv, argv + argc);
  arguments.insert(arguments.begin() + 1, tabular.data());
  int number = static_cast<int>(arguments.size());
  benchmark::Initialize(&number, arguments.data());
  if (benchmark::ReportUnrecognizedArguments(number, arguments.data()))
    return 2;
  dropcheck::stats::register_characteristics();
  dropcheck::stats::register_simulations();
  dropcheck::stats::register_evaluations();
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
}
