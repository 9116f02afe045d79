import re
import shlex

import pytest

LAYERS = """
import numpy as np

def right(x, p, training, rng):
    if not training:
        return x.copy()
    with np.errstate(over="ignore"):
        return np.where(rng.random(x.shape) >= p,
                        x * x.dtype.type(1 / (1 - p)), x.dtype.type(0))

def wrong(x, p, training, rng):
    return right(x, p / 2, training, rng)

FEW = ["support", "drop_rate"]

def test_right(dropcheck):
    dropcheck.check(right, p=0.3, only=FEW)

def test_wrong(dropcheck):
    dropcheck.check(wrong, p=0.3, only=FEW)
"""


@pytest.fixture
def session(pytester):
    pytester.makepyfile(test_mine=LAYERS)
    return pytester


def run(session, *arguments):
    return session.runpytest_subprocess("-p", "dropcheck.pytest_plugin",
                                        *arguments)


def test_a_wrong_layer_fails_its_test(session):
    done = run(session)
    done.assert_outcomes(passed=1, failed=1)
    done.stdout.fnmatch_lines(["*refuted dropout.*",
                               "*--dropcheck-replay*",
                               "dropcheck: 1 of 2 checked layers not passed*"])


def test_the_line_of_a_failure_repeats_it_alone(session):
    done = run(session)
    line = re.search(r"^  (pytest .*)$", done.stdout.str(), re.MULTILINE)[1]
    again = run(session, *shlex.split(line)[1:])
    again.assert_outcomes(failed=1)
    assert "findings: 1;" in again.stdout.str()


def test_a_token_of_another_test_is_told(session):
    done = run(session, "--dropcheck-replay", "dc1,subject=other,check=x")
    done.assert_outcomes(passed=2)
    done.stdout.fnmatch_lines(["*fits no check*"])


def test_one_report_of_the_session(session):
    run(session, "--dropcheck-html", "all.html", "--dropcheck-json", "all.json")
    page = (session.path / "all.html").read_text(encoding="utf-8")
    assert "test_right" in page and "test_wrong" in page


def test_a_report_that_cannot_be_written_is_told(session):
    done = run(session, "--dropcheck-html", "absent/all.html")
    assert done.ret == 4
    done.stdout.fnmatch_lines(["dropcheck: --dropcheck-html is 'absent/*"])


def test_shares_of_the_alarm_budget_sum_to_one():
    class Config:
        def getoption(self, name):
            return {"dropcheck_alpha": 1e-9}.get(name)

    from dropcheck.pytest_plugin import Session
    session = Session(Config())
    total = 0
    for _ in range(1000):
        total += session.next_share()
        session.results.append(None)
    assert 0.99 < total <= 1
