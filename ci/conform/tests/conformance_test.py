"""ci/conformance with libraries of its own: what cannot be had, what is refuted
and not explained, what is explained and not refuted, a GPU that is none.

Usage: conformance_test.py PROGRAM [unittest arguments]
"""

import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

PROGRAM = ""
ROOT = pathlib.Path(__file__).resolve().parents[3]
QUICK = ["--p", "0.3", "--dtype", "f32", "--generated", "0",
         "--shrink-limit", "0", "--only", "*.drop_rate[*", "--only",
         "*.seeding[*", "--only", "*.homogeneity[*"]
RIGHT = "cmd:{python} {kits}/python/dropout.py"
WRONG = "cmd:{python} impl/adapters/tests/bad_adapter.py half_rate"
ENTRY = """
[[finding]]
library = "wrong"
subject = "half_rate"
check = ["*.homogeneity[*]", "*.drop_rate[*]"]
kind = "limit"
title = "drops half as much"
"""


class Conformance(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.folder = pathlib.Path(scratch.name)
        (self.folder / "reports").mkdir()

    def library(self, name, subject=RIGHT, install="", **fields):
        fields = {"name": name, "title": name.title(), "language": "Python",
                  "version": "1", "documentation": "https://example.org",
                  "profile": "smoke", **fields}
        folder = self.folder / "libraries" / name
        folder.mkdir(parents=True)
        lines = [f"{key} = {json.dumps(value)}"
                 for key, value in fields.items()]
        lines += ["[install]", install, "[[run]]",
                  f"subjects = {json.dumps([subject])}",
                  f"arguments = {json.dumps(QUICK)}"]
        (folder / "library.toml").write_text("\n".join(lines), "utf-8")
        return folder

    def explain(self, text):
        (self.folder / "reports" / "findings.toml").write_text(text, "utf-8")

    def run_it(self, *arguments, program=None, **variables):
        done = subprocess.run(
            [sys.executable, ROOT / "ci" / "conformance", *arguments,
             "--program", program or PROGRAM,
             "--libraries", self.folder / "libraries",
             "--reports", self.folder / "reports"],
            capture_output=True, text=True, timeout=300,
            env={**os.environ, **variables})
        self.assertEqual(done.stderr, "")
        return done.returncode, done.stdout

    def result(self, name):
        path = self.folder / "reports" / "results" / f"{name}.json"
        return json.loads(path.read_text("utf-8"))

    def page(self, name):
        return (self.folder / "reports" / name).read_text("utf-8")

    def test_a_right_library_is_certified_and_removed(self):
        self.library("test_right")
        status, text = self.run_it()
        self.assertEqual(status, 0, text)
        self.assertIn("Test_Right: 3 certified", text)
        made = self.result("test_right")
        self.assertEqual(made["status"], "ran")
        self.assertEqual(made["subjects"][0]["counts"], {"certified": 3})
        self.assertIn("| 1 | Python | cpu | 1 | 3 | 0 | 0 | smoke |",
                      self.page("README.md"))
        self.assertFalse((ROOT / "build/conformance/test_right").exists())
        self.assertEqual(self.run_it("--check-pages"), (0, ""))

    def test_what_cannot_be_had_is_recorded_and_the_run_goes_on(self):
        self.library("test_bad", install='commands = [["false", "x"]]')
        self.library("test_gone", unavailable="it is for another processor")
        self.library("test_right")
        status, text = self.run_it()
        self.assertEqual(status, 0, text)
        self.assertIn("Test_Bad: could not be had: false failed with status 1",
                      text)
        self.assertIn("another processor", self.page("README.md"))
        self.assertEqual(self.result("test_bad")["status"], "could not be had")
        self.assertEqual(self.result("test_right")["status"], "ran")

    def test_nothing_had_at_all(self):
        self.library("test_bad", install='commands = [["no-such-program"]]')
        status, text = self.run_it()
        self.assertEqual(status, 4, text)
        self.assertIn("no-such-program", text)

    def test_a_refutation_without_an_entry(self):
        self.library("wrong", WRONG)
        status, text = self.run_it()
        self.assertEqual(status, 1, text)
        self.assertIn("dropout.drop_rate[p=0.3,f32,61x67] is refuted, and "
                      "findings.toml does not say why", text)
        self.assertEqual(self.run_it("--check-pages")[0], 1)

    def test_a_refutation_with_an_entry(self):
        self.library("wrong", WRONG)
        self.explain(ENTRY)
        status, text = self.run_it()
        self.assertEqual(status, 0, text)
        page = self.page("FINDINGS.md")
        for words in ("drops half as much", "half of the rate",
                      "dropcheck replay"):
            self.assertIn(words, page)
        self.assertEqual(self.run_it("--check-pages"), (0, ""))
        (self.folder / "reports" / "FINDINGS.md").write_text("", "utf-8")
        self.assertIn("not what ci/conformance --pages makes",
                      self.run_it("--check-pages")[1])

    def test_an_entry_without_a_refutation(self):
        self.library("wrong", RIGHT)
        self.explain(ENTRY)
        status, text = self.run_it()
        self.assertEqual(status, 1, text)
        self.assertIn("nothing shows any more", text)

    def test_an_adapter_that_breaks(self):
        self.library("test_broken", "cmd:false")
        status, text = self.run_it()
        self.assertEqual(status, 4, text)
        self.assertIn("broke: dropcheck ended with status 4", text)

    def test_a_run_that_takes_too_long(self):
        self.library("test_slow", "cmd:sleep 600", time_limit=1)
        status, text = self.run_it()
        self.assertEqual(status, 4, text)
        self.assertIn("longer than 1 s", text)

    def test_what_a_stopped_run_decided_is_kept(self):
        self.library("test_slow", time_limit=3)
        self.explain(ENTRY.replace("wrong", "test_slow"))
        status, text = self.run_it("--profile", "nightly")
        self.assertEqual(status, 0, text)
        self.assertTrue(self.result("test_slow")["stopped"])
        self.assertIn(", stopped |", self.page("README.md"))

    def test_bad_words(self):
        self.library("test_right")
        status, text = self.run_it("test_left")
        self.assertEqual(status, 2)
        self.assertIn("there is no library 'test_left', but test_right", text)
        self.library("test_typo", profil="smoke")
        status, text = self.run_it()
        self.assertEqual(status, 2)
        self.assertIn("'profil' is unknown", text)

    def test_bad_entries(self):
        self.library("test_right")
        self.explain(ENTRY.replace("limit", "defect"))
        status, text = self.run_it("--check-pages")
        self.assertEqual(status, 2)
        self.assertIn("drops half as much: it has no call", text)

    def test_no_program(self):
        self.library("test_right")
        status, text = self.run_it(program="/no/such/program")
        self.assertEqual(status, 4)
        self.assertIn("there is no /no/such/program", text)

    def test_a_device_takes_what_is_there(self):
        """Nothing is installed; the adapter of PyTorch meets a torch with a
        GPU, made of NumPy, and a bug that shows at odd sizes only."""
        python = with_numpy()
        if python is None:
            self.skipTest("there is no NumPy")
        adapter = "impl/adapters/libraries/torch/adapter.py"
        self.library("test_gpu", f"cmd:{{python}} {adapter}#nn.Dropout",
                     install='pip = ["no-such-package-at-all"]',
                     devices=["cpu", "cuda"])
        self.library("test_other")
        fake = pathlib.Path(__file__).resolve().parent / "fake_torch"
        variables = {"DROPCHECK_PYTHON": python, "PYTHONPATH": str(fake)}
        status, text = self.run_it("--device", "cuda", **variables)
        self.assertEqual(status, 0, text)
        self.assertNotIn("Other", text)
        made = self.result("test_gpu.cuda")
        self.assertEqual(made["device"], "cuda")
        self.assertEqual(made["subjects"][0]["version"],
                         "torch fake on Fake GPU")
        self.assertIn("| cuda |", self.page("README.md"))
        self.assertIn("Fake GPU", self.page("README.md"))
        status, text = self.run_it("--device", "cuda", FAKE_TORCH_BUG="tail",
                                   **variables)
        self.assertEqual(status, 1, text)
        self.assertIn("homogeneity", text)


def with_numpy():
    """An interpreter that has NumPy, or None."""
    for python in (sys.executable, ROOT / "build/python/bin/python",
                   os.environ.get("DROPCHECK_PYTHON", "")):
        try:
            done = subprocess.run([python, "-c", "import numpy"],
                                  capture_output=True)
        except OSError:
            continue
        if done.returncode == 0:
            return str(python)
    return None


if __name__ == "__main__":
    PROGRAM = str(pathlib.Path(sys.argv.pop(1)).resolve())
    unittest.main()
