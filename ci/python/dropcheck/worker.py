"""A layer of Python for the program: dropcheck verify py:MODULE:NAME.

    python3 -m dropcheck.worker MODULE:NAME

NAME is what `dropcheck.verify` takes: a function, a class or a layer. What it
promises beside plain dropout on NumPy arrays it says by `declares`:

    @dropcheck.declares(layer="dropout2d", framework="torch")
    def my_dropout(x, p, training): ...
"""

from __future__ import annotations

import importlib
import json
import os
import sys
from typing import Any

from . import _kit
from ._errors import NotSupported
from ._layers import Adapter, dtype_words
from ._verify import _version

_ARGUMENTS = {"layer", "framework", "device", "dtypes", "factory", "reseed",
              "own_state", "returns_mask", "recipe", "options", "variants",
              "spatial_axes"}
_NUMPY = {"f64": "float64", "f32": "float32", "f16": "float16"}


def target_of(name: str) -> Any:
    """The object that MODULE:NAME names."""
    module, colon, path = name.partition(":")
    if not module or not colon or not path:
        raise ValueError(f"the subject is '{name}', but must be MODULE:NAME")
    sys.path.insert(0, os.getcwd())
    target: Any = importlib.import_module(module)
    for part in path.split("."):
        if not hasattr(target, part):
            raise ValueError(f"{module} has no {path}")
        target = getattr(target, part)
    return target


def _declared(target: Any) -> dict[str, Any]:
    declared = dict(getattr(target, "__dropcheck__", {}))
    for name in declared.keys() - _ARGUMENTS:
        raise ValueError(f"declares has '{name}', but must have some of "
                         f"{', '.join(sorted(_ARGUMENTS))}")
    return declared


def _tensor(result: Any) -> _kit.Tensor:
    import numpy
    try:
        array = numpy.ascontiguousarray(numpy.asarray(result))
        dtype = dtype_words(array.dtype)
    except (TypeError, ValueError) as error:
        raise _kit.LayerError(f"returned a {type(result).__name__}: "
                              f"{error}") from error
    shape = numpy.asarray(result).shape  # ascontiguousarray lifts scalars
    return _kit.Tensor(dtype, shape, array)


def _array(tensor: _kit.Tensor) -> Any:
    import numpy
    if tensor.dtype not in _NUMPY:
        raise _kit.NotSupported(f"NumPy has no {tensor.dtype}")
    return numpy.frombuffer(bytearray(tensor.data),
                            _NUMPY[tensor.dtype]).reshape(tensor.shape)


def _asked(call: Any, *arguments: Any) -> Any:
    """What the layer answers; what it raises is its refusal."""
    try:
        return call(*arguments)
    except NotSupported as error:
        raise _kit.NotSupported(str(error)) from error
    except (Exception, SystemExit) as error:
        raise _kit.LayerError(f"{type(error).__name__}: {error}") from error


def served(adapter: Adapter, layer: str) -> type:
    """A class as the kit serves it."""

    class Served:
        def __init__(self, config: dict[str, Any]):
            asked = {"layer": layer, "in_place": False, "channels_last": False,
                     "scale_by_keep": True, "shared_axes": [], "samples": 0,
                     **config, "p": config["drop_probability"]}
            self._layer = _asked(adapter, asked)

        def forward(self, x: _kit.Tensor, training: bool) -> _kit.Tensor:
            return _tensor(_asked(self._layer.forward, _array(x), training))

    if adapter.offers_backward():
        Served.backward = lambda self, gradient: _tensor(  # type: ignore
            _asked(self._layer.backward, _array(gradient)))
    if adapter.returns_mask:
        def mask(self: Any) -> _kit.Tensor:
            entries = _asked(self._layer.mask)
            return _kit.Tensor("u8", (len(entries),), entries)
        Served.mask = mask  # type: ignore
    if adapter.offers_reseed():
        Served.reseed = lambda self, seed: _asked(  # type: ignore
            self._layer.reseed, seed)
    return Served


def main(arguments: list[str]) -> None:
    if len(arguments) != 1:
        raise ValueError("usage: python3 -m dropcheck.worker MODULE:NAME")
    target = target_of(arguments[0])
    declared = _declared(target)
    layer = declared.get("layer", "dropout")
    adapter = Adapter(target, factory=declared.get("factory"),
                      framework=declared.get("framework"),
                      device=declared.get("device"),
                      drop_probabilities=[0.1, 0.3, 0.5],
                      reseed=declared.get("reseed"),
                      returns_mask=declared.get("returns_mask", False))
    fields = {"version": _version(adapter.framework.name),
              "dtypes": ",".join(dtype_words(dtype) for dtype in
                                 declared.get("dtypes", ["f32"])),
              "own_state": str(int(declared.get("own_state", False))),
              "options": json.dumps(declared.get("options", {})),
              "variants": json.dumps(declared.get("variants", []))}
    recipe = declared.get("recipe")
    if recipe is not None:
        fields["recipe"] = (recipe if isinstance(recipe, str)
                            else json.dumps(dict(recipe)))
    if declared.get("spatial_axes") is not None:
        fields["spatial_axes"] = str(declared["spatial_axes"])
    understands = ("in_place", "channels_last", "scale_by_keep", "shared_axes",
                   "samples")
    _kit.serve(served(adapter, layer), layer, understands, **fields)


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except (ValueError, TypeError, ImportError) as error:
        sys.exit(f"dropcheck.worker: {error}")
