"""torchvision.ops: stochastic depth and DropBlock.

Declared: the input is multiplied by a mask in its own dtype (a dropped infinity
gives NaN, a dropped negative number -0); evaluation returns the input itself.
"""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "common"))

import torch  # noqa: E402
import torchvision  # noqa: E402
from library_adapter import NotSupported, Subject, Torch, TorchLayer, serve  # noqa
from torchvision import ops  # noqa: E402

OPTIONS = {"dropped_nonfinite": "nan", "dropped_zero": "signed",
           "evaluation_return": "alias", "scale_rounding": "dtype",
           "rank_is_checked": False}


def stochastic_depth(mode):
    def make(config):
        layer = ops.StochasticDepth(config["drop_probability"], mode)
        return TorchLayer(torch, lambda x, training: layer.train(training)(x))
    return make


def drop_block(kind):
    def make(config):
        block = config["block"]
        if any(block[name] for name in ("whole_map", "shared_by_channels",
                                        "plain_gamma", "fixed_scale")):
            raise NotSupported("torchvision has no such blocks")
        in_place = config.get("in_place", False)
        layer = kind(config["drop_probability"], block["size"], in_place)
        return TorchLayer(torch, lambda x, training: layer.train(training)(x),
                          in_place)
    return make


def subject(name, layer, make, **more):
    return Subject(name, layer, make, dtypes="f32,f64,f16,bf16", backward=True,
                   options=OPTIONS, generator="mt19937", **more)


torch.set_num_threads(1)
torch.seed()  # two processes must not draw the same masks
IN_PLACE = {"in_place": True, "variants": [{"in_place": True}]}
serve([
    subject("StochasticDepth.row", "drop_path", stochastic_depth("row")),
    subject("StochasticDepth.batch", "stochastic_depth",
            stochastic_depth("batch")),
    subject("DropBlock2d", "drop_block2d", drop_block(ops.DropBlock2d),
            **IN_PLACE),
    subject("DropBlock3d", "drop_block3d", drop_block(ops.DropBlock3d),
            **IN_PLACE),
], Torch(torch), f"torchvision {torchvision.__version__}")
