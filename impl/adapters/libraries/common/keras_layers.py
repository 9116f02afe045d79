"""Keras 3 on the backend that $KERAS_BACKEND names.

Each layer has a seed of its own. Declared: evaluation returns the input itself
(keras/src/layers/regularization: `return inputs`); the sign of a dropped zero
and what a dropped infinity becomes are left to the backend.
"""

import hashlib
import os

import keras
import numpy
from library_adapter import Arrays, Jax, NotSupported, Subject, Torch, serve

BACKEND = os.environ["KERAS_BACKEND"]
DTYPES = {"f64": "float64", "f32": "float32", "f16": "float16",
          "bf16": "bfloat16"}
OPTIONS = {"evaluation_return": "either", "dropped_nonfinite": "either",
           "dropped_zero": "either"}
if BACKEND == "torch":  # unseeded layers call torch's dropout
    OPTIONS["scale_rounding"] = "dtype"


class TensorFlow(Arrays):
    """TensorFlow's tensors, which nothing can change."""

    mutable = False

    def __init__(self, tensorflow):
        self.tensorflow = tensorflow

    def take(self, words, dtype):
        tensor = self.tensorflow.constant(words)
        if dtype == "bf16":
            tensor = self.tensorflow.bitcast(tensor, "bfloat16")
        return tensor

    def give(self, result):
        if not isinstance(result, self.tensorflow.Tensor):
            raise TypeError(f"returned a {type(result).__name__}")
        names = {"float64": "f64", "float32": "f32", "float16": "f16",
                 "bfloat16": "bf16"}
        dtype = names.get(result.dtype.name, result.dtype.name)
        if dtype == "bf16":
            result = self.tensorflow.bitcast(result, "uint16")
        return result.numpy(), dtype


def arrays():
    if BACKEND == "jax":
        import jax
        return Jax(jax), f"jax {jax.__version__}"
    if BACKEND == "torch":
        import torch
        torch.set_num_threads(1)
        return Torch(torch), f"torch {torch.__version__}"
    import tensorflow
    tensorflow.config.threading.set_intra_op_parallelism_threads(1)
    return TensorFlow(tensorflow), f"tensorflow {tensorflow.__version__}"


def state_of(seed):
    """The state of a SeedGenerator: a seed, for which backends have 31 bits,
    and the number of its next call. Seeds that follow each other do so here;
    what they have above bit 31 is mixed into both words."""
    mixed = hashlib.blake2b((seed >> 31).to_bytes(8, "little")).digest()
    low, high = int.from_bytes(mixed[:4]), int.from_bytes(mixed[4:6])
    return numpy.array([(seed + low) % 2**31, high])


class Layer:
    """A Keras layer: without a seed, and made anew when it gets its first."""

    def __init__(self, kind, config, words):
        self.kind = kind
        self.words = {"rate": config["drop_probability"],
                      "dtype": DTYPES[config["dtype"]], **words}
        self.layer = kind(**self.words)
        self.seeded = False

    def reseed(self, seed):
        if not self.seeded:
            self.layer = self.kind(seed=0, **self.words)
            self.seeded = True
        if hasattr(self.layer, "seed_generator"):  # a rate of 0 has none
            self.layer.seed_generator.state.assign(state_of(seed))

    def forward(self, x, training):
        return self.layer(x, training=training)


def plain(kind):
    return lambda config: Layer(kind, config, {})


def shared(kind):
    """noise_shape: one decision along the axes whose size is 1 there."""
    def make(config):
        axes = config.get("shared_axes", [])
        if not axes:
            return Layer(kind, config, {})
        rank = max(axes) + 1 if max(axes) > 1 else 2
        return SharedLayer(kind, config, axes, rank)
    return make


class SharedLayer:
    """noise_shape has as many entries as the input, which is known late."""

    def __init__(self, kind, config, axes, rank):
        self.kind, self.config, self.axes = kind, config, axes
        self.layers, self.seed = {}, None
        self.of_rank(rank)

    def of_rank(self, rank):
        if rank not in self.layers:
            noise = tuple(1 if axis in self.axes else None
                          for axis in range(rank))
            layer = Layer(self.kind, self.config, {"noise_shape": noise})
            if self.seed is not None:
                layer.reseed(self.seed)
            self.layers[rank] = layer
        return self.layers[rank]

    def reseed(self, seed):
        self.layers, self.seed = {}, seed

    def forward(self, x, training):
        return self.of_rank(len(x.shape)).forward(x, training)


def spatial(kind, takes_format=True):
    def make(config):
        last = config.get("channels_last", False)
        if not takes_format and not last:
            raise NotSupported("it takes (samples, timesteps, channels)")
        words = {"data_format": "channels_last" if last else "channels_first"}
        return Layer(kind, config, words if takes_format else {})
    return make


def subject(name, layer, make, **more):
    dtypes = "f32,f16,bf16" if BACKEND == "jax" else "f32,f64,f16,bf16"
    return Subject(name, layer, make, dtypes=dtypes, own_state=True,
                   options={**OPTIONS, **more.pop("options", {})}, **more)


def spatial_subject(axes, kind, **more):
    return subject(f"SpatialDropout{axes}D", "spatial_dropout",
                   spatial(kind, **more), spatial_axes=axes,
                   understands=("channels_last",),
                   variants=[{"channels_last": True}])


layers = keras.layers
NOISE = {"understands": ("shared_axes",), "variants": [{"shared_axes": [1]}]}
made, backend = arrays()
serve([
    subject("Dropout", "dropout", plain(layers.Dropout)),
    subject("Dropout.noise_shape", "broadcast_dropout",
            shared(layers.Dropout), **NOISE),
    spatial_subject(1, layers.SpatialDropout1D, takes_format=False),
    spatial_subject(2, layers.SpatialDropout2D),
    spatial_subject(3, layers.SpatialDropout3D),
    subject("AlphaDropout", "alpha_dropout", plain(layers.AlphaDropout)),
    subject("GaussianDropout", "gaussian_dropout",
            plain(layers.GaussianDropout)),
], made, f"keras {keras.__version__}, {backend}")
