"""A test program with wrong layers, from outside: what fails, with which
words, and that the line it prints repeats the finding.

Usage: sample_test.py PROGRAM [unittest arguments]
"""

import os
import re
import subprocess
import sys
import unittest

PROGRAM = ""


def clean_environment():
    return {name: value for name, value in os.environ.items()
            if not name.startswith(("DROPCHECK_", "GTEST_"))}


def run(*arguments, environment=None):
    return subprocess.run(
        [PROGRAM, *arguments], capture_output=True, text=True, timeout=300,
        env={**clean_environment(), **(environment or {})})


def shell(line):
    return subprocess.run(line, shell=True, capture_output=True, text=True,
                          timeout=300, env=clean_environment())


def replay_lines(text):
    return re.findall(r"^\s*(DROPCHECK_REPLAY=.*)$", text, re.MULTILINE)


def sentences(text):
    """The sentence of the worst finding of every failure."""
    return re.findall(r"^refuted dropout\.\S+\n  (.*)$", text, re.MULTILINE)


class Sample(unittest.TestCase):
    def test_right_layers_pass(self):
        done = run("--gtest_filter=Right.*:ToyDropout.*")
        self.assertEqual(done.returncode, 0, done.stdout)
        self.assertIn("[       OK ] ToyDropout.drop_rate", done.stdout)
        self.assertRegex(done.stdout, r"dropcheck: profile smoke, "
                                      r"DROPCHECK_SEED=\d+, alarm budget 1e-9")

    def test_a_check_is_a_test(self):
        done = run("--gtest_list_tests")
        suite = done.stdout[done.stdout.index("HalfAsOften."):].split("\n")
        for check in ("support", "drop_rate", "seeding", "backward_mask"):
            self.assertIn("  " + check, suite)

    def test_a_failure_repeats_itself(self):
        done = run("--gtest_filter=Wrong.*")
        self.assertEqual(done.returncode, 1, done.stdout)
        self.assertIn("ToyDropout does not conform to dropout", done.stdout)
        lines = replay_lines(done.stdout)
        self.assertEqual(len(lines), 1, done.stdout)
        again = shell(lines[0])
        self.assertEqual(again.returncode, 1, again.stdout)
        self.assertEqual(sentences(again.stdout), sentences(done.stdout))
        self.assertEqual(replay_lines(again.stdout), lines)

    def test_checks_fail_one_by_one(self):
        done = run("--gtest_filter=HalfAsOften.*", "--dropcheck_seed=3")
        self.assertEqual(done.returncode, 1)
        self.assertIn("[  FAILED  ] HalfAsOften.drop_rate", done.stdout)
        self.assertIn("[       OK ] HalfAsOften.granularity", done.stdout)
        # Alone, a check finds the same with the same share of the budget.
        alone = run("--gtest_filter=HalfAsOften.drop_rate",
                    environment={"DROPCHECK_SEED": "3"})
        line = replay_lines(alone.stdout)[0]
        self.assertIn(line, replay_lines(done.stdout))
        again = shell(line)
        self.assertEqual(again.returncode, 1)
        self.assertEqual(sentences(again.stdout), sentences(alone.stdout))

    def test_a_replay_without_its_test_fails(self):
        done = run("--gtest_filter=Wrong.*")
        line = replay_lines(done.stdout)[0]
        other = shell(line.replace("Wrong.DoesNotConform", "Right.*"))
        self.assertEqual(other.returncode, 1, other.stdout)
        self.assertIn("no assertion of this name ran", other.stdout)

    def test_a_layer_that_never_returns(self):
        done = run("--gtest_filter=Never.*:Right.*",
                   "--dropcheck_call_timeout=2")
        self.assertEqual(done.returncode, 1, done.stdout)
        self.assertIn("did not return within 2 s", done.stdout)
        self.assertIn("[       OK ] Right.Conforms", done.stdout)

    def test_bad_input(self):
        for option, words in (
                ("--dropcheck_profile=smok", "--dropcheck_profile is 'smok'"),
                ("--dropcheck_sed=1", "--dropcheck_sed is no option"),
                ("--dropcheck_replay=garbage", "replay token: start is")):
            done = run("--gtest_filter=Right.*", option)
            self.assertEqual(done.returncode, 1, done.stdout)
            self.assertIn(words, done.stdout)
        done = run("--gtest_filter=NoSuchLayer.*")
        self.assertEqual(done.returncode, 1)
        self.assertIn("NoSuchLayer.contract", done.stdout)
        self.assertIn("layer is 'dropuot'", done.stdout)


if __name__ == "__main__":
    PROGRAM = sys.argv.pop(1)
    unittest.main()
