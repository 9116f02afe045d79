"""tinygrad: Tensor.dropout and attention. All tensors share a generator."""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "common"))

import importlib.metadata  # noqa: E402

from library_adapter import Arrays, Subject, serve  # noqa: E402
from tinygrad import Context, Tensor  # noqa: E402

OPTIONS = {"evaluation_return": "either", "dropped_zero": "either",
           "scale_rounding": "dtype"}


class Tensors(Arrays):
    mutable = False

    def take(self, words, dtype):
        return Tensor(words)

    def give(self, result):
        return super().give(result.numpy())


class Layer:
    def __init__(self, config):
        self.drop = config["drop_probability"]

    def reseed(self, seed):
        Tensor.manual_seed(seed)

    def forward(self, x, training):
        with Context(TRAINING=int(training)):
            return x.dropout(self.drop).realize()


serve([
    Subject("Tensor.dropout", "dropout", Layer, dtypes="f32,f16",
            options=OPTIONS, generator="threefry"),
], Tensors(), f"tinygrad {importlib.metadata.version('tinygrad')}")
