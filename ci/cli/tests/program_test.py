"""The program from outside: words on stderr, exit statuses, files.

Usage: program_test.py PROGRAM [unittest arguments]
"""

import fcntl
import json
import os
import pathlib
import pty
import resource
import signal
import struct
import subprocess
import sys
import tempfile
import termios
import time
import unittest

PROGRAM = ""
QUICK = ["--profile", "smoke", "--p", "0.5", "--dtype", "f32"]


def run(*arguments, environment=None, timeout=240):
    return subprocess.run(
        [PROGRAM, *arguments], capture_output=True, text=True,
        timeout=timeout, env={**os.environ, **(environment or {})})


def replay_tokens(text):
    words = text.split()
    return [after for word, after in zip(words, words[1:])
            if word == "replay" and after.startswith("dc")]


def limited(*arguments, environment=None, memory=None, cores=None):
    """run, with an address space of `memory` bytes, on some of the cores."""
    def limit():
        if memory is not None:
            resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
        if cores is not None:
            os.sched_setaffinity(0, cores)

    return subprocess.run(
        [PROGRAM, *arguments], capture_output=True, text=True, timeout=240,
        env={**os.environ, **(environment or {})}, preexec_fn=limit)


class SmallMachines(unittest.TestCase):
    """Slower, or one line that says why not."""

    ONE = ["verify", "builtin:dropout", *QUICK, "--seed", "5", "--json", "-"]

    def findings(self, *arguments, **limits):
        done = limited(*arguments, **limits)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        result = json.loads(done.stdout)
        for finding in result["findings"]:
            del finding["seconds"]
        return result

    def test_other_instructions_give_the_same_findings(self):
        best = self.findings(*self.ONE)
        done = run("verify", environment={"DROPCHECK_SIMD": "AVX1"})
        self.assertEqual(done.returncode, 2)
        self.assertIn("DROPCHECK_SIMD is 'AVX1'", done.stderr)
        names = done.stderr.split("one of ")[1].split(":")[0].split(", ")
        self.assertEqual(names[0], best["environment"]["simd"])
        for name in {"AVX2", names[-1]} & set(names):
            other = self.findings(*self.ONE,
                                  environment={"DROPCHECK_SIMD": name})
            self.assertEqual(other["environment"]["simd"], name)
            self.assertEqual(other["findings"], best["findings"])

    def test_one_core(self):
        self.findings(*self.ONE, cores={min(os.sched_getaffinity(0))})

    def test_512_mib(self):
        self.findings(*self.ONE, memory=512 << 20)

    def test_more_threads_than_are_of_use(self):
        done = run(*self.ONE, "--threads", "4096")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("--threads is 4096, but", done.stderr)

    def test_shapes_of_one_and_too_many(self):
        self.findings(*self.ONE, "--shape", "1")
        done = run(*self.ONE, "--shape", str(2**40))
        self.assertEqual(done.returncode, 2)
        self.assertIn("at most 2^28 elements", done.stderr)


class BadInput(unittest.TestCase):
    """Status 2, nothing on stdout, one line that names the value."""

    def refused(self, value, *arguments, hint=""):
        with self.subTest(arguments=arguments):
            done = run(*arguments)
            self.assertEqual(done.returncode, 2, done.stderr)
            self.assertEqual(done.stdout, "")
            self.assertEqual(len(done.stderr.splitlines()), 1, done.stderr)
            self.assertTrue(done.stderr.startswith("dropcheck: "))
            self.assertIn(value, done.stderr)
            self.assertIn(hint, done.stderr)

    def test_names(self):
        self.refused("verfy", "verfy", hint="'verify'?")
        self.refused("--profil", "verify", "--profil", "smoke",
                     hint="'--profile'?")
        self.refused("-q", "verify", "-q")
        self.refused("builtin:dropuot", "verify", "builtin:dropuot",
                     hint="'builtin:dropout'?")
        self.refused("dropout2d", "verify", "dropout2d",
                     hint="'builtin:dropout2d'?")
        self.refused("troch:*", "verify", "troch:*", hint="'torch'?")
        self.refused("faulty:zzz*", "verify", "faulty:zzz*")
        self.refused("dropot", "verify", "--layer", "dropot",
                     hint="'dropout'?")
        self.refused("smok", "verify", "--profile", "smok", hint="'smoke'?")
        self.refused("f23", "verify", "--dtype", "f23", hint="'f32'?")
        self.refused("granularty", "verify", "--only", "granularty",
                     hint="'granularity'?")
        self.refused("drop_rat", "explain", "drop_rat", hint="'drop_rate'?")
        self.refused("chekcs", "list", "chekcs", hint="'checks'?")
        self.refused("builtin:dropuot", "identify", "builtin:dropuot",
                     hint="'builtin:dropout'?")

    def test_numbers(self):
        for value in ("1.5", "-0.1", "nan", "inf", "half", ""):
            self.refused(f"'{value}'", "verify", "--p", value)
        for value in ("0", "0x4", "64x-1", "-4", "abc", "4x", "4,0", ""):
            self.refused(f"'{value}'", "verify", "--shape", value)
        for value in ("0", "0.5", "-1e-9", "nan", "x"):
            self.refused(f"'{value}'", "verify", "--alpha", value)
            self.refused(f"'{value}'", "verify", "--delta", value)
        for value in ("0", "4097", "-2", "two"):
            self.refused(f"'{value}'", "verify", "--threads", value)
        for value in ("-1", "1.5", "18446744073709551616", "randon"):
            self.refused(f"'{value}'", "verify", "--seed", value)
        for value in ("0", "-5", "4q", "soon", "nan"):
            self.refused(f"'{value}'", "verify", "--time-limit", value)
            self.refused(f"'{value}'", "verify", "--call-timeout", value)

    def test_missing_values(self):
        self.refused("--seed", "verify", "--seed")
        self.refused("check", "explain")
        self.refused("token", "replay")
        self.refused("subject", "identify")

    def test_identify_takes_one_of_each(self):
        self.refused("--p", "identify", "builtin:dropout", "--p", ".1,.2")
        self.refused("4x700x700", "identify", "builtin:dropout",
                     "--shape", "4x700x700", hint="65536")
        nowhere = "/nonexistent/folder/law.json"
        self.refused(nowhere, "identify", "builtin:dropout",
                     "--json", nowhere)

    def test_an_only_pattern_that_fits_nothing(self):
        self.refused("zzz*", "verify", "builtin:dropout", *QUICK,
                     "--only", "zzz*")

    def test_a_time_limit_that_cannot_hold(self):
        self.refused("0.001", "verify", "builtin:dropout",
                     "--time-limit", "0.001", hint="smoke")

    def test_a_named_subject_that_a_shape_leaves_out(self):
        self.refused("builtin:dropout2d", "verify", "builtin:dropout",
                     "builtin:dropout2d", "--shape", "5", *QUICK, hint="rank")

    def test_tokens(self):
        self.refused("garbage", "replay", "garbage")
        right = ("dc1,version=0.1.0,subject=builtin:dropout,check=support,"
                 "layer=dropout,p=0.5,dtype=f32,shape=61x67,own_shape=0,"
                 "profile=smoke,delta=0.01,margin=0.05,n_max=900,alpha=1e-09,"
                 "weight=0,seed=7")
        self.refused("sead", "replay", right + ",sead=1")
        self.refused("seed", "replay", right + ",seed=8", hint="once")

    def test_drop_probabilities_that_are_too_rare(self):
        for value in ("1e-300", "1e-12"):
            self.refused(f"--p is {value[0]}", "verify", "builtin:dropout",
                         "--p", value, hint="2^-30")

    def test_options_are_named_as_typed(self):
        self.refused("--delta is 0.4", "verify", "builtin:dropout",
                     "--p", ".1", "--delta", ".4")

    def test_a_build_needs_a_lifetime(self):
        self.refused("--build is 'x'", "verify", "builtin:dropout",
                     "--build", "x", hint="--lifetime")

    def test_an_only_pattern_says_why_nothing_is_left(self):
        self.refused("drop_rate", "verify", "builtin:dropout", "--p", "0",
                     "--only", "drop_rate", hint="no meaning at p = 0")
        self.refused("blocks", "verify", "builtin:dropout",
                     "--only", "blocks", hint="blocks of dropout")

    def test_an_unknown_subject_of_deviations(self):
        with tempfile.TemporaryDirectory() as folder:
            declared = pathlib.Path(folder, "known.toml")
            declared.write_text(
                '[[deviation]]\nid = "dropout.seeding*"\n'
                'subject = "torch:nn.Dropuot"\nreason = "r"\n'
                'url = "https://example.org"\n')
            self.refused("torch:nn.Dropuot", "verify", "builtin:dropout",
                         "--deviations", str(declared),
                         hint="'torch:nn.Dropout'?")

    def test_deviations(self):
        self.refused("''", "deviations", hint="check FILE")
        self.refused("'chekc'", "deviations", "chekc", hint="check FILE")
        self.refused("update", "deviations", "update", "x.toml",
                     hint="--json FILE")
        self.refused("/nowhere/x", "deviations", "check", "/nowhere/x")
        self.refused("2027-02-30", "deviations", "update", "x", "y",
                     "--expires", "2027-02-30", hint="calendar")
        self.refused("--url", "deviations", "check", "x", "--url", "y",
                     hint="update only")

    def test_files(self):
        with tempfile.TemporaryDirectory() as folder:
            nowhere = os.path.join(folder, "missing", "file")
            for option in ("--json", "--junit", "--html", "--markdown",
                           "--badge"):
                self.refused(nowhere, "verify", option, nowhere)
                self.refused(folder, "verify", option, folder)
            self.refused(nowhere, "verify", "--deviations", nowhere)
            broken = pathlib.Path(folder, "broken.toml")
            broken.write_text("[[deviation]\n")
            self.refused(str(broken), "verify", "--deviations", str(broken))
            self.refused("same", "verify", "--json", f"{folder}/same",
                         "--html", f"{folder}/same")
            self.refused("same", "verify", "--json", f"{folder}/same",
                         "--html", f"{folder}/../"
                         f"{os.path.basename(folder)}/./same")
            self.refused("--html is '-'", "verify", "--json", "-",
                         "--html", "-")
            self.refused("--lifetime is '-'", "verify", "--lifetime", "-")

    def test_nothing_is_no_success(self):
        done = run()
        self.assertEqual(done.returncode, 2)
        self.assertIn("verify", done.stdout)


class Commands(unittest.TestCase):
    def folder(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        return pathlib.Path(folder.name)

    def printed(self, *arguments):
        done = run(*arguments)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(done.stderr, "")
        self.assertNotIn("\x1b", done.stdout)
        return done.stdout

    def test_help_and_version(self):
        self.assertRegex(self.printed("--version"), r"^dropcheck \d+\.\d+")
        self.assertIn("--time-limit", self.printed("verify", "--help"))

    def test_help_is_no_wider_than_a_terminal(self):
        for command in ([], ["verify"], ["plan"], ["identify"], ["self-test"],
                        ["replay"]):
            text = self.printed(*command, "--help")
            widest = max(text.splitlines(), key=len)
            self.assertLessEqual(len(widest), 80, widest)

    def test_help_tells_the_command_s_own_exit_statuses(self):
        self.assertIn("1 refuted", self.printed("verify", "--help"))
        for command in ("list", "explain", "identify", "plan"):
            self.assertNotIn("refuted,", self.printed(command, "--help"))
        self.assertIn("3 not all can be told",
                      self.printed("identify", "--help"))

    def test_plan_is_no_wider_than_a_terminal(self):
        text = self.printed("plan", "builtin:dropout", *QUICK)
        widest = max(text.splitlines(), key=len)
        self.assertLessEqual(len(widest), 80, widest)

    def test_list(self):
        self.assertIn("dropout2d", self.printed("list", "layers"))
        self.assertIn("builtin:dropout2d", self.printed("list", "subjects"))
        faulty = self.printed("list", "faulty")
        self.assertIn("faulty:drops_nothing", faulty)
        self.assertIn("caught by", faulty)
        self.assertIn("granularity", self.printed("list", "checks"))
        self.assertIn("205/2048", self.printed("list", "idioms"))
        everything = self.printed("list")
        for part in ("layers", "checks", "subjects", "faulty", "idioms"):
            self.assertIn(f"== {part}", everything)

    def test_every_pair_is_decided_or_has_a_reason(self):
        table = self.printed("list", "checks").split("which check has")[1]
        rows = [line.split() for line in table.splitlines()]
        width = max(len(row) for row in rows if "x" in row)
        reasons = {row[0] for row in rows if row[1:3] == ["no", "meaning:"]}
        begin = next(i for i, row in enumerate(rows) if row[:1] == ["check"])
        cells = {cell for row in rows[begin + 1:] if len(row) == width
                 and row[1:3] != ["no", "meaning:"] for cell in row[1:]}
        self.assertGreater(len(reasons), 5)
        self.assertEqual(cells, reasons | {"x"})

    def test_explain_every_check(self):
        lines = self.printed("list", "checks").splitlines()[1:]
        names = [line.split()[0] for line in lines[:lines.index("")]
                 if line and not line.startswith(" ")]
        self.assertGreater(len(names), 10)
        for name in names:
            text = self.printed("explain", name)
            self.assertTrue(text.startswith(name))
            self.assertIn("dropcheck verify faulty:", text)

    def test_identify(self):
        report = self.folder() / "law.json"
        text = self.printed("identify", "builtin:dropout2d", "--seed", "7",
                            "--p", "0.3", "--json", str(report))
        self.assertIn("This is dropout2d: nothing differs.", text)
        law = json.loads(report.read_text())
        self.assertTrue(law["identified"])
        self.assertEqual(law["nearest"][0]["layer"], "dropout2d")
        self.assertLess(law["interval_lower"], 0.3)
        self.assertGreater(law["interval_upper"], 0.3)
        again = self.printed("identify", "builtin:dropout2d", "--seed", "7",
                             "--p", "0.3")
        self.assertEqual(again, text)

    def test_identify_what_drops_nothing(self):
        done = run("identify", "faulty:drops_nothing", "--shape", "4x6x5")
        self.assertEqual(done.returncode, 3, done.stderr)
        self.assertIn("cannot tell", done.stdout)

    def test_plan(self):
        self.assertIn("seed 7", self.printed(
            "plan", "builtin:dropout", *QUICK, "--seed", "7"))


class Terminal(unittest.TestCase):
    """What a window of 80 columns shows."""

    def shown(self, *arguments):
        outer, inner = pty.openpty()
        fcntl.ioctl(inner, termios.TIOCSWINSZ,
                    struct.pack("HHHH", 25, 80, 0, 0))
        child = subprocess.Popen([PROGRAM, *arguments], stdout=inner)
        os.close(inner)
        parts = []
        while True:
            try:
                part = os.read(outer, 65536)
            except OSError:  # Linux: the other end is closed.
                break
            if not part:
                break
            parts.append(part)
        self.assertEqual(child.wait(timeout=60), 0)
        os.close(outer)
        return b"".join(parts).decode().replace("\r\n", "\n")

    def test_lists_fit(self):
        for what in ("layers", "checks", "subjects", "faulty"):
            text = self.shown("list", what)
            widest = max(text.splitlines(), key=len)
            self.assertLessEqual(len(widest), 80, widest)


class Verify(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def test_refutes_a_wrong_layer_and_repeats_it(self):
        report = self.folder / "result.json"
        done = run("verify", "faulty:drops_nothing", *QUICK,
                   "--json", str(report))
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertIn("seed", done.stderr)
        tokens = replay_tokens(done.stdout)
        self.assertTrue(tokens, done.stdout)
        findings = json.loads(report.read_text())["findings"]
        before = {f["replay"]: f for f in findings}
        again = self.folder / "again.json"
        repeated = run("replay", tokens[0], "--json", str(again))
        self.assertEqual(repeated.returncode, 1, repeated.stderr)
        finding = json.loads(again.read_text())["findings"][0]
        for field in ("id", "verdict", "n", "log10_e"):
            self.assertEqual(finding.get(field),
                             before[tokens[0]].get(field), field)

    def test_writes_every_report(self):
        paths = {name: self.folder / name for name in
                 ("json", "junit", "html", "markdown", "badge")}
        options = [word for name, path in paths.items()
                   for word in (f"--{name}", str(path))]
        done = run("verify", "builtin:dropout", *QUICK, "--only", "support",
                   *options)
        self.assertIn(done.returncode, (0, 3), done.stderr)
        for path in paths.values():
            self.assertGreater(path.stat().st_size, 0, path)
        result = json.loads(paths["json"].read_text())
        self.assertIn(f"--seed {result['seed']}", result["command"])
        self.assertIn("compiler", result["environment"])

    def test_a_report_on_standard_output_has_it_for_itself(self):
        done = run("verify", "builtin:dropout", *QUICK, "--only", "support",
                   "--json", "-")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(json.loads(done.stdout)["findings"][0]["check"],
                         "support")
        self.assertIn("certified", done.stderr)

    def test_a_full_disk_is_no_pass(self):
        done = run("verify", "builtin:dropout", *QUICK, "--only", "support",
                   "--json", "/dev/full")
        self.assertEqual(done.returncode, 4, done.stderr)
        self.assertIn("--json: cannot write /dev/full", done.stderr)

    def test_drops_at_both_ends_of_p_are_found(self):
        quick = ["--profile", "smoke", "--dtype", "f32"]
        for subject, p in (("drops_rarely_at_zero", "0"),
                           ("keeps_rarely_at_one", "1")):
            done = run("verify", f"faulty:{subject}", "--p", p, *quick)
            self.assertEqual(done.returncode, 1, done.stdout + done.stderr)
            self.assertIn("rare_events", done.stdout)
            again = run("replay", replay_tokens(done.stdout)[0])
            self.assertEqual(again.returncode, 1, again.stderr)
            right = run("verify", "builtin:dropout", "--p", p, *quick)
            self.assertEqual(right.returncode, 0, right.stdout)

    def test_equal_values_run_once_and_it_says_so(self):
        done = run("verify", "builtin:dropout", *QUICK, "--p", ".50",
                   "--only", "support")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("--p is 0.5 more than once", done.stderr)
        self.assertEqual(done.stderr.count("note:"), 1)

    def test_reasons_of_what_is_not_supported_are_told(self):
        done = run("verify", "torch:F.alpha_dropout", *QUICK)
        self.assertIn("not supported, ", done.stdout)

    def test_says_nothing_else_on_stdout_and_no_colour(self):
        done = run("verify", "faulty:drops_nothing", *QUICK,
                   environment={"NO_COLOR": "1"})
        self.assertNotIn("\x1b", done.stdout + done.stderr)
        self.assertNotIn("takes", done.stdout)

    def interrupted(self, which):
        report = self.folder / "partial.json"
        with subprocess.Popen(
                [PROGRAM, "verify", "builtin:*", "--profile", "nightly",
                 "--json", str(report)],
                stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                text=True) as child:
            # The last line of the forecast says that the run begins.
            for line in child.stderr:
                if line.startswith("takes"):
                    break
            time.sleep(0.3)
            child.send_signal(which)
            child.communicate(timeout=60)
            self.assertEqual(child.returncode, 130)
        result = json.loads(report.read_text())
        self.assertTrue(result["interrupted"])
        verdicts = {finding["verdict"] for finding in result["findings"]}
        self.assertIn("not-run", verdicts)

    def test_an_interrupt_leaves_a_report(self):
        self.interrupted(signal.SIGINT)

    def test_a_termination_leaves_a_report(self):
        self.interrupted(signal.SIGTERM)


class Deviations(unittest.TestCase):
    """A file of known deviations from the first result to the last."""

    def test_from_a_result_to_a_file_and_back(self):
        with tempfile.TemporaryDirectory() as folder:
            known = os.path.join(folder, "known.toml")
            wrong = os.path.join(folder, "wrong.json")
            right = os.path.join(folder, "right.json")
            run("verify", "faulty:threshold_4bit", *QUICK[:2], "--p", ".1",
                "--dtype", "f32", "--only", "drop_rate", "--json", wrong)
            one = run("deviations", "update", known, wrong)
            self.assertEqual(one.returncode, 2)
            self.assertIn("--url", one.stderr)
            self.assertFalse(os.path.exists(known))
            two = run("deviations", "update", known, wrong, "--url",
                      "https://example.org/1", "--expires", "2999-12-31")
            self.assertEqual(two.returncode, 0, two.stderr)
            self.assertIn("1 added", two.stdout)
            self.assertEqual(
                run("deviations", "check", known, wrong).returncode, 0)
            self.assertEqual(run("deviations", "check", known).returncode, 0)
            again = run("verify", "faulty:threshold_4bit", *QUICK[:2], "--p",
                        ".1", "--dtype", "f32", "--only", "drop_rate",
                        "--deviations", known)
            self.assertEqual(again.returncode, 0, again.stdout)
            # The same entry on a layer that is right: an unexpected pass.
            text = pathlib.Path(wrong).read_text()
            result = json.loads(text)
            for finding in result["findings"]:
                finding["verdict"] = "certified"
                for field in ("observed", "interval_lower",
                              "interval_upper"):
                    finding[field] = finding["expected"]
            pathlib.Path(right).write_text(json.dumps(result))
            gone = run("deviations", "check", known, right)
            self.assertEqual(gone.returncode, 2)
            self.assertIn("stale", gone.stdout)
            done = run("deviations", "update", known, right)
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertIn("1 removed", done.stdout)
            self.assertNotIn("threshold_4bit",
                             pathlib.Path(known).read_text())
            bare = run("deviations", "check", known, wrong)
            self.assertEqual(bare.returncode, 1)
            self.assertIn("not declared", bare.stdout)

    def test_what_has_expired(self):
        with tempfile.TemporaryDirectory() as folder:
            known = pathlib.Path(folder, "known.toml")
            known.write_text(
                '[[deviation]]\nid = "dropout.seeding*"\nreason = "r"\n'
                'url = "https://example.org"\nexpires = 2020-01-01\n')
            done = run("deviations", "check", str(known))
            self.assertEqual(done.returncode, 2)
            self.assertIn("expired", done.stdout)


class Lifetime(unittest.TestCase):
    """Nights add up in a file; a bias that no night shows is found."""

    def setUp(self):
        self.directory = tempfile.TemporaryDirectory()
        self.file = os.path.join(self.directory.name, "lifetime.json")

    def tearDown(self):
        self.directory.cleanup()

    def night(self, *arguments):
        report = os.path.join(self.directory.name, "night.json")
        done = run("verify", "faulty:rate_off_1e-3", "--p", "0.1", "--dtype",
                   "f32", "--profile", "smoke", "--only", "drop_rate",
                   "--delta", "6e-3", "--lifetime", self.file, "--json",
                   report, *arguments)
        with open(report, encoding="utf-8") as text:
            return done, json.load(text)["lifetimes"][0]

    def test_a_small_bias_is_found_after_nights(self):
        nights = 0
        refuted = False
        while not refuted and nights < 130:
            done, lifetime = self.night()
            nights += 1
            self.assertEqual(lifetime["nights"], nights)
            refuted = lifetime["refuted"]
            # A night has 1.4e5 decisions: 1.2 standard deviations.
            if nights == 1:
                self.assertFalse(refuted, done.stdout)
        self.assertTrue(refuted)
        self.assertEqual(done.returncode, 1)
        self.assertIn("over", lifetime["sentence"])
        self.assertIn("nights", done.stdout)

    def test_another_build_begins_anew(self):
        self.night("--build", "one")
        _, lifetime = self.night("--build", "one")
        self.assertEqual(lifetime["nights"], 2)
        done, lifetime = self.night("--build", "two")
        self.assertEqual(lifetime["nights"], 1)
        self.assertIn("begins anew", done.stdout)

    def test_a_fixed_seed_is_refused(self):
        done = run("verify", "builtin:dropout", "--lifetime", self.file,
                   "--seed", "4")
        self.assertEqual(done.returncode, 2)
        self.assertIn("--seed is '4'", done.stderr)
        self.assertEqual(len(done.stderr.splitlines()), 1, done.stderr)
        self.assertFalse(os.path.exists(self.file))

    def test_a_broken_file_is_refused(self):
        pathlib.Path(self.file).write_text("{", encoding="utf-8")
        done = run("verify", "builtin:dropout", "--lifetime", self.file)
        self.assertEqual(done.returncode, 2)
        self.assertIn(self.file, done.stderr)


class SelfTest(unittest.TestCase):
    """The oracle on trial; self_test.quick runs all of it."""

    def test_wrong_and_right_layers(self):
        with tempfile.TemporaryDirectory() as directory:
            files = {name: os.path.join(directory, "self_test." + name)
                     for name in ("json", "html")}
            done = run("self-test", "--only", "kill.faulty:threshold_4bit",
                       "--only", "false_alarms.builtin:dropout1d", "--runs",
                       "5", "--json", files["json"], "--html", files["html"])
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
            self.assertIn("All is as it must be.", done.stdout)
            result = json.loads(pathlib.Path(files["json"]).read_text())
            page = pathlib.Path(files["html"]).read_text()
        self.assertTrue(result["right"])
        self.assertEqual(result["kills"][0]["caught_by"], "drop_rate")
        self.assertEqual(result["false_alarms"]["runs"], 5)
        self.assertIn("--seed " + result["seed"], result["command"])
        self.assertIn("threshold_4bit", page)

    def test_a_seed_repeats_it(self):
        def sentence():
            with tempfile.TemporaryDirectory() as directory:
                file = os.path.join(directory, "self_test.json")
                run("self-test", "--only", "kill.faulty:threshold_4bit",
                    "--seed", "5", "--json", file)
                result = json.loads(pathlib.Path(file).read_text())
            return result["kills"][0]["sentence"]
        self.assertEqual(sentence(), sentence())

    def test_what_it_did_not_reach_is_no_pass(self):
        done = run("self-test", "--only", "kill.*", "--time-limit", "1ms")
        self.assertEqual(done.returncode, 1)
        self.assertIn("time limit", done.stdout)

    def test_mistakes_are_usage_errors(self):
        for value, arguments in {
                "smoke": ("--profile", "smoke"),
                "kil.*": ("--only", "kil.*"),
                "zero": ("--runs", "zero")}.items():
            done = run("self-test", *arguments)
            self.assertEqual(done.returncode, 2, arguments)
            self.assertIn(value, done.stderr)


if __name__ == "__main__":
    PROGRAM = os.path.abspath(sys.argv.pop(1))
    unittest.main(verbosity=2)
