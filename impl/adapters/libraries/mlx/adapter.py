"""MLX on the CPU: nn.Dropout, Dropout2d and Dropout3d, channels last.

Declared, as the pages and errors say: p is in [0, 1), the input is multiplied
by a mask, evaluation returns the input. All layers share a generator.
"""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "common"))

import importlib.metadata  # noqa: E402
import secrets  # noqa: E402

import mlx.core as mx  # noqa: E402
import mlx.nn as nn  # noqa: E402
import numpy  # noqa: E402
from library_adapter import Arrays, NotSupported, Subject, serve  # noqa: E402

OPTIONS = {"at_one": "error", "dropped_nonfinite": "nan",
           "dropped_zero": "either", "evaluation_return": "either",
           "scale_rounding": "dtype"}
NAMES = {mx.float32: "f32", mx.float16: "f16", mx.bfloat16: "bf16"}


class MlxArrays(Arrays):
    mutable = False

    def take(self, words, dtype):
        array = mx.array(words)
        return array.view(mx.bfloat16) if dtype == "bf16" else array

    def give(self, result):
        dtype = NAMES.get(result.dtype, str(result.dtype))
        words = result.view(mx.uint16) if dtype == "bf16" else result
        return numpy.array(words), dtype


class Layer:
    def __init__(self, kind, p):
        self.layer = kind(p)

    def reseed(self, seed):
        mx.random.seed(seed)

    def forward(self, x, training):
        self.layer.train(training)
        result = self.layer(x)
        mx.eval(result)
        return result


def plain(config):
    return Layer(nn.Dropout, config["drop_probability"])


def spatial(kind):
    def make(config):
        if not config.get("channels_last"):
            raise NotSupported("channels are last")
        return Layer(kind, config["drop_probability"])
    return make


def subject(name, layer, make, **more):
    return Subject(name, layer, make, dtypes="f32,f16,bf16",
                   options={**OPTIONS, **more.pop("options", {})},
                   generator="threefry", **more)


def spatial_subject(axes, kind):
    return subject(f"nn.Dropout{axes}d", "spatial_dropout", spatial(kind),
                   understands=("channels_last",), spatial_axes=axes,
                   variants=[{"channels_last": True}],
                   options={"rank_is_checked": False})


mx.random.seed(secrets.randbits(63))
serve([
    subject("nn.Dropout", "dropout", plain),
    spatial_subject(2, nn.Dropout2d),
    spatial_subject(3, nn.Dropout3d),
], MlxArrays(), f"mlx {importlib.metadata.version('mlx')}")
