"""timm: drop path and DropBlock.

Declared: the input is multiplied by a mask in its own dtype, evaluation returns
the input itself, and no range of the drop probability is promised.
"""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "common"))

import timm  # noqa: E402
import torch  # noqa: E402
from library_adapter import NotSupported, Subject, Torch, TorchLayer, serve  # noqa
from timm.layers import DropBlock2d, DropPath  # noqa: E402

OPTIONS = {"dropped_nonfinite": "nan", "dropped_zero": "signed",
           "evaluation_return": "alias", "scale_rounding": "dtype",
           "rank_is_checked": False}


def drop_path(config):
    layer = DropPath(config["drop_probability"], config["scale_by_keep"])
    return TorchLayer(torch, lambda x, training: layer.train(training)(x))


def drop_block(config):
    block = config["block"]
    if not block["whole_map"] or block["plain_gamma"] or block["fixed_scale"]:
        raise NotSupported("timm's centres lie anywhere on the map")
    in_place = config.get("in_place", False)
    layer = DropBlock2d(config["drop_probability"], block["size"],
                        inplace=in_place,
                        couple_channels=block["shared_by_channels"])
    return TorchLayer(torch, lambda x, training: layer.train(training)(x),
                      in_place)


def subject(name, layer, make, **more):
    return Subject(name, layer, make, dtypes="f32,f64,f16,bf16", backward=True,
                   options=OPTIONS, generator="mt19937", **more)


PLAIN = {"size": 3, "whole_map": True, "shared_by_channels": False,
         "plain_gamma": False, "fixed_scale": False}
COUPLED = {**PLAIN, "shared_by_channels": True}
torch.set_num_threads(1)
torch.seed()  # two processes must not draw the same masks
serve([
    subject("DropPath", "drop_path", drop_path,
            understands=("scale_by_keep",),
            variants=[{"scale_by_keep": False}]),
    subject("DropBlock2d", "drop_block2d", drop_block, in_place=True,
            variants=[{"block": COUPLED}, {"block": PLAIN},
                      {"block": {**COUPLED, "size": 2}},
                      {"block": COUPLED, "in_place": True}]),
], Torch(torch), f"timm {timm.__version__}")
