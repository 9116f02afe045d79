// The Python module dropcheck._native: one call a run, JSON in and out.
#include <fmt/format.h>
#include <nanobind/nanobind.h>
#include <nanobind/stl/function.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <stdexcept>
#include <thread>

#include "contract.hpp"
#include "dropcheck/properties/glob.hpp"
#include "dropcheck/properties/verify.hpp"
#include "dropcheck/properties/version.hpp"
#include "dropcheck/reports/html.hpp"
#include "dropcheck/reports/identification.hpp"
#include "dropcheck/reports/json.hpp"
#include "dropcheck/reports/junit.hpp"
#include "dropcheck/reports/markdown.hpp"
#include "dropcheck/reports/terminal.hpp"
#include "python_subject.hpp"

namespace dropcheck::python {
namespace {

namespace nb = nanobind;
using nlohmann::json;
using properties::RunResult;

/// What is known of a run while it goes on.
struct Watch {
  std::atomic<bool> interrupt = false;
  std::mutex mutex;
  std::condition_variable changed;
  bool done = false;
  std::size_t checks_done = 0;
  std::size_t checks = 0;
  std::string what;
};

/// Tells `progress` how far it is; true if it, or a signal, wants an end.
bool told_to_stop(const nb::object& progress, std::size_t done,
                  std::size_t total, const std::string& what) {
  if (!progress.is_none() && total > 0) progress(done, total, what);
  return PyErr_CheckSignals() != 0;
}

/// Runs `work` on another thread while this one stays the interpreter's:
/// Python code gets its lock, Ctrl-C its KeyboardInterrupt.
template <class Result>
Result watched(const nb::object& progress,
               const std::function<Result(Watch&)>& work) {
  Watch watch;
  std::optional<Result> result;
  std::exception_ptr failure;
  std::exception_ptr raised;
  std::thread worker([&] {
    try {
      result = work(watch);
    } catch (...) {
      failure = std::current_exception();
    }
    const std::lock_guard lock(watch.mutex);
    watch.done = true;
    watch.changed.notify_all();
  });
  for (bool done = false; !done;) {
    std::size_t now = 0;
    std::size_t total = 0;
    std::string what;
    {
      const nb::gil_scoped_release unlocked;
      std::unique_lock lock(watch.mutex);
      done = watch.changed.wait_for(lock, std::chrono::milliseconds(50),
                                    [&] { return watch.done; });
      now = watch.checks_done;
      total = watch.checks;
      what = watch.what;
    }
    if (raised) continue;
    try {
      if (told_to_stop(progress, now, total, what)) throw nb::python_error();
    } catch (...) {
      raised = std::current_exception();
      watch.interrupt = true;
    }
  }
  {
    const nb::gil_scoped_release unlocked;
    worker.join();
  }
  if (raised) std::rethrow_exception(raised);
  if (failure) std::rethrow_exception(failure);
  return std::move(*result);
}

properties::Progress progress_into(Watch& watch) {
  properties::Progress progress;
  progress.interrupt = &watch.interrupt;
  progress.report = [&watch](std::size_t done, std::size_t total,
                             const std::string& what) {
    const std::lock_guard lock(watch.mutex);
    watch.checks_done = done;
    watch.checks = total;
    watch.what = what;
  };
  return progress;
}

bool plans_any(const properties::Plan& plan, const std::string& pattern) {
  for (const auto& configuration : plan.configurations) {
    for (const auto& check : configuration.checks) {
      if (!check.hidden && (properties::glob_matches(pattern, check.check) ||
                            properties::glob_matches(pattern, check.id))) {
        return true;
      }
    }
  }
  return false;
}

/// A run that asks nothing would be no answer.
void refuse_empty(const properties::Plan& plan) {
  if (plan.configurations.empty() && !plan.warnings.empty()) {
    throw std::invalid_argument(plan.warnings.front());
  }
  for (const std::string& pattern : plan.settings.only) {
    if (plans_any(plan, pattern)) continue;
    throw std::invalid_argument(fmt::format(
        "only is '{}', but no check of this layer is called that", pattern));
  }
}

void refuse_too_long(const properties::Plan& plan) {
  const auto limit = plan.settings.time_limit_seconds;
  if (!limit || plan.worst_seconds <= *limit) return;
  throw std::invalid_argument(fmt::format(
      "time_limit is {:g} s, but profile {} needs up to {:.2g} s", *limit,
      properties::name_of(plan.settings.profile), plan.worst_seconds));
}

json parsed(const std::string& text) { return json::parse(text); }

std::string verify(const nb::object& make, const std::string& contract_text,
                   const std::string& settings_text,
                   const std::optional<std::string>& replay,
                   const nb::object& progress) {
  const json contract = parsed(contract_text);
  const json asked = parsed(settings_text);
  const impl::SubjectEntry entry =
      python_subject(entry_from(contract), description_from(contract), make);
  const properties::Settings settings = settings_from(asked);
  return watched<std::string>(progress, [&](Watch& watch) {
    properties::Plan plan =
        replay ? properties::replay_plan(properties::decode_token(*replay),
                                         entry, settings.call_timeout_seconds)
               : properties::make_plan({entry}, settings);
    refuse_empty(plan);
    if (!replay) refuse_too_long(plan);
    plan.settings.threads = settings.threads;
    RunResult result = properties::verify(plan, progress_into(watch));
    result.started = asked.value("started", "");
    result.command = asked.value("command", "");
    result.environment =
        asked.value("environment", std::map<std::string, std::string>{});
    return reports::to_json(result).dump();
  });
}

std::string identify(const nb::object& make, const std::string& contract_text,
                     const std::string& settings_text) {
  const json contract = parsed(contract_text);
  const json asked = parsed(settings_text);
  const impl::SubjectEntry entry =
      python_subject(entry_from(contract), description_from(contract), make);
  properties::IdentifySettings settings;
  settings.config.drop_probability = asked.at("p");
  settings.config.dtype = description_from(contract).dtypes.front();
  settings.seed = asked.at("seed");
  settings.alpha = asked.at("alpha");
  if (!asked.at("shape").is_null()) {
    settings.shape = asked.at("shape").get<impl::Shape>();
  }
  return watched<std::string>(nb::none(), [&](Watch& watch) {
    settings.interrupt = &watch.interrupt;
    const auto found = properties::identify(entry, settings);
    return json{{"identification", reports::to_json(found)},
                {"text", reports::identification_text(
                             found, {.colour = false, .unicode = true})}}
        .dump();
  });
}

/// Runs that share one alarm budget as one: their e-values, each with its
/// weight, are added.
RunResult joined(const std::vector<std::string>& texts) {
  RunResult whole;
  double sum = 0;
  double largest = -1;
  for (std::size_t i = 0; i < texts.size(); ++i) {
    RunResult part = reports::from_json(parsed(texts[i]));
    const double e = std::pow(10.0, part.log10_run_e);
    sum += e;
    if (i == 0) {
      whole = part;
    } else {
      const auto append = [](auto& to, auto& from) {
        to.insert(to.end(), from.begin(), from.end());
      };
      append(whole.subjects, part.subjects);
      append(whole.findings, part.findings);
      append(whole.warnings, part.warnings);
      whole.seconds += part.seconds;
      whole.interrupted = whole.interrupted || part.interrupted;
      if (e > largest) whole.largest_term = part.largest_term;
    }
    largest = std::max(largest, e);
  }
  whole.log10_run_e = std::log10(sum);
  whole.alarm = whole.log10_run_e >= -std::log10(whole.alpha);
  return whole;
}

std::string rendered(const std::vector<std::string>& texts,
                     const std::string& form, bool colour) {
  const RunResult result = joined(texts);
  if (form == "html") return reports::html_report(result);
  if (form == "json") return reports::to_json(result).dump(2) + "\n";
  if (form == "junit") return reports::junit_xml(result);
  if (form == "markdown") return reports::markdown_summary(result);
  return reports::summary_table(result, {.colour = colour});
}

int exit_status_of(const std::string& text) {
  return properties::exit_status(reports::from_json(parsed(text)));
}

nb::list layers() {
  nb::list list;
  for (const impl::Law& law : impl::laws()) {
    nb::dict dict;
    dict["layer"] = std::string(law.layer);
    dict["summary"] = std::string(law.summary);
    dict["source"] = std::string(law.source);
    list.append(dict);
  }
  return list;
}

}  // namespace
}  // namespace dropcheck::python

NB_MODULE(_native, module) {
  namespace python = dropcheck::python;
  namespace nb = nanobind;
  module.def("verify", &python::verify, nb::arg("make"), nb::arg("contract"),
             nb::arg("settings"), nb::arg("replay").none(),
             nb::arg("progress").none());
  module.def("identify", &python::identify, nb::arg("make"),
             nb::arg("contract"), nb::arg("settings"));
  module.def("rendered", &python::rendered, nb::arg("results"), nb::arg("form"),
             nb::arg("colour"));
  module.def("exit_status", &python::exit_status_of, nb::arg("result"));
  module.def("layers", &python::layers);
  module.attr("__version__") = std::string(dropcheck::properties::kVersion);
}
