#include "dropcheck/cli/options.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <sstream>

#include "dropcheck/cli/output.hpp"
#include "dropcheck/cli/usage_error.hpp"
#include "dropcheck/cli/values.hpp"
#include "help_text.hpp"
#include "option_rules.hpp"

namespace dropcheck::cli {
namespace {

// The values as they were typed.
struct Texts {
  std::vector<std::string> drop_probabilities, shapes, dtypes;
  std::string delta, seed, alpha, threads, time_limit, call_timeout, runs;
  std::string generated, shrink_limit, expires;
};

constexpr const char* kFooter =
    "Exit status: 0 all certified, 1 refuted, 2 usage, 3 inconclusive,\n"
    "4 adapter broke or a report could not be written, 5 nothing ran,\n"
    "70 internal error, 130 interrupted.";

constexpr const char* kTextFooter =
    "Exit status: 0 printed, 2 usage, 4 an adapter or standard output broke,\n"
    "70 internal error.";

constexpr const char* kIdentifyFooter =
    "Exit status: 0 unit, values and rate are known, 1 the subject crashed or\n"
    "timed out, 2 usage, 3 not all can be told, 4 adapter broke or the report\n"
    "could not be written, 70 internal error, 130 interrupted.";

constexpr const char* kSelfTestFooter =
    "Exit status: 0 all is as it must be, 1 it is not, 2 usage, 4 a report\n"
    "could not be written, 70 internal error, 130 interrupted.";

constexpr const char* kDeviationsFooter =
    "Exit status: 0 the file fits the results, 1 something refuted is not\n"
    "declared, 2 usage, or an entry is stale, expired or has grown, 3 "
    "something\n"
    "is inconclusive, 4 the file could not be written, 70 internal error.";

// A list option takes one value at a time, so that it leaves the subjects
// behind it alone.
void add_list(CLI::App& app, const std::string& name,
              std::vector<std::string>& values, const std::string& help) {
  app.add_option(name, values, help)->allow_extra_args(false);
}

void add_run_options(CLI::App& app, Options& options, Texts& texts) {
  app.add_option("SUBJECT", options.subjects,
                 "what to verify: builtin:NAME, faulty:NAME, odd:NAME, "
                 "torch:NAME, lib:PATH, cmd:'PROGRAM ARGUMENTS', "
                 "py:MODULE:NAME, or a glob such as 'torch:*'; none means "
                 "'builtin:*'")
      ->type_name("");
  add_list(app, "--layer", options.layers, "only subjects of this layer");
  add_list(app, "--p", texts.drop_probabilities,
           "drop probability (default .1,.3,.5)");
  add_list(app, "--shape", texts.shapes, "input shape, e.g. 64x256x2x2");
  add_list(app, "--dtype", texts.dtypes, "f32, f64, f16 or bf16");
  app.add_option("--profile", options.profile,
                 "smoke, pr, nightly or exhaustive (default pr)");
  app.add_option("--delta", texts.delta,
                 "tolerance for the drop probability, in place of the "
                 "profile's");
  add_list(app, "--only", options.only,
           "only findings whose id fits this glob, e.g. 'dropout2d.*'");
  app.add_option("--seed", texts.seed,
                 "seed of the run, or 'random' (default)");
  app.add_option("--alpha", texts.alpha,
                 "how often a run of right layers may alarm (default 1e-9)");
  app.add_option("--threads", texts.threads, "default all cores");
  app.add_option("--time-limit", texts.time_limit,
                 "refuse a run that needs longer, e.g. 90, 90s, 4m");
  app.add_option("--call-timeout", texts.call_timeout,
                 "longest time for one call (default 60s)");
  app.add_option("--generated", texts.generated,
                 "configurations that RapidCheck draws for each subject "
                 "(default: 2 at smoke, 32 at pr, 256 above; none where --p, "
                 "--shape, --dtype or --deviations is given)");
  app.add_option("--shrink-limit", texts.shrink_limit,
                 "longest time for finding the smallest case of each refuted "
                 "check, 0 for none (default: 5s at smoke, 30s above)");
  app.add_flag("--in-process", options.in_process,
               "only subjects that need no worker process, for debuggers");
  app.add_option("--device", options.device, "where subjects run: cpu");
}

void add_report_options(CLI::App& app, Options& options) {
  app.add_flag("--fail-fast", options.fail_fast,
               "stop at the first refutation");
  app.add_option("--json", options.reports.json,
                 "write the result as JSON; - is standard output, for any one "
                 "report");
  app.add_option("--junit", options.reports.junit, "write JUnit XML");
  app.add_option("--html", options.reports.html, "write a page");
  app.add_option("--markdown", options.reports.markdown, "write a summary");
  app.add_option("--badge", options.reports.badge, "write an SVG badge");
  app.add_option("--deviations", options.deviations,
                 "TOML file of known deviations");
}

void add_lifetime_options(CLI::App& app, Options& options) {
  app.add_option("--lifetime", options.lifetime,
                 "file that adds up the drops of many nights");
  app.add_option("--build", options.build,
                 "what is under test, e.g. a commit: a change begins the "
                 "lifetime anew");
}

void add_color_option(CLI::App& app, Options& options) {
  app.add_flag("--no-color", options.no_color,
               "no colour (NO_COLOR is honoured as well)");
}

struct Parser {
  CLI::App app{"Decides whether a dropout layer is right.", "dropcheck"};
  Options options;
  Texts texts;
  CLI::App* verify = nullptr;
  CLI::App* plan = nullptr;
  CLI::App* list = nullptr;
  CLI::App* explain = nullptr;
  CLI::App* replay = nullptr;
  CLI::App* identify = nullptr;
  CLI::App* self_test = nullptr;
  CLI::App* adapter = nullptr;
  CLI::App* check_tensors = nullptr;
  CLI::App* deviations = nullptr;

  explicit Parser(const std::string& version) {
    app.set_version_flag("--version", "dropcheck " + version);
    // Leftovers are reported here, with a suggestion.
    app.allow_extras();
    app.require_subcommand(0, 1);
    app.get_formatter()->column_width(kHelpColumn);
    app.footer(kFooter);
    add_commands();
  }

  void add_commands() {
    verify = app.add_subcommand("verify", "Verify subjects; write reports");
    add_run_options(*verify, options, texts);
    add_report_options(*verify, options);
    add_lifetime_options(*verify, options);
    add_color_option(*verify, options);
    plan = app.add_subcommand(
        "plan", "What verify would detect, and how long it would take");
    add_run_options(*plan, options, texts);
    plan->footer(kTextFooter);
    list = app.add_subcommand(
        "list", "List layers, checks, subjects, faulty layers, idioms");
    list->add_option("WHAT", options.topic,
                     "layers, checks, subjects, faulty, idioms")
        ->type_name("");
    list->footer(kTextFooter);
    explain = app.add_subcommand("explain", "Tell how a check decides");
    explain->add_option("CHECK", options.topic, "e.g. drop_rate")
        ->type_name("");
    explain->footer(kTextFooter);
    replay = app.add_subcommand("replay", "Repeat one finding exactly");
    replay->add_option("TOKEN", options.topic, "from the end of a report")
        ->type_name("");
    replay->add_option("--threads", texts.threads, "default all cores");
    replay->add_option("--call-timeout", texts.call_timeout,
                       "longest time for one call (default 60s)");
    add_report_options(*replay, options);
    add_color_option(*replay, options);
    add_identify();
    add_self_test();
    add_adapter();
    add_check_tensors();
    add_deviations();
  }

  void add_deviations() {
    deviations = app.add_subcommand(
        "deviations",
        "Check a file of known deviations against results, or update it");
    deviations->footer(kDeviationsFooter);
    deviations->add_option("ACTION", options.topic, "check or update")
        ->type_name("");
    deviations
        ->add_option("FILE", options.subjects,
                     "the TOML file, then results that verify wrote with "
                     "--json")
        ->type_name("");
    deviations->add_option("--url", options.url,
                           "of update: where new entries are explained");
    deviations->add_option("--reason", options.reason,
                           "of update: why the new entries are accepted "
                           "(default: what is wrong)");
    deviations->add_option("--expires", texts.expires,
                           "of update: last day of new entries, e.g. "
                           "2027-06-30");
  }

  void add_check_tensors() {
    check_tensors = app.add_subcommand(
        "check-tensors", "Judge recorded inputs and outputs of a layer");
    check_tensors
        ->add_option("FILE", options.subjects,
                     "one .npz or .safetensors file with the tensors input "
                     "and output, or .npy files, the input first")
        ->type_name("");
    add_list(*check_tensors, "--layer", options.layers,
             "the law that the layer promises, e.g. dropout2d");
    add_list(*check_tensors, "--p", texts.drop_probabilities,
             "the drop probability that was asked for");
    check_tensors->add_flag("--channels-last", options.channels_last,
                            "the channel is the last axis");
    check_tensors->add_flag("--unscaled", options.unscaled,
                            "survivors are not multiplied by 1/keep");
    check_tensors->add_option(
        "--alpha", texts.alpha,
        "how often recordings of a right layer may be refuted (default 1e-9)");
    check_tensors->add_option("--json", options.reports.json,
                              "write the result as JSON");
    check_tensors->add_option("--junit", options.reports.junit,
                              "write JUnit XML");
    check_tensors->add_option("--html", options.reports.html, "write a page");
    check_tensors->add_option("--markdown", options.reports.markdown,
                              "write a summary");
    add_color_option(*check_tensors, options);
  }

  void add_adapter() {
    adapter = app.add_subcommand(
        "adapter", "Test an adapter itself: adapter verify -- COMMAND");
    adapter->add_option("WHAT", options.topic, "verify")->type_name("");
    adapter
        ->add_option("COMMAND", options.subjects,
                     "program and arguments, behind --")
        ->type_name("");
    adapter->add_option("--call-timeout", texts.call_timeout,
                        "longest time for one answer (default 60s)");
  }

  void add_identify() {
    identify = app.add_subcommand(
        "identify", "Name the law of an unknown layer, from calls alone");
    identify->footer(kIdentifyFooter);
    identify->add_option("SUBJECT", options.topic, "e.g. torch:nn.Dropout2d")
        ->type_name("");
    add_list(*identify, "--p", texts.drop_probabilities,
             "drop probability to ask for (default 0.1)");
    add_list(*identify, "--dtype", texts.dtypes,
             "f32, f64, f16 or bf16 (default f32)");
    add_list(*identify, "--shape", texts.shapes,
             "input shape to read, instead of several");
    identify->add_option("--seed", texts.seed,
                         "seed of the calls, or 'random' (default)");
    identify->add_option("--json", options.reports.json,
                         "write what was found as JSON");
    identify->add_option("--call-timeout", texts.call_timeout,
                         "longest time for one call (default 60s)");
    identify->add_flag("--in-process", options.in_process,
                       "refuse a subject that needs a worker process");
  }

  void add_self_test() {
    self_test = app.add_subcommand(
        "self-test",
        "The oracle on trial: wrong layers, right layers, planted defects");
    self_test->footer(kSelfTestFooter);
    self_test->add_option("--profile", options.profile,
                          "quick (default) or full");
    add_list(*self_test, "--only", options.only,
             "only what fits this glob, e.g. 'kill.faulty:threshold*', "
             "'false_alarms.*', 'power.*', 'statistics.*'");
    self_test->add_option("--runs", texts.runs,
                          "runs on right layers, for the profile's number");
    self_test->add_option("--seed", texts.seed,
                          "seed of the trial, or 'random' (default)");
    self_test->add_option("--threads", texts.threads, "default all cores");
    self_test->add_option("--time-limit", texts.time_limit,
                          "fail when it takes longer, e.g. 90, 90s, 4m");
    self_test->add_option("--json", options.reports.json,
                          "write the result as JSON");
    self_test->add_option("--html", options.reports.html, "write a page");
    add_color_option(*self_test, options);
  }

  CLI::App* chosen() const {
    const auto subcommands = app.get_subcommands();
    return subcommands.empty() ? nullptr : subcommands.front();
  }

  Command command() const {
    if (verify->parsed()) return Command::kVerify;
    if (plan->parsed()) return Command::kPlan;
    if (list->parsed()) return Command::kList;
    if (explain->parsed()) return Command::kExplain;
    if (identify->parsed()) return Command::kIdentify;
    if (self_test->parsed()) return Command::kSelfTest;
    if (adapter->parsed()) return Command::kAdapter;
    if (check_tensors->parsed()) return Command::kCheckTensors;
    if (deviations->parsed()) return Command::kDeviations;
    return replay->parsed() ? Command::kReplay : Command::kNone;
  }
};

/// The profiles of self-test are its own.
void default_profile(const CLI::App& app, Options& options) {
  if (options.command != Command::kSelfTest) return;
  if (app.get_option("--profile")->count() == 0) options.profile = "quick";
}

std::vector<std::string> split_commas(const std::vector<std::string>& texts) {
  std::vector<std::string> parts;
  for (const std::string& text : texts) {
    std::size_t begin = 0;
    for (std::size_t end = 0; end != std::string::npos; begin = end + 1) {
      end = text.find(',', begin);
      parts.push_back(text.substr(begin, end - begin));
    }
  }
  return parts;
}

void read_lists(const Texts& texts, Options& options) {
  for (const std::string& text : split_commas(texts.drop_probabilities)) {
    options.drop_probabilities.push_back(parse_probability({"--p", text}));
  }
  for (const std::string& text : texts.shapes) {
    options.shapes.push_back(parse_shape({"--shape", text}));
  }
  for (const std::string& text : split_commas(texts.dtypes)) {
    options.dtypes.push_back(parse_dtype({"--dtype", text}));
  }
}

void read_numbers(const CLI::App& app, const Texts& texts, Options& options) {
  if (options.device != "cpu") {
    throw UsageError("--device is '" + options.device +
                     "', but must be cpu: no subject of this program runs "
                     "elsewhere");
  }
  if (given(app, "--delta")) {
    options.delta = parse_small({"--delta", texts.delta});
  }
  if (given(app, "--alpha")) {
    options.alpha = parse_small({"--alpha", texts.alpha});
  }
  if (given(app, "--seed") && texts.seed != "random") {
    options.seed = parse_seed({"--seed", texts.seed});
  }
  if (given(app, "--runs")) {
    options.runs = parse_runs({"--runs", texts.runs});
  }
  if (given(app, "--threads")) {
    options.threads = parse_threads({"--threads", texts.threads});
  }
  if (given(app, "--time-limit")) {
    options.time_limit_seconds =
        parse_seconds({"--time-limit", texts.time_limit});
  }
  if (given(app, "--generated")) {
    options.generated = parse_count({"--generated", texts.generated});
  }
  if (given(app, "--shrink-limit")) {
    options.shrink_limit_seconds =
        parse_limit({"--shrink-limit", texts.shrink_limit});
  }
  if (given(app, "--expires")) {
    options.expires = parse_date({"--expires", texts.expires});
  }
  if (given(app, "--call-timeout")) {
    options.call_timeout_seconds =
        parse_seconds({"--call-timeout", texts.call_timeout});
  }
}

// CLI11 says "--p: 1 required TEXT missing" or "--p: At most 1 required ...".
std::string value_count_text(const std::string& message) {
  const std::string option = message.substr(0, message.find(':'));
  const bool missing = message.find("missing") != std::string::npos;
  return option + (missing ? " needs a value" : " is given more than once");
}

// CLI11 takes the arguments from the back.
std::string parse_or_help(Parser& parser, std::vector<std::string> arguments) {
  std::reverse(arguments.begin(), arguments.end());
  try {
    parser.app.parse(arguments);
    return "";
  } catch (const CLI::Success& wish) {  // help or version
    std::ostringstream out, ignored;
    parser.app.exit(wish, out, ignored);
    return within_width(out.str());
  } catch (const CLI::ArgumentMismatch& error) {
    throw UsageError(value_count_text(error.what()));
  } catch (const CLI::ParseError& error) {
    throw UsageError(on_one_line(error.what()));
  }
}

}  // namespace

bool ReportPaths::on_standard_output() const {
  const std::string* const all[] = {&json, &junit, &html, &markdown, &badge};
  return std::any_of(std::begin(all), std::end(all),
                     [](const auto* path) { return *path == kStandardOutput; });
}

Invocation parse_command_line(std::vector<std::string> arguments,
                              const std::string& version) {
  Parser parser(version);
  Invocation invocation;
  invocation.text = parse_or_help(parser, std::move(arguments));
  if (!invocation.text.empty()) return invocation;
  refuse_leftovers(parser.app);
  parser.options.command = parser.command();
  if (const CLI::App* chosen = parser.chosen()) {
    refuse_leftovers(*chosen);
    read_lists(parser.texts, parser.options);
    read_numbers(*chosen, parser.texts, parser.options);
    default_profile(*chosen, parser.options);
    take_all_once(parser.options);
    refuse_contradictions(*chosen, parser.options);
  } else {
    invocation.text = within_width(parser.app.help());
  }
  invocation.options = std::move(parser.options);
  return invocation;
}

}  // namespace dropcheck::cli
