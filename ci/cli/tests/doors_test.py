"""The doors for third parties, from outside: right layers in other languages
are certified, wrong ones refuted, and adapters that misbehave are findings or
clear errors while the run goes on.

Usage: doors_test.py PROGRAM [unittest arguments]
"""

import json
import os
import pathlib
import random
import shutil
import struct
import subprocess
import sys
import tempfile
import time
import unittest
import zipfile

PROGRAM = ""
ADAPTERS = pathlib.Path(__file__).resolve().parents[3] / "impl" / "adapters"
PYTHON = sys.executable
QUICK = ["--profile", "smoke", "--p", "0.3", "--dtype", "f32",
         "--generated", "0", "--shrink-limit", "0"]


def run(*arguments, environment=None, timeout=240):
    return subprocess.run(
        [PROGRAM, *map(str, arguments)], capture_output=True, text=True,
        timeout=timeout, env={**os.environ, **(environment or {})})


def bad(mode):
    return f"cmd:{PYTHON} {ADAPTERS}/tests/bad_adapter.py {mode}"


class Kits(unittest.TestCase):
    """One right layer a language: the adapter passes its trials, the layer is
    certified."""

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

    @unittest.skipUnless(shutil.which("node"), "there is no node")
    def test_javascript(self):
        self.right("node", ADAPTERS / "kits/javascript/dropout.js")
        with tempfile.TemporaryDirectory() as folder:
            shutil.copytree(ADAPTERS / "kits/javascript", folder,
                            dirs_exist_ok=True)
            example = pathlib.Path(folder, "dropout.js")
            example.write_text(example.read_text("utf-8").replace(
                "backward(gradient)", "unused(gradient)"), "utf-8")
            self.right("node", example)

    def built(self, language, build, command):
        """Builds a kit and its example into a folder, as a reader would."""
        kit = ADAPTERS / "kits" / language
        with tempfile.TemporaryDirectory() as folder:
            subprocess.run([word.format(kit=kit, folder=folder)
                            for word in build], check=True)
            self.right(*(word.format(folder=folder) for word in command))

    @unittest.skipUnless(shutil.which("go"), "there is no go")
    def test_go(self):
        self.built("go", ["go", "build", "-o", "{folder}/my_dropout",
                          "{kit}/adapter.go", "{kit}/dropout.go"],
                   ["{folder}/my_dropout"])

    @unittest.skipUnless(shutil.which("rustc"), "there is no rustc")
    def test_rust(self):
        self.built("rust", ["rustc", "-O", "--edition", "2021", "-o",
                            "{folder}/my_dropout", "{kit}/dropout.rs"],
                   ["{folder}/my_dropout"])

    @unittest.skipUnless(shutil.which("javac"), "there is no javac")
    def test_java(self):
        self.built("java", ["javac", "-Xlint", "-Werror", "-d", "{folder}",
                            "{kit}/DropcheckAdapter.java",
                            "{kit}/Dropout.java"],
                   ["java", "-cp", "{folder}", "Dropout"])

    def test_kits_are_short(self):
        for kit in ADAPTERS.glob("kits/*/*dapter.*"):
            lines = kit.read_text(encoding="utf-8").splitlines()
            self.assertLessEqual(len(lines), 150, kit)

    def test_a_wrong_layer_is_refuted_and_repeated(self):
        with tempfile.TemporaryDirectory() as folder:
            def finding(*arguments):
                report = pathlib.Path(folder, "result.json")
                done = run(*arguments, "--json", report)
                self.assertEqual(done.returncode, 1, done.stderr)
                return next(one for one in
                            json.loads(report.read_text())["findings"]
                            if one["check"] == "drop_rate")
            first = finding("verify", bad("half_rate"), *QUICK)
            self.assertIn("half of the rate", first["sentence"])
            again = finding("replay", first["replay"])
        for field in ("id", "subject", "verdict", "n", "log10_e"):
            self.assertEqual(again[field], first[field], field)

    def test_identify_needs_no_law(self):
        done = run("identify",
                   f"cmd:{PYTHON} {ADAPTERS}/kits/python/dropout.py",
                   "--p", "0.3")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertIn("This is dropout", done.stdout)


class Plugins(unittest.TestCase):
    """Libraries with dropcheck_plugin.h: the examples that were built, the one
    in Rust where there is a compiler, and one that is wrong in many ways."""

    def setUp(self):
        self.folder = pathlib.Path(os.environ["DROPCHECK_EXAMPLES"])

    def right(self, library):
        subject = f"lib:{library}"
        for more in ([], ["--in-process"]):
            done = run("verify", subject, *QUICK, *more)
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
            self.assertIn("certified", done.stdout)

    def test_c(self):
        self.right(self.folder / "dropcheck_example_c.so")

    def test_cpp(self):
        library = self.folder / "dropcheck_example_cpp.so"
        self.right(library)
        done = run("verify", f"lib:{library}#dropout3d.cpp", *QUICK)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertNotIn("dropout2d", done.stdout)
        done = run("verify", f"lib:{library}#dropout4d.cpp", *QUICK)
        self.assertEqual(done.returncode, 4)
        self.assertIn("no subject 'dropout4d.cpp'", done.stderr)

    @unittest.skipUnless(shutil.which("rustc"), "there is no rustc")
    def test_rust(self):
        with tempfile.TemporaryDirectory() as folder:
            library = pathlib.Path(folder, "libdropout_rs.so")
            subprocess.run(
                ["rustc", "-O", "--crate-type", "cdylib", "-o", library,
                 ADAPTERS / "plugin/examples/dropout.rs"], check=True)
            self.right(library)

    def bad(self, mode, *more):
        library = self.folder / "dropcheck_bad_plugin.so"
        return run("verify", f"lib:{library}", *QUICK, "--call-timeout", "1",
                   "--only", "support", "--only", "eval_identity", *more,
                   environment={"BAD_PLUGIN": mode})

    def test_what_cannot_be_loaded_is_one_clear_error(self):
        for mode, words in {
                "other_version": "built for version 2",
                "short_struct": "has 24 bytes",
                "no_forward": "no function forward",
                "empty": "no layer number 0",
                "no_json": "malformed",
                "array": "no JSON object",
                "unknown_key": "unknown key 'momentum'",
                "null_description": "by NULL",
                "no_layer": "layer is missing",
                "unknown_layer": "layer is 'dropuot'",
                "unknown_dtype": "unknown dtype 'f8'",
                "abort_at_load": "SIGABRT"}.items():
            with self.subTest(mode=mode):
                done = self.bad(mode)
                self.assertEqual(done.returncode, 4, done.stderr)
                self.assertIn(words, done.stderr)
                self.assertEqual(len(done.stderr.splitlines()), 1)
                self.assertEqual(done.stdout, "")
        for status, words, path in ((4, "cannot open", "no-such-library.so"),
                                    (4, "invalid ELF", __file__),
                                    (4, "dropcheck_plugin_get", "libm.so.6"),
                                    (2, "path of the library is empty", "")):
            done = run("verify", f"lib:{self.found(path)}")
            self.assertEqual(done.returncode, status, done.stderr)
            self.assertIn(words, done.stderr)

    def found(self, path):
        folders = ["/lib/x86_64-linux-gnu", "/usr/lib", "/lib64", "."]
        there = [os.path.join(f, path) for f in folders
                 if path.startswith("libm") and
                 os.path.exists(os.path.join(f, path))]
        return there[0] if there else path

    def test_what_goes_wrong_in_a_call_is_a_finding(self):
        for mode, verdict, words in (
                ("crash", "crash", "SIGSEGV"),
                ("abort", "crash", "assertion failed: mask"),
                ("exit", "crash", "exited with status 3"),
                ("hang", "timeout", "within 1000ms"),
                ("writes_past_end", "refuted", "4 bytes past the end"),
                ("writes_before_begin", "refuted", "4 bytes before the begin"),
                ("writes_past_message", "refuted", "the end of its message"),
                ("changes_input", "refuted", "not the identity"),
                ("prints", "refuted", "mask has 4087 bits"),
                ("unknown_status", "error", "status 17"),
                ("fails", "error", "no device")):
            with self.subTest(mode=mode):
                with tempfile.TemporaryDirectory() as folder:
                    report = pathlib.Path(folder, "result.json")
                    done = self.bad(mode, "--json", report)
                    findings = json.loads(report.read_text())["findings"]
                self.assertEqual(done.returncode,
                                 4 if verdict == "error" else 1, done.stderr)
                self.assertEqual({one["verdict"] for one in findings},
                                 {verdict})
                self.assertEqual(len(findings), 2)  # the run went on
                self.assertIn(words, json.dumps(findings))

    def test_a_mask_is_compared_with_what_was_done(self):
        library = self.folder / "dropcheck_example_c.so"
        done = run("verify", f"lib:{library}", *QUICK, "--only", "mask_output")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertIn("certified", done.stdout)
        library = self.folder / "dropcheck_bad_plugin.so"
        for mode, words in (("mask_unwritten", "entry 0 is 170"),
                            ("mask_past_end", "past the end of its mask")):
            done = run("verify", f"lib:{library}", *QUICK,
                       "--only", "mask_output",
                       environment={"BAD_PLUGIN": mode})
            self.assertEqual(done.returncode, 1, done.stdout + done.stderr)
            self.assertIn(words, done.stdout.replace("\n  ", " "))

    def test_layout_finds_that_strides_are_a_lie(self):
        library = self.folder / "dropcheck_bad_plugin.so"
        done = run("verify", f"lib:{library}", *QUICK, "--only", "layout",
                   environment={"BAD_PLUGIN": "lies_about_strides"})
        self.assertEqual(done.returncode, 1)
        self.assertIn("mistakes its input", done.stdout)


class Recorded(unittest.TestCase):
    """check-tensors: recordings refute, and certify no rate."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def npy(self, name, shape, values):
        header = (f"{{'descr': '<f4', 'fortran_order': False, "
                  f"'shape': {shape}, }}\n").encode()
        path = self.folder / name
        path.write_bytes(b"\x93NUMPY\x01\x00"
                         + struct.pack("<H", len(header)) + header
                         + struct.pack(f"<{len(values)}f", *values))
        return path

    def recording(self, drop, scale):
        """Twenty calls on 1000 ones; Python's generator, any seed."""
        x = self.npy("x.npy", (1000,), [1.0] * 1000)
        y = self.npy("y.npy", (20, 1000), [
            0.0 if random.random() < drop else scale for _ in range(20000)])
        return x, y

    def check(self, *files):
        report = self.folder / "result.json"
        done = run("check-tensors", *files, "--layer", "dropout", "--p", "0.25",
                   "--json", report)
        findings = json.loads(report.read_text())["findings"]
        return done, {one["check"]: one for one in findings}

    def test_a_right_recording_is_not_refuted(self):
        done, findings = self.check(*self.recording(0.25, 1 / 0.75))
        self.assertEqual(done.returncode, 3, done.stdout + done.stderr)
        self.assertEqual(findings["support"]["verdict"], "certified")
        self.assertEqual(findings["drop_rate"]["verdict"], "inconclusive")
        self.assertIn("certify no rate", findings["drop_rate"]["sentence"])
        self.assertEqual(findings["drop_rate"]["n"], 20000)

    def archive(self, x, y, method):
        path = self.folder / "run.npz"
        with zipfile.ZipFile(path, "w", method) as archive:
            for name, file in (("input", x), ("output", y)):
                # As NumPy does it.
                with archive.open(name + ".npy", "w", force_zip64=True) as out:
                    out.write(file.read_bytes())
            archive.writestr("notes.txt", "of no interest")
        return path

    def test_archives_are_read(self):
        x, y = self.recording(0.25, 1 / 0.75)
        for method in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            done, findings = self.check(self.archive(x, y, method))
            self.assertEqual(done.returncode, 3, done.stdout + done.stderr)
            self.assertEqual(findings["drop_rate"]["n"], 20000)

    def test_broken_archives_are_refused(self):
        x, y = self.recording(0.25, 1 / 0.75)
        for method in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            whole = self.archive(x, y, method).read_bytes()
            path = self.folder / "broken.npz"
            # A bit in a header, in the data and in the directory; and cuts.
            broken = [whole[:at] for at in (0, 30, 4000, len(whole) - 1)]
            for at in (1, 2000, len(whole) - 20, len(whole) - 60):
                broken.append(whole[:at] + bytes([whole[at] ^ 0x55])
                              + whole[at + 1:])
            for data in broken:
                path.write_bytes(data)
                done = run("check-tensors", path, "--layer", "dropout", "--p",
                           "0.25")
                self.assertEqual(done.returncode, 4, done.stdout)
                self.assertIn("broken.npz", done.stderr)
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("input.npy", x.read_bytes())
        done = run("check-tensors", path, "--layer", "dropout", "--p", ".25")
        self.assertEqual(done.returncode, 4)
        self.assertIn("no array 'output'", done.stderr)

    def test_wrong_recordings_are_refuted(self):
        done, findings = self.check(*self.recording(0.75, 1 / 0.75))
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertEqual(findings["drop_rate"]["verdict"], "refuted")
        self.assertIn("not 0.25", done.stdout)
        done, findings = self.check(*self.recording(0.25, 1.0))
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertEqual(findings["support"]["verdict"], "refuted")

    def test_what_cannot_be_read_is_one_clear_error(self):
        x, y = self.recording(0.25, 1 / 0.75)
        cut = self.folder / "cut.npy"
        cut.write_bytes(y.read_bytes()[:-1])
        law = ["--layer", "dropout", "--p", "0.25"]
        for status, words, arguments in (
                (4, "but 79999 follow", [x, cut, *law]),
                (4, "No such file", [x, "none.npy", *law]),
                (4, "recordings are one", ["z.pt", *law]),
                (2, "needs the files", law),
                (2, "one --layer and one --p", [x, y]),
                (2, "'dropout'?", [x, y, "--layer", "dropuot", "--p", ".1"]),
                (2, "an output has shape", [y, x, *law]),
                (2, "drop probability is 0", [x, y, "--layer", "dropout",
                                              "--p", "0"])):
            done = run("check-tensors", *arguments)
            self.assertEqual(done.returncode, status, done.stderr)
            self.assertIn(words, done.stderr)
            self.assertEqual(done.stdout, "")


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
        self.ends_as("short_print", 4, "error", "'ok\\\\n", "print to its")
        self.ends_as("newline", 4, "error", "print to its standard output")
        self.ends_as("big_endian", 4, "error", "lengths are little-endian")
        self.ends_as("short_length", 4, "error", "8 + header + tensors")
        self.ends_as("number", 4, "error", "'alias' is 1, but values")
        self.ends_as("no_status", 4, "error", "has no status")
        self.ends_as("huge_length", 4, "error", "9223372036854775808 bytes")
        self.ends_as("nan_json", 4, "error", "malformed header")
        self.ends_as("wrong_answer", 4, "error", "no tensor 'output'")
        self.ends_as("two_answers", 4, "error")  # seen at the next request
        self.ends_as("claims_exabyte", 4, "error", "1152921504606846976")

    def test_a_layer_that_cannot_be_destroyed(self):
        self.ends_as("destroy_print", 4, "error", "during 'destroy'", "freed")
        self.ends_as("destroy_hang", 1, "timeout", "'destroy'")
        self.ends_as("destroy_exit", 1, "crash", "during 'destroy'")

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
        done = trials("destroy_print")
        self.assertRegex(done.stdout, "destroy .*print to its standard output")
        done = trials("twice")
        self.assertRegex(done.stdout, "silence .*(follows|nobody asked for)")
        done = trials("hang")
        self.assertRegex(done.stdout, "did not answer 'forward' .*\n.* the same")
        self.assertIn("2 requests were not answered in time", done.stdout)
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
