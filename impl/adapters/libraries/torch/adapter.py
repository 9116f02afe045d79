"""PyTorch's dropout: modules, attention, and what torch.compile makes of them.

Declared, as torch/nn/modules/dropout.py and aten/src/ATen/native/Dropout.cpp
have it: on the CPU the input is multiplied by a mask whose scale is in the
input's dtype (a dropped infinity gives NaN, a dropped negative number -0), and
evaluation returns the input itself. On a GPU the fused kernel of plain dropout
computes its scale in float; in place there is none, so that it is a subject of
its own there.
"""

import math
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "common"))

import torch  # noqa: E402
from library_adapter import (NotSupported, Subject, Torch,  # noqa: E402
                             TorchLayer, device, serve)

F = torch.nn.functional
DEVICE = device()
DTYPES = "f32,f64,f16,bf16"
CPU = {"dropped_nonfinite": "nan", "dropped_zero": "signed",
       "evaluation_return": "alias", "scale_rounding": "dtype"}
# Ranks that Dropout2d and 3d do not name are deprecated, with a warning.
ANY_RANK = {**CPU, "rank_is_checked": False}


def module(kind):
    def make(config):
        layer = kind(config["drop_probability"],
                     inplace=config.get("in_place", False))

        def call(x, training):
            return layer.train(training)(x)
        return TorchLayer(torch, call, config.get("in_place", False))
    return make


def in_place_only(config):
    if not config.get("in_place"):
        raise NotSupported("this is the form in place")
    return module(torch.nn.Dropout)(config)


def compiled(config):
    """What the default backend of torch.compile makes."""
    layer = torch.nn.Dropout(config["drop_probability"])
    train, evaluate = torch.compile(layer), torch.nn.Dropout(0.5).eval()

    def call(x, training):
        layer.train(training)
        return train(x) if training else evaluate(x)
    return TorchLayer(torch, call)


def attention(config):
    """With identities as keys and values, softmax(q k^T / sqrt(d)) v is the
    softmax of the scores, dropped. By one backend: the others round otherwise,
    as the page says, and dropout would choose among them."""
    p = config["drop_probability"]

    def call(scores, training):
        keys = scores.size(-1)
        eye = torch.eye(keys, dtype=scores.dtype, device=scores.device)
        eye = eye.expand(*scores.shape[:-2], keys, keys)
        backends = torch.nn.attention
        with backends.sdpa_kernel(backends.SDPBackend.MATH):
            return F.scaled_dot_product_attention(
                scores * math.sqrt(keys), eye, eye,
                dropout_p=p if training else 0.0)
    return TorchLayer(torch, call)


def reference(config):
    """torch._refs: what torch.compile traces for F.dropout."""
    p = config["drop_probability"]

    def call(x, training):
        return torch._refs.nn.functional.dropout(x, p, training)
    return TorchLayer(torch, call)


class Native(TorchLayer):
    """The decomposition of aten::native_dropout, which returns its mask."""

    def __init__(self, config):
        self.p, self.kept = config["drop_probability"], None
        super().__init__(torch, self.call)

    def call(self, x, training):
        native_dropout = torch._decomp.decompositions.native_dropout
        result, self.kept = native_dropout(x, self.p, training)
        return result

    def mask(self):
        return self.kept.cpu()


def subject(name, layer, make, options=None, **more):
    in_place = more.get("in_place", False)
    # In 16 bits each product of attention rounds, as no law says.
    dtypes = "f32,f64" if layer == "attention_dropout" else DTYPES
    return Subject(name, layer, make, dtypes=dtypes, backward=True,
                   options=CPU if options is None else options,
                   variants=[{"in_place": True}] if in_place else [],
                   generator="mt19937", **more)


def dropouts():
    """Plain dropout: on a GPU by two kernels, and compiled."""
    if DEVICE == "cpu":
        return [subject("nn.Dropout", "dropout", module(nn.Dropout),
                        in_place=True)]
    fused = {**CPU, "scale_rounding": "float"}
    return [subject("nn.Dropout", "dropout", module(nn.Dropout), fused),
            subject("nn.Dropout.inplace", "dropout", in_place_only,
                    in_place=True),
            subject("nn.Dropout.compiled", "dropout", compiled, fused)]


def where():
    return torch.cuda.get_device_name() if DEVICE == "cuda" else DEVICE


nn = torch.nn
torch.set_num_threads(1)
torch.seed()  # two processes must not draw the same masks
serve([
    *dropouts(),
    subject("nn.Dropout1d", "dropout1d", module(nn.Dropout1d), in_place=True),
    subject("nn.Dropout2d", "dropout2d", module(nn.Dropout2d), ANY_RANK,
            in_place=True),
    subject("nn.Dropout3d", "dropout3d", module(nn.Dropout3d), ANY_RANK,
            in_place=True),
    subject("nn.AlphaDropout", "alpha_dropout", module(nn.AlphaDropout),
            in_place=True),
    subject("nn.FeatureAlphaDropout", "feature_alpha_dropout",
            module(nn.FeatureAlphaDropout), in_place=True),
    subject("F.scaled_dot_product_attention", "attention_dropout", attention,
            {**CPU, "evaluation_return": "copy"}),
    subject("_refs.dropout", "dropout", reference),
    subject("native_dropout", "dropout", Native,
            {**CPU, "evaluation_return": "either",
             "beyond_ends": "accepted"}, mask=True),  # callers check the range
], Torch(torch, DEVICE), f"torch {torch.__version__} on {where()}")
