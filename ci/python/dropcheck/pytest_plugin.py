"""The fixture `dropcheck`: one alarm budget for the whole session.

    def test_my_dropout(dropcheck):
        dropcheck.check(my_dropout, layer="dropout", p=0.1)

The i-th check of a session gets 1 / (i (i + 1)) of the budget, so that all of
them together raise a false alarm with probability at most 1e-9.
"""

from __future__ import annotations

import os
import shlex
from typing import Any, Optional

import pytest

from . import _native
from ._result import Result
from ._verify import plain, verify

_KEY = pytest.StashKey["Session"]()


class Session:
    """What the checks of one session share."""

    def __init__(self, config: pytest.Config):
        option = config.getoption
        self.profile: str = option("dropcheck_profile")
        self.alpha: float = option("dropcheck_alpha")
        self.seed: Optional[int] = option("dropcheck_seed")
        self.replay: Optional[str] = option("dropcheck_replay")
        self.replayed = False
        self.results: list[Result] = []
        self.failed = 0
        self.complaints: list[str] = []
        # Each process of pytest-xdist counts its own checks.
        self.processes = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))

    def next_share(self) -> float:
        i = len(self.results) + 1
        return 1 / (i * (i + 1) * self.processes)


class Dropcheck:
    """The fixture of one test."""

    def __init__(self, session: Session, nodeid: str):
        self._session = session
        self._nodeid = nodeid
        self._checks = 0

    def check(self, target: Any, layer: str = "dropout", p: Any = None,
              **arguments: Any) -> Optional[Result]:
        """Fails the test unless the layer is proved to conform.

        Arguments are those of `dropcheck.verify`; profile, seed and alpha are
        the session's unless given. Inconclusive is a failure. Returns the
        result, or None where another check is replayed.
        """
        __tracebackhide__ = True
        self._checks += 1
        name = _name(self._nodeid, self._checks)
        session = self._session
        if session.replay is not None:
            if f"subject={name}," not in session.replay:
                return None
            session.replayed = True
        arguments.setdefault("profile", session.profile)
        arguments.setdefault("seed", session.seed)
        result = verify(target, layer, p, name=name, alpha=session.alpha,
                        share=session.next_share(), replay=session.replay,
                        **arguments)
        session.results.append(result)
        if not result.ok:
            session.failed += 1
            pytest.fail(_words(result, self._nodeid), pytrace=False)
        return result


def _name(nodeid: str, number: int) -> str:
    name = "pytest:" + plain(nodeid)
    return name if number == 1 else f"{name}:{number}"


def _words(result: Result, nodeid: str) -> str:
    lines = []
    for finding in result.failures:
        lines.append(f"{finding.verdict} {finding.id}")
        lines.append(f"  {finding.sentence}")
    if not lines:
        lines = ["no check of the layer is certified"]
    first = result.failures[0] if result.failures else None
    if first is not None and first.replay:
        lines.append("to repeat the first one alone:")
        lines.append(f"  pytest {shlex.quote(nodeid)} --dropcheck-replay "
                     f"{shlex.quote(first.replay)}")
    return "\n".join(lines)


@pytest.fixture
def dropcheck(request: pytest.FixtureRequest) -> Dropcheck:
    """Verifies dropout layers under the session's alarm budget."""
    return Dropcheck(request.config.stash[_KEY], request.node.nodeid)


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("dropcheck")
    group.addoption("--dropcheck-profile", default="smoke",
                    choices=["smoke", "pr", "nightly", "exhaustive"],
                    help="how much is read (default: smoke)")
    group.addoption("--dropcheck-seed", type=int, default=None,
                    help="seed of every check (default: fresh)")
    group.addoption("--dropcheck-alpha", type=float, default=1e-9,
                    help="probability of any false alarm of the session")
    group.addoption("--dropcheck-replay", default=None, metavar="TOKEN",
                    help="repeat this one finding; other checks are left out")
    group.addoption("--dropcheck-html", default=None, metavar="PATH",
                    help="one report of all checks of the session")
    group.addoption("--dropcheck-json", default=None, metavar="PATH",
                    help="the same as JSON")


def pytest_configure(config: pytest.Config) -> None:
    config.stash[_KEY] = Session(config)


def pytest_sessionfinish(session: pytest.Session) -> None:
    found = session.config.stash[_KEY]
    texts = [result._text for result in found.results]
    for form in ("html", "json"):
        path = session.config.getoption(f"dropcheck_{form}")
        if path is None or not texts:
            continue
        try:
            with open(path, "w", encoding="utf-8") as file:
                file.write(_native.rendered(texts, form, False))
        except OSError as error:
            found.complaints.append(
                f"--dropcheck-{form} is '{path}', which cannot be written: "
                f"{error.strerror}")
            session.exitstatus = pytest.ExitCode.USAGE_ERROR


def pytest_terminal_summary(terminalreporter: Any,
                            config: pytest.Config) -> None:
    found = config.stash[_KEY]
    for complaint in found.complaints:
        terminalreporter.write_line(f"dropcheck: {complaint}")
    if found.replay is not None and not found.replayed:
        terminalreporter.write_line(
            "dropcheck: the replay token fits no check of this session")
    if not found.results:
        return
    findings = sum(len(result.findings) for result in found.results)
    terminalreporter.write_line(
        f"dropcheck: {found.failed} of {len(found.results)} checked layers not "
        f"passed, findings: {findings}; false alarms in at most "
        f"{found.alpha:g} of all sessions")
