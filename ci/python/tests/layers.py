"""Dropout in NumPy, right and wrong."""

import numpy as np


def dropout(x, p, training, rng):
    if not 0 <= p <= 1:
        raise ValueError(f"p is {p}, but must be in [0, 1]")
    if not training or p == 0:
        return x.copy()
    if p == 1:
        return np.zeros_like(x)
    keep = rng.random(x.shape) >= p
    with np.errstate(over="ignore"):
        return np.where(keep, x * x.dtype.type(1 / (1 - p)), x.dtype.type(0))


def wrong_rate(x, p, training, rng):
    """Drops 1.3 times as often, and scales as if it did not."""
    keep = rng.random(x.shape) >= 1.3 * p
    return np.where(keep, x * x.dtype.type(1 / (1 - p)), x.dtype.type(0))


def unscaled(x, p, training, rng):
    return np.where(rng.random(x.shape) >= p, x, x.dtype.type(0))


class Dropout:
    """A class, made from its drop probability, with a backward pass."""

    def __init__(self, rate):
        if not 0 <= rate <= 1:
            raise ValueError(f"rate is {rate}, but must be in [0, 1]")
        self.rate = rate
        self.rng = np.random.default_rng()
        self.kept = None

    def _times(self, x):
        scale = 0 if self.rate == 1 else 1 / (1 - self.rate)
        with np.errstate(over="ignore", invalid="ignore"):
            return np.where(self.kept, x * x.dtype.type(scale),
                            x.dtype.type(0))

    def forward(self, x, training):
        self.training = training
        if not training or self.rate == 0:
            self.kept = None
            return x.copy()
        self.kept = self.rng.random(x.shape) >= self.rate
        return self._times(x)

    def backward(self, grad):
        return grad.copy() if self.kept is None else self._times(grad)

    def reseed(self, seed):
        self.rng = np.random.default_rng(seed)
