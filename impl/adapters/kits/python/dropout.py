"""Inverted dropout, without any library: an example of an adapter."""

import random
from array import array

from dropcheck_adapter import FORMATS, LayerError, Tensor, serve


class Dropout:
    def __init__(self, config):
        self.drop = config["drop_probability"]
        if not 0 <= self.drop <= 1:  # NaN too
            raise LayerError(f"p is {self.drop}, but must be in [0, 1]")
        self.random = random.Random()
        self.mask = None

    def forward(self, x, training):
        self.mask = None
        if not training or self.drop == 0:
            return Tensor(x.dtype, x.shape, bytes(x.data))
        draw, drop = self.random.random, self.drop
        self.mask = [draw() >= drop for _ in range(len(x.values()))]
        return self.multiply(x)

    def backward(self, gradient):
        return self.multiply(gradient)

    def reseed(self, seed):
        # As bytes, which are hashed: as numbers 0 and 2^64 - 2^32 are one seed.
        self.random.seed(seed.to_bytes(8, "little"))

    def multiply(self, x):
        values, mask = x.values(), self.mask
        if mask is None:
            return Tensor(x.dtype, x.shape, bytes(x.data))
        scale = 1 / (1 - self.drop) if self.drop < 1 else 0.0
        result = array(FORMATS[x.dtype], (
            value * scale if kept else 0.0
            for value, kept in zip(values, mask)))
        return Tensor(x.dtype, x.shape, result)


serve(Dropout, layer="dropout", version="1", dtypes="f32,f64")
