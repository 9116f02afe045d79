"""Exceptions of the package."""


class NotSupported(Exception):
    """Raised by a layer that declares that it lacks what is asked: no defect."""
