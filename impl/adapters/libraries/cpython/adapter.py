"""Dropout in plain Python, seeded by a number: random.Random(seed)."""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "common"))

import platform  # noqa: E402
import random  # noqa: E402

import numpy  # noqa: E402
from library_adapter import Arrays, Subject, serve, valid  # noqa: E402


class Dropout:
    def __init__(self, config):
        self.drop = config["drop_probability"]
        if not valid(self.drop):
            raise ValueError(f"p is {self.drop}, but must be in [0, 1]")
        self.random = random.Random()

    def reseed(self, seed):
        self.random.seed(seed)

    def forward(self, x, training):
        if not training:
            return x.copy()
        draw = self.random.random
        kept = numpy.array([draw() >= self.drop for _ in range(x.size)], bool)
        scale = x.dtype.type(1 / (1 - self.drop) if self.drop < 1 else 0)
        return numpy.where(kept.reshape(x.shape), x * scale, x.dtype.type(0))


serve([
    Subject("random.Random", "dropout", Dropout, own_state=True,
            generator="mt19937", summary="keeps where random() >= p"),
], Arrays(), f"CPython {platform.python_version()}")
