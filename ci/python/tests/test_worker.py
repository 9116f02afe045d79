import os
import subprocess
import sys

import pytest

PROGRAM = os.environ.get("DROPCHECK_PROGRAM")
pytestmark = pytest.mark.skipif(PROGRAM is None, reason="no DROPCHECK_PROGRAM")

MODULE = """
import numpy as np
import dropcheck
from layers import Dropout, dropout, unscaled

def never(x, p, training, rng):
    raise dropcheck.NotSupported("not today")

@dropcheck.declares(layer="dropout2d", dtypes=["f32", "f64"],
                    spatial_axes=2)
def channels(x, p, training, rng):
    if not 0 <= p <= 1 or x.ndim not in (3, 4):
        raise ValueError("p or rank")
    if not training or p == 0:
        return x.copy()
    if p == 1:
        return np.zeros_like(x)
    keep = rng.random(x.shape[:-2] + (1, 1)) >= p
    with np.errstate(over="ignore"):
        return np.where(keep, x * x.dtype.type(1 / (1 - p)), x.dtype.type(0))

@dropcheck.declares(colour="red")
def coloured(x):
    return x
"""


@pytest.fixture
def verify(tmp_path):
    (tmp_path / "mine.py").write_text(MODULE)
    paths = [os.path.dirname(__file__)] + sys.path

    def run(name, *arguments):
        return subprocess.run(
            [PROGRAM, "verify", f"py:{name}", "--p", "0.3", "--profile",
             "smoke", *arguments],
            cwd=tmp_path, capture_output=True, text=True, timeout=300,
            env={**os.environ, "DROPCHECK_PYTHON": sys.executable,
                 "PYTHONPATH": os.pathsep.join(filter(None, paths))})
    return run


def test_a_function_is_certified(verify):
    done = verify("mine:dropout", "--only", "*drop_rate*", "--only", "*state*")
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_class_has_its_gradient_checked(verify):
    done = verify("mine:Dropout", "--only", "*backward_mask*")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "certified" in done.stdout


def test_what_it_promises_is_declared(verify):
    done = verify("mine:channels", "--only", "*granularity*")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "dropout2d" in done.stdout


def test_a_wrong_one_is_refuted(verify):
    done = verify("mine:unscaled", "--only", "*support*", "--shrink-limit", "0")
    assert done.returncode == 1
    assert "not scaled" in done.stdout


@pytest.mark.parametrize("name, words", [
    ("mine", "must be MODULE:NAME"),
    ("mine:absent", "mine has no absent"),
    ("no_such_module:x", "no_such_module"),
    ("mine:coloured", "declares has 'colour'"),
])
def test_what_cannot_be_served_is_named(verify, name, words):
    done = verify(name)
    assert done.returncode in (2, 4)
    assert words in done.stdout + done.stderr
