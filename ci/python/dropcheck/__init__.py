"""Decides whether a dropout layer is right.

    >>> import dropcheck
    >>> result = dropcheck.verify(my_dropout, layer="dropout", p=0.1)
    >>> result.ok
    False
    >>> print(result)

A verdict is certified, refuted or inconclusive, each with a number; a false
alarm of a whole run has probability at most 1e-9.
"""

from ._errors import NotSupported
from ._native import __version__
from ._result import Finding, Identification, Result
from ._verify import declares, identify, layers, verify

__all__ = ["Finding", "Identification", "NotSupported", "Result",
           "__version__", "declares", "identify", "layers", "verify"]
