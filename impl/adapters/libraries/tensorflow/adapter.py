"""TensorFlow: tf.nn.dropout and tf.nn.experimental.stateless_dropout.

Declared, as their pages say: a rate of 1 is an error, a rate of 0 returns the
input unchanged. They have no mode: evaluation is a rate of 0.
"""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "common"))

import numpy  # noqa: E402
import tensorflow as tf  # noqa: E402
from library_adapter import Arrays, Subject, serve  # noqa: E402

OPTIONS = {"at_one": "error", "evaluation_return": "either"}
NAMES = {"float64": "f64", "float32": "f32", "float16": "f16",
         "bfloat16": "bf16"}


class Tensors(Arrays):
    mutable = False

    def take(self, words, dtype):
        tensor = tf.constant(words)
        return tf.bitcast(tensor, "bfloat16") if dtype == "bf16" else tensor

    def give(self, result):
        dtype = NAMES.get(result.dtype.name, result.dtype.name)
        words = tf.bitcast(result, "uint16") if dtype == "bf16" else result
        return words.numpy(), dtype


class Stateful:
    """tf.nn.dropout draws from the generator of the process."""

    def __init__(self, config):
        self.rate = config["drop_probability"]
        self.words = self.noise(config)
        self.latest = None

    def noise(self, config):
        self.axes = config.get("shared_axes", [])
        return {}

    def shape(self, x):
        return [1 if axis in self.axes else extent
                for axis, extent in enumerate(x.shape)]

    def reseed(self, seed):
        tf.random.set_seed(seed)

    def call(self, x, rate):
        return tf.nn.dropout(x, rate, noise_shape=self.shape(x))

    def forward(self, x, training):
        with tf.GradientTape(persistent=True) as tape:
            tape.watch(x)
            result = self.call(x, self.rate if training else 0.0)
        self.latest = tape, x, result
        return result

    def backward(self, gradient):
        tape, x, result = self.latest
        if result is x:
            return gradient
        return tape.gradient(result, x, output_gradients=gradient)


class Stateless(Stateful):
    """Its caller keeps the state: the seed and the number of the call."""

    def noise(self, config):
        self.reseed(0)
        return super().noise(config)

    def reseed(self, seed):
        self.seed, self.calls = numpy.uint64(seed).astype(numpy.int64), 0

    def call(self, x, rate):
        self.calls += rate > 0
        return tf.nn.experimental.stateless_dropout(
            x, rate, seed=tf.constant([self.seed, self.calls], tf.int64),
            noise_shape=self.shape(x))


def subject(name, layer, make, **more):
    return Subject(name, layer, make, dtypes="f32,f64,f16,bf16", backward=True,
                   options=OPTIONS, generator="philox", **more)


tf.config.threading.set_intra_op_parallelism_threads(1)
tf.config.threading.set_inter_op_parallelism_threads(1)
serve([
    subject("nn.dropout", "dropout", Stateful),
    subject("nn.dropout.noise_shape", "broadcast_dropout", Stateful,
            understands=("shared_axes",),
            variants=[{"shared_axes": [0]}, {"shared_axes": [1, 2]}]),
    subject("nn.experimental.stateless_dropout", "dropout", Stateless,
            own_state=True),
], Tensors(), f"tensorflow {tf.__version__}")
