"""The doors for third parties, from outside: right layers in other languages
are certified, wrong ones refuted, and adapters that misbehave are findings or
clear errors while the run goes on.

Usage: doors_test.py PROGRAM [unittest arguments]
"""

import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time
import unittest

PROGRAM = ""
ADAPTERS = pathlib.Path(__file__).resolve().parents[3] / "impl" / "adapters"
PYTHON = sys.executable
QUICK = ["--profile", "smoke", "--p", "0.3", "--dtype", "f32",
         "--generated", "0", "--shrink-limit", "0"]


def run(*arguments, timeout=240):
    return subprocess.run([PROGRAM, *map(str, arguments)], capture_output=True,
                          text=True, timeout=timeout)


def bad(mode):
    return f"cmd:{PYTHON} {ADAPTERS}/tests/bad_adapter.py {mode}"


class Kits(unittest.TestCase):
    """One right layer a language: the adapter passes its trials, the layer is
    certified, also by the replay of a finding."""

    def right(self, *command):
        with self.subTest(command=command):
            trials = run("adapter", "verify", "--call-timeout", "20", "--",
                         *command)
            self.assertEqual(trials.returncode, 0, trials.stdout)
            subject = "cmd:" + " ".join(map(str, command))
            done = run("verify", subject, *QUICK)
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
            self.assertIn("dropout", done.stdout)

    def test_python(self):
        self.right(PYTHON, ADAPTERS / "kits/python/dropout.py")

    def test_identify_needs_no_law(self):
        done = run("identify",
                   f"cmd:{PYTHON} {ADAPTERS}/kits/python/dropout.py",
                   "--p", "0.3")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertIn("This is dropout", done.stdout)


class BadAdapters(unittest.TestCase):
    def findings(self, mode, *more):
        with tempfile.TemporaryDirectory() as folder:
            report = pathlib.Path(folder, "result.json")
            done = run("verify", bad(mode), *QUICK, "--call-timeout", "1",
                       "--only", "support", "--only", "drop_rate",
                       "--json", report, *more)
            return done, json.loads(report.read_text())["findings"]

    def ends_as(self, mode, status, verdict, *words):
        with self.subTest(mode=mode):
            begin = time.monotonic()
            done, findings = self.findings(mode)
            self.assertLess(time.monotonic() - begin, 120)
            text = json.dumps(findings)
            self.assertEqual(done.returncode, status, done.stdout + done.stderr)
            self.assertIn(verdict, {one["verdict"] for one in findings}, text)
            for word in words:
                self.assertIn(word, text)
            # Every check is told of: the run went on.
            self.assertEqual(len(findings), 2, text)

    def test_what_ends_the_process_is_a_finding(self):
        self.ends_as("exit", 1, "crash", "exited with status 3")
        self.ends_as("abort", 1, "crash", "SIGABRT")
        self.ends_as("hang", 1, "timeout", "within 1000ms")
        self.ends_as("half_frame", 1, "crash", "after 4 of 1000 bytes")
        self.ends_as("half_frame_hang", 1, "timeout", "begins 'half'")

    def test_what_is_no_answer_is_an_error(self):
        self.ends_as("print", 4, "error", "loss = 0",
                     ".125, epoch 3 of 10")
        self.ends_as("newline", 4, "error", "print to its standard output")
        self.ends_as("huge_length", 4, "error", "9223372036854775808 bytes")
        self.ends_as("nan_json", 4, "error", "malformed header")
        self.ends_as("wrong_answer", 4, "error", "no tensor 'output'")
        self.ends_as("two_answers", 4, "error")  # seen at the next request
        self.ends_as("claims_exabyte", 4, "error", "1152921504606846976")

    def test_wrong_results_are_refuted(self):
        self.ends_as("wrong_shape", 1, "refuted", "shape")
        self.ends_as("wrong_dtype", 1, "refuted", "f64")

    def test_lies_are_found_by_the_trials(self):
        def trials(mode):
            return run("adapter", "verify", "--call-timeout", "5", "--", PYTHON,
                       ADAPTERS / "tests/bad_adapter.py", mode)
        done = trials("lies")
        self.assertEqual(done.returncode, 4)
        self.assertIn("reseed has no effect", done.stdout)
        done = trials("bad_flag")
        self.assertIn("own_state is 'yes', but must be 0 or 1", done.stdout)
        self.assertEqual(done.returncode, 4)
        for mode, word in {"no_such_law": "layer is 'dropuot'",
                           "no_law": "version '2'",
                           "bad_dtype": "unknown dtype 'f8'"}.items():
            done = trials(mode)
            self.assertEqual(done.returncode, 4, mode)
            self.assertIn(word, done.stderr)

    def test_commands_that_cannot_be(self):
        for status, word, command in (
                (4, "no program 'no-such-program'", "cmd:no-such-program"),
                (2, "the command is empty", "cmd:"),
                (2, "must match", "cmd:python3 'x"),
                (2, "in quotes", "cmd:a | b"),
                (2, "are not expanded", "cmd:$(reboot)"),
                (4, "exited with status 0", "cmd:true"),
                (4, "print to its standard output", "cmd:echo hello hello"),
        ):
            for verb in ("verify", "identify", "plan"):
                done = run(verb, command)
                self.assertEqual(done.returncode, status, command)
                self.assertIn(word, done.stderr)
                self.assertEqual(done.stdout, "")

    def test_adapter_takes_a_command(self):
        for arguments in (["adapter"], ["adapter", "verify"],
                          ["adapter", "verfy", "--", "true"],
                          ["adapter", "verify", "true", "--fast"]):
            done = run(*arguments)
            self.assertEqual(done.returncode, 2, arguments)
            self.assertIn("--", done.stderr)


if __name__ == "__main__":
    PROGRAM = os.path.abspath(sys.argv.pop(1))
    unittest.main(verbosity=2)
