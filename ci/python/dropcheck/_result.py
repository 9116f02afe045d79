"""What a run found."""

from __future__ import annotations

import html as _html
import json
import os
import pathlib
import re
from dataclasses import dataclass, field
from typing import Any, Optional

from . import _native

_PASSES = ("certified", "not-supported", "deviation")
_COLOURS = {"certified": "#1a7f37", "refuted": "#cf222e", "crash": "#cf222e",
            "timeout": "#cf222e", "error": "#cf222e"}
_FORMS = {".html": "html", ".json": "json", ".xml": "junit", ".md": "markdown",
          ".txt": "text"}


@dataclass(frozen=True)
class Finding:
    """One check on one configuration.

    `verdict` is certified, refuted, inconclusive, not-run, not-supported,
    crash, timeout or error. The interval is at the claim's own level; numbers
    that a check does not have are None.
    """

    id: str
    check: str
    layer: str
    configuration: str
    verdict: str
    sentence: str
    expected: Optional[float] = None
    observed: Optional[float] = None
    interval: Optional[tuple[float, float]] = None
    log10_e: Optional[float] = None
    n: int = 0
    bound: str = ""
    replay: str = ""
    data: dict[str, Any] = field(default_factory=dict, repr=False)

    @property
    def passed(self) -> bool:
        """Certified, or declared as not supported; inconclusive is no pass."""
        return self.verdict in _PASSES

    @classmethod
    def _from_json(cls, data: dict[str, Any]) -> "Finding":
        lower, upper = data.get("interval_lower"), data.get("interval_upper")
        interval = None if lower is None or upper is None else (lower, upper)
        return cls(id=data["id"], check=data["check"], layer=data["layer"],
                   configuration=data["configuration"],
                   verdict=data["verdict"], sentence=data["sentence"],
                   expected=data.get("expected"), observed=data.get("observed"),
                   interval=interval, log10_e=data.get("log10_e"),
                   n=data.get("n", 0), bound=data.get("bound", ""),
                   replay=data.get("replay", ""), data=data)


class Result:
    """Everything that one call of `verify` found.

    In a notebook it shows itself as a table; `print(result)` is what the
    program prints.
    """

    def __init__(self, text: str):
        self._text = text
        self.data: dict[str, Any] = json.loads(text)
        self.findings = [Finding._from_json(each)
                         for each in self.data["findings"]]

    @property
    def verdict(self) -> str:
        """The worst verdict."""
        return self.data["verdict"]

    @property
    def exit_status(self) -> int:
        """What the program would exit with: 0 is a pass."""
        return _native.exit_status(self._text)

    @property
    def ok(self) -> bool:
        """Whether the layer is proved to conform: nothing refuted, nothing
        open, and at least one finding certified."""
        return self.exit_status == 0 and any(
            finding.verdict == "certified" for finding in self.findings)

    @property
    def failures(self) -> list[Finding]:
        """Findings that are no pass, worst first."""
        order = {"error": 0, "crash": 1, "timeout": 2, "refuted": 3}
        bad = [finding for finding in self.findings if not finding.passed]
        return sorted(bad, key=lambda finding: order.get(finding.verdict, 9))

    @property
    def seed(self) -> int:
        return int(self.data["seed"])

    def __getitem__(self, check: str) -> Finding:
        """The finding of a check, the worst one where there are several."""
        found = [each for each in self.findings if each.check == check]
        if not found:
            checks = ", ".join(sorted({each.check for each in self.findings}))
            raise KeyError(f"no finding of '{check}'; there are: {checks}")
        return min(found, key=lambda each: each.passed)

    def html(self) -> str:
        """The whole report as one self-contained page."""
        return _native.rendered([self._text], "html", False)

    def write(self, path: "str | os.PathLike[str]") -> None:
        """Writes the report; the form follows the suffix: .html, .json, .xml
        (JUnit), .md or .txt."""
        target = pathlib.Path(path)
        form = _FORMS.get(target.suffix)
        if form is None:
            raise ValueError(f"path is '{target}', but its suffix must be one "
                             f"of {', '.join(_FORMS)}")
        target.write_text(_native.rendered([self._text], form, False),
                          encoding="utf-8")

    def __str__(self) -> str:
        text = _native.rendered([self._text], "text", False)
        # The program cannot call a layer that lives in this process.
        return re.sub(r"dropcheck replay (\S+)",
                      r'dropcheck.verify(..., replay="\1")', text)

    def __repr__(self) -> str:
        bad = len(self.failures)
        return (f"<dropcheck.Result: {self.verdict}, {len(self.findings)} "
                f"findings, {bad} no pass>")

    def _repr_html_(self) -> str:
        rows = "".join(_row(finding) for finding in
                       self.failures + [f for f in self.findings if f.passed])
        words = "conforms" if self.ok else "does not pass"
        return (f"<p><b>{words}</b>: {_html.escape(self.verdict)}, "
                f"{len(self.findings)} findings, seed {self.seed}</p>"
                f"<table><thead><tr><th>verdict</th><th>check</th>"
                f"<th>configuration</th><th>what is proved, or wrong</th></tr>"
                f"</thead><tbody>{rows}</tbody></table>")


def _row(finding: Finding) -> str:
    colour = _COLOURS.get(finding.verdict, "#9a6700")
    cells = (finding.check, finding.configuration, finding.sentence)
    return (f'<tr><td style="color:{colour}">{_html.escape(finding.verdict)}'
            "</td>" + "".join(
                f'<td style="text-align:left">{_html.escape(cell)}</td>'
                for cell in cells) + "</tr>")


class Identification:
    """What `identify` told from calls alone."""

    def __init__(self, text: str):
        both = json.loads(text)
        self.data: dict[str, Any] = both["identification"]
        self._words: str = both["text"]

    @property
    def identified(self) -> bool:
        return self.data["identified"]

    @property
    def law(self) -> str:
        """The law in one sentence."""
        return self.data["law"]

    @property
    def drop_probability(self) -> Optional[float]:
        return self.data.get("drop_probability")

    def __str__(self) -> str:
        return self._words

    def __repr__(self) -> str:
        return f"<dropcheck.Identification: {self.law}>"

    def _repr_html_(self) -> str:
        return f"<pre>{_html.escape(self._words)}</pre>"
