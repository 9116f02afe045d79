#include "sample_result.hpp"

#include <array>
#include <string>

namespace dropcheck::reports {
namespace {

using properties::Evidence;
using properties::Finding;
using properties::RunResult;
using properties::Verdict;

constexpr std::array<const char*, 8> kExactChecks{
    "support", "granularity", "eval_identity", "edge_probabilities",
    "layout",  "dtype",       "seeding",       "backward_mask"};
constexpr std::array<const char*, 5> kChanceChecks{
    "drop_rate", "unit_counts", "homogeneity", "independence_within",
    "independence_calls"};

struct Target {
  std::string subject;
  std::string layer;
};

Finding base(const Target& target, const std::string& check,
             const std::string& configuration) {
  Finding finding;
  finding.subject = target.subject;
  finding.layer = target.layer;
  finding.check = check;
  finding.configuration = configuration;
  finding.id = target.layer + "." + check + "[" + configuration + "]";
  finding.replay = "v1:" + target.subject + ":" + target.layer + ":" + check +
                   ":" + configuration + ":s=12345:b=0-511";
  finding.seconds = 0.125;
  return finding;
}

Finding exact(const Target& target, const std::string& check,
              const std::string& configuration) {
  Finding finding = base(target, check, configuration);
  finding.verdict = Verdict::kCertified;
  finding.evidence = Evidence::kDeterministic;
  finding.sentence = "Every value is what the law says, on 96 cases.";
  finding.bound = "right on the 96 cases listed";
  finding.n = 1572864;
  finding.calls = 96;
  return finding;
}

Finding by_chance(const Target& target, const std::string& check,
                  const std::string& configuration) {
  Finding finding = base(target, check, configuration);
  finding.verdict = Verdict::kCertified;
  finding.evidence = Evidence::kStatistical;
  finding.sentence =
      "The drop probability lies in [0.0995, 0.1005], given independent units.";
  finding.quantity = "drop probability";
  finding.expected = 0.1;
  finding.observed = 0.100012;
  finding.interval_lower = 0.099613;
  finding.interval_upper = 0.100411;
  finding.log10_e = -2.75;
  finding.weight = 0.0078125;
  finding.n = 25165824;
  finding.calls = 1536;
  finding.detectable =
      "Would have caught a drop rate off by 5e-4 with probability 1 - 1e-9.";
  finding.detectable_effect = 5e-4;
  finding.bound = "drop probability in [0.0995, 0.1005]";
  finding.seconds = 1.5;
  finding.diagnostics = {
      {"chi-square of drops per 64 units", 61.2, 64, -0.24, true, ""}};
  return finding;
}

void add_layer(RunResult& result, const Target& target) {
  for (const char* configuration :
       {"p=0.1,f32,64x256", "p=0.3,f32,64x256", "p=0.1,bf16,64x256"}) {
    for (const char* check : kExactChecks) {
      result.findings.push_back(exact(target, check, configuration));
    }
    for (const char* check : kChanceChecks) {
      result.findings.push_back(by_chance(target, check, configuration));
    }
  }
}

Finding& find(RunResult& result, const std::string& subject,
              const std::string& id) {
  for (Finding& finding : result.findings) {
    if (finding.subject == subject && finding.id == id) return finding;
  }
  std::terminate();
}

std::vector<std::string> mask_rows(bool by_channel) {
  // A fixed pattern that looks like chance; the state of a small generator.
  std::vector<std::string> rows;
  unsigned state = 12345;
  const auto next = [&state] {
    state = state * 1664525U + 1013904223U;
    return (state >> 16) % 10 != 0 ? '1' : '0';
  };
  for (int row = 0; row < 16; ++row) {
    std::string line;
    while (line.size() < 48) {
      line += by_channel ? std::string(4, next()) : std::string(1, next());
    }
    rows.push_back(line);
  }
  return rows;
}

void without_numbers(Finding& finding) {
  finding.expected = finding.observed = std::nullopt;
  finding.interval_lower = finding.interval_upper = std::nullopt;
  finding.log10_e = finding.detectable_effect = std::nullopt;
  finding.bound.clear();
  finding.detectable.clear();
  finding.diagnostics.clear();
}

void refute_granularity(Finding& finding) {
  finding.verdict = Verdict::kRefuted;
  finding.sentence =
      "Elements are dropped one by one, but dropout2d must drop whole channels "
      "of one sample: 4 values of channel (3, 17) are kept and dropped at "
      "once.";
  finding.bound.clear();
  finding.picture = properties::MaskPicture{
      "16 samples, 12 channels of 2 x 2 values side by side", mask_rows(false),
      mask_rows(true)};
}

void refute_rate(Finding& finding) {
  finding.verdict = Verdict::kRefuted;
  finding.sentence =
      "The layer keeps with probability 0.1, but must drop with probability "
      "0.1: keep and drop are swapped.";
  finding.observed = 0.899974;
  finding.interval_lower = 0.899112;
  finding.interval_upper = 0.900821;
  finding.log10_e = 5210.4;
  finding.n = 1048576;
  finding.calls = 64;
  finding.bound.clear();
  finding.diagnostics = {
      {"chi-square of drops per 64 units", 7456540.1, 64, -1619182.3, false,
       "the tail is not exact at this level"},
      {"exact binomial", 943691, 1048576, -774210.7, true,
       "two-sided, on the prefix of the plan"}};
}

void refute_bf16(Finding& finding) {
  finding.verdict = Verdict::kRefuted;
  finding.sentence =
      "In bf16 the layer drops with probability 0.101563, the nearest value "
      "that bf16 can compare with, and not 0.1.";
  finding.observed = 0.101558;
  finding.interval_lower = 0.101201;
  finding.interval_upper = 0.101917;
  finding.log10_e = 41.7;
}

void leave_open(Finding& finding) {
  finding.verdict = Verdict::kInconclusive;
  finding.sentence =
      "The structure of the mask is refuted, so its rate is not decided.";
  finding.observed = 0.100461;
  finding.interval_lower = 0.099702;
  finding.interval_upper = 0.101223;
  finding.log10_e = 3.1;
  finding.bound.clear();
}

void break_down(Finding& finding, Verdict verdict, const char* sentence) {
  without_numbers(finding);
  finding.verdict = verdict;
  finding.sentence = sentence;
  finding.n = 0;
  finding.calls = 1;
}

void add_facts(RunResult& result) {
  result.version = "0.1.0";
  result.started = "2026-02-03T04:05:06Z";
  result.seconds = 187.25;
  result.profile = "pr";
  result.seed = 18446744073709551557U;
  result.delta = 5e-4;
  result.margin = 5e-3;
  result.threads = 8;
  result.command =
      "dropcheck verify torch:nn.Dropout2d torch:F.dropout --profile pr "
      "--seed 18446744073709551557";
  result.environment = {{"compiler", "g++ 12.2.0"},
                        {"cpu", "AMD EPYC 7763"},
                        {"os", "Linux 6.1.0-18-amd64, Debian 12"}};
  result.log10_run_e = -1.25;
}

void refute_several(RunResult& result) {
  for (const char* configuration :
       {"p=0.1,f32,64x256", "p=0.3,f32,64x256", "p=0.1,bf16,64x256"}) {
    const std::string tail = std::string("[") + configuration + "]";
    refute_granularity(
        find(result, "torch:nn.Dropout2d", "dropout2d.granularity" + tail));
    leave_open(
        find(result, "torch:nn.Dropout2d", "dropout2d.drop_rate" + tail));
  }
  refute_rate(find(result, "cmd:node worker.js",
                   "alpha_dropout.drop_rate[p=0.1,f32,64x256]"));
  refute_bf16(find(result, "torch:drop_path",
                   "drop_path.drop_rate[p=0.1,bf16,64x256]"));
}

void break_several(RunResult& result) {
  const std::string node = "cmd:node worker.js";
  break_down(find(result, node, "alpha_dropout.layout[p=0.1,f32,64x256]"),
             Verdict::kCrash,
             "The process ended by signal 11 (segmentation fault) on a "
             "transposed input.");
  break_down(find(result, node, "alpha_dropout.layout[p=0.3,f32,64x256]"),
             Verdict::kTimeout, "One call took longer than 60 s.");
  break_down(find(result, node, "alpha_dropout.dtype[p=0.1,bf16,64x256]"),
             Verdict::kError,
             "The adapter answered with a frame of 0 bytes, but a frame has at "
             "least 8.");
  break_down(
      find(result, node, "alpha_dropout.backward_mask[p=0.1,f32,64x256]"),
      Verdict::kNotSupported, "The subject declares no backward pass.");
  break_down(
      find(result, node, "alpha_dropout.independence_calls[p=0.3,f32,64x256]"),
      Verdict::kNotRun, "The time limit was reached first.");
}

void declare_two(RunResult& result) {
  Finding& deviation = find(result, "torch:F.dropout",
                            "dropout.edge_probabilities[p=0.1,f32,64x256]");
  deviation.verdict = Verdict::kDeviation;
  deviation.sentence = "p = 1 gives NaN where the input is infinite.";
  deviation.deviation_reason = "multiplies by the mask instead of selecting";
  deviation.deviation_url = "https://github.com/pytorch/pytorch/issues/1";
  Finding& gone =
      find(result, "torch:drop_path", "drop_path.seeding[p=0.1,f32,64x256]");
  gone.verdict = Verdict::kUnexpectedPass;
  gone.sentence =
      "The same seed repeats the mask, though it is declared that "
      "it does not.";
  gone.deviation_reason = "ignored the seed before 0.9";
  gone.deviation_url = "https://github.com/huggingface/pytorch-image-models";
}

}  // namespace

RunResult sample_result() {
  RunResult result;
  add_facts(result);
  for (const auto& [subject, layer] :
       {Target{"torch:F.dropout", "dropout"},
        Target{"torch:nn.Dropout2d", "dropout2d"},
        Target{"cmd:node worker.js", "alpha_dropout"},
        Target{"torch:drop_path", "drop_path"}}) {
    result.subjects.push_back(
        {subject, layer, "1.13.1", "mt19937", subject[0] == 't',
         subject[0] == 't' ? std::vector<std::string>{"blocks", "replay"}
                           : std::vector<std::string>{"blocks"}});
    add_layer(result, {subject, layer});
  }
  refute_several(result);
  break_several(result);
  declare_two(result);
  for (Finding& finding : result.findings) {
    finding.repeatable = finding.subject[0] == 't';
  }
  result.log10_run_e = 5208.3;
  result.alarm = true;
  result.largest_term = "alpha_dropout.drop_rate[p=0.1,f32,64x256]";
  result.warnings = {"2 workers of torch:nn.Dropout2d were started anew"};
  result.deviation_problems = {
      "deviation \"dropout.shape[*]\" of \"torch:*\" is stale: it matches no "
      "finding"};
  return result;
}

RunResult certified_result(std::size_t findings) {
  RunResult result;
  add_facts(result);
  const Target target{"builtin:dropout", "dropout"};
  for (std::size_t i = 0; i < findings; ++i) {
    result.findings.push_back(by_chance(
        target, kChanceChecks.at(i % kChanceChecks.size()),
        "p=0.1,f32,64x" + std::to_string(1 + i / kChanceChecks.size())));
  }
  return result;
}

RunResult hostile_result() {
  RunResult result;
  add_facts(result);
  Finding finding = by_chance({"cmd:<script>alert(1)</script>", "drop|out"},
                              "drop_rate", "p=0.1,\"><img src=x>");
  finding.verdict = Verdict::kDeviation;
  finding.sentence =
      "</style></script><script>alert(2)</script> \x1b[31m & \x01 "
      "| ` \xff {{seed}}";
  finding.deviation_reason = "<b>bold</b>";
  finding.deviation_url = "javascript:alert(3)";
  result.findings = {finding, finding};
  result.findings[1].verdict = Verdict::kRefuted;
  result.findings[1].deviation_url.clear();
  result.command = "dropcheck verify '<script>'";
  return result;
}

}  // namespace dropcheck::reports
