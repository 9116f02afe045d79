"""An adapter that returns its input: what the protocol costs in Python."""

import pathlib
import sys

KITS = pathlib.Path(__file__).resolve().parent.parent / "kits"
sys.path.insert(0, str(KITS / "python"))
from dropcheck_adapter import serve  # noqa: E402


class Echo:
    def __init__(self, config):
        pass

    def forward(self, x, training):
        return x


serve(Echo, layer="dropout", dtypes="f32")
