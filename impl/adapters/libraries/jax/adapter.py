"""Flax on JAX: linen.Dropout and nnx.Dropout, with and without broadcast_dims.

Declared: Flax checks no range of the rate.
"""

import functools
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "common"))

import flax  # noqa: E402
import jax  # noqa: E402
from flax import linen, nnx  # noqa: E402
from library_adapter import Jax, Subject, device, jax_key, serve  # noqa: E402

DEVICE = device()
OPTIONS = {"beyond_ends": "accepted"}


@functools.cache
def compiled(rate, broadcast_dims):
    """A linen module, its forward and its gradient; compiled once a shape."""
    layer = linen.Dropout(rate, broadcast_dims)

    def train(x, key):
        return layer.apply({}, x, deterministic=False, rngs={"dropout": key})

    def gradient(x, key, incoming):
        return jax.vjp(lambda x: train(x, key), x)[1](incoming)[0]

    return layer, jax.jit(train), jax.jit(gradient)


class Linen:
    """A linen module, compiled; the key of each call is folded from a seed's
    as make_rng does it."""

    def __init__(self, config):
        self.layer, self.train, self.gradient = compiled(
            config["drop_probability"], tuple(config.get("shared_axes", ())))
        self.key, self.calls, self.latest = jax_key(jax, 0), 0, None

    def reseed(self, seed):
        self.key, self.calls = jax_key(jax, seed), 0

    def forward(self, x, training):
        self.latest = None
        if not training:
            return self.layer.apply({}, x, deterministic=True)
        self.calls += 1
        self.latest = x, jax.random.fold_in(self.key, self.calls)
        return self.train(*self.latest)

    def backward(self, incoming):
        return (self.gradient(*self.latest, incoming)
                if self.latest is not None else incoming)


class Nnx:
    """An nnx module, which counts its calls itself."""

    def __init__(self, config):
        self.words = {"rate": config["drop_probability"],
                      "broadcast_dims": tuple(config.get("shared_axes", ()))}
        self.reseed(0)

    def reseed(self, seed):
        self.layer = nnx.Dropout(
            **self.words, rngs=nnx.Rngs(dropout=jax_key(jax, seed)))

    def forward(self, x, training):
        return self.layer(x, deterministic=not training)


def eager(config):
    """Without jax.jit: each operation for itself."""
    layer = Linen(config)
    layer.train = lambda x, key: layer.layer.apply(
        {}, x, deterministic=False, rngs={"dropout": key})
    return layer


def subject(name, layer, make, **more):
    return Subject(name, layer, make, dtypes="f32,f16,bf16", own_state=True,
                   options=OPTIONS, generator="threefry", **more)


SHARED = {"understands": ("shared_axes",),
          "variants": [{"shared_axes": [0]}, {"shared_axes": [1, 2]}]}
serve([
    subject("linen.Dropout", "dropout", Linen, backward=True),
    subject("linen.Dropout.eager", "dropout", eager, backward=True),
    subject("linen.Dropout.broadcast_dims", "broadcast_dropout", Linen,
            backward=True, **SHARED),
    subject("nnx.Dropout", "dropout", Nnx),
    subject("nnx.Dropout.broadcast_dims", "broadcast_dropout", Nnx, **SHARED),
], Jax(jax, DEVICE), f"flax {flax.__version__}, jax {jax.__version__} on "
   f"{jax.devices('gpu' if DEVICE == 'cuda' else DEVICE)[0].device_kind}")
