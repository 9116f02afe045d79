"""PaddlePaddle on the CPU: paddle.nn.Dropout and its kin.

Declared: the input is multiplied by a mask; evaluation may return the input.
All layers share a generator.
"""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "common"))

import secrets  # noqa: E402

import paddle  # noqa: E402
from library_adapter import Arrays, NotSupported, Subject, serve  # noqa: E402

OPTIONS = {"dropped_nonfinite": "either", "dropped_zero": "either",
           "evaluation_return": "either"}
NAMES = {paddle.float64: "f64", paddle.float32: "f32", paddle.bfloat16: "bf16"}


class Tensors(Arrays):
    def take(self, words, dtype):
        return paddle.to_tensor(words)  # uint16 becomes bfloat16

    def give(self, result):
        words = result.detach().numpy()
        return words, NAMES.get(result.dtype, str(result.dtype))

    def same_memory(self, result, given):
        return result.data_ptr() == given.data_ptr()


class Layer:
    def __init__(self, kind, config, **words):
        self.layer = kind(p=config["drop_probability"], **words)

    def reseed(self, seed):
        paddle.seed(seed)

    def forward(self, x, training):
        self.layer.training = training
        self.x = x
        x.stop_gradient = False
        self.output = self.layer(x)
        return self.output

    def backward(self, gradient):
        (result,) = paddle.grad(self.output, self.x, gradient,
                                retain_graph=True)
        return result


def plain(kind):
    return lambda config: Layer(kind, config)


def spatial(kind, formats):
    """Channels of a batch, in either data format."""
    def make(config):
        last = config.get("channels_last", False)
        return Layer(kind, config, data_format=formats[last])
    return make


def downscaled(config):
    """Nothing is scaled in training, everything in evaluation."""
    if config["scale_by_keep"]:
        raise NotSupported("it does not scale in training")
    return Layer(paddle.nn.Dropout, config, mode="downscale_in_infer")


def subject(name, layer, make, **more):
    # The CPU has no kernels of bfloat16 for what alpha dropout adds.
    dtypes = "f32,f64" if "alpha" in layer else "f32,f64,bf16"
    return Subject(name, layer, make, dtypes=dtypes, backward=True,
                   options={**OPTIONS, **more.pop("options", {})},
                   generator="mt19937", **more)


EITHER_FORMAT = {"understands": ("channels_last",),
                 "variants": [{"channels_last": True}]}
nn = paddle.nn
paddle.set_device("cpu")
paddle.seed(secrets.randbits(63))
serve([
    subject("nn.Dropout", "dropout", plain(nn.Dropout)),
    subject("nn.Dropout.downscale_in_infer", "dropout", downscaled,
            understands=("scale_by_keep",),
            variants=[{"scale_by_keep": False}]),
    subject("nn.Dropout2D", "spatial_dropout",
            spatial(nn.Dropout2D, ("NCHW", "NHWC")), spatial_axes=2,
            **EITHER_FORMAT),
    subject("nn.Dropout3D", "spatial_dropout",
            spatial(nn.Dropout3D, ("NCDHW", "NDHWC")), spatial_axes=3,
            **EITHER_FORMAT),
    subject("nn.AlphaDropout", "alpha_dropout", plain(nn.AlphaDropout)),
    subject("nn.FeatureAlphaDropout", "feature_alpha_dropout",
            plain(nn.FeatureAlphaDropout)),
], Tensors(), f"paddlepaddle {paddle.__version__}")
