// Today's tests on trial, beside dropcheck: prints what
// ci/compare-with-todays-tests makes a page of.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <iostream>
#include <limits>
#include <nlohmann/json.hpp>
#include <set>

#include "comparison.hpp"
#include "dropcheck/impl/guarded_subject.hpp"

namespace dropcheck::properties::todays_tests {
namespace {

using nlohmann::json;

struct Options {
  double at_most = std::numeric_limits<double>::infinity();
  bool dropcheck = true;
};

json as_json(const std::vector<Record>& records) {
  json list = json::array();
  for (const Record& record : records) {
    list.push_back({{"subject", record.subject},
                    {"runs", record.runs},
                    {"passed", record.passed},
                    {"granted", record.granted}});
  }
  return list;
}

/// Without those that are wrong in the mask they hand out, or in the generator
/// that they declare, only: these tests look at results, and would let all of
/// them pass.
const std::vector<impl::SubjectEntry>& wrong_layers() {
  static const std::vector<impl::SubjectEntry> kLayers = [] {
    std::vector<impl::SubjectEntry> layers = impl::faulty_subjects();
    std::erase_if(layers, [](const impl::SubjectEntry& entry) {
      return entry.caught_by == "mask_output" || entry.caught_by == "replay";
    });
    return layers;
  }();
  return kLayers;
}

json row(const TodaysTest& test, std::set<std::string>& hanging) {
  std::cerr << test.name << std::endl;
  return {
      {"name", test.name},
      {"assertion", test.assertion},
      {"layers", test.layers},
      {"decisions", decisions(test)},
      {"stated_false_alarm", test.stated.text},
      {"false_alarm", false_alarm(test)},
      {"wrong", as_json(try_layers(test, wrong_layers(), hanging))},
      {"right", as_json(try_layers(test, impl::builtin_subjects(), hanging))}};
}

json dropcheck_row() {
  std::cerr << "dropcheck" << std::endl;
  json list = json::array();
  for (const impl::SubjectEntry& entry : wrong_layers()) {
    const Refutation refutation = refute(entry);
    list.push_back({{"subject", refutation.subject},
                    {"layer", entry.layer},
                    {"check", refutation.check},
                    {"profile", refutation.profile},
                    {"drop", refutation.drop},
                    {"refuted", refutation.refuted}});
  }
  return list;
}

json compare(const Options& options) {
  json document{{"tests", json::array()}};
  std::set<std::string> hanging;
  for (const TodaysTest& test : todays_tests()) {
    if (decisions(test) <= options.at_most) {
      document["tests"].push_back(row(test, hanging));
    }
  }
  if (options.dropcheck) document["dropcheck"] = dropcheck_row();
  return document;
}

}  // namespace
}  // namespace dropcheck::properties::todays_tests

int main(int argc, char** argv) {
  namespace todays = dropcheck::properties::todays_tests;
  todays::Options options;
  CLI::App app{"Runs today's tests of dropout over the zoo; prints JSON."};
  app.add_option("--at-most", options.at_most,
                 "leave out tests that draw more decisions in a run");
  app.add_flag("!--without-dropcheck", options.dropcheck,
               "leave out dropcheck itself");
  CLI11_PARSE(app, argc, argv);
  std::cout << todays::compare(options).dump(1) << std::endl;
  // Layers that hang still run on threads of their own.
  if (dropcheck::impl::abandoned_calls() > 0) std::quick_exit(0);
  return 0;
}
