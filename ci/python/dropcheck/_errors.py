"""Exceptions of the package."""

from __future__ import annotations

import difflib
from typing import Iterable


class NotSupported(Exception):
    """Raised by a layer that declares that it lacks what is asked: no defect."""


def require_one_of(what: str, value: str, known: Iterable[str]) -> None:
    """Raises ValueError that names the value, the rule and the nearest name."""
    names = list(known)
    if value in names:
        return
    near = difflib.get_close_matches(str(value), names, 1)
    hint = f"; did you mean '{near[0]}'?" if near else ""
    raise ValueError(f"{what} is '{value}', but must be one of "
                     f"{', '.join(names)}{hint}")
