"""Serves several layers of a Python library by dropcheck's worker protocol.

    serve([Subject("Dropout", "dropout", make, ...), ...], Torch(), "2.15.0")

`make(config)` gives a layer with `forward(x, training)` and, where it has them,
`backward(gradient)`, `mask()` (what the latest call kept) and `reseed(seed)`, on
arrays of the library. What it raises is the layer's refusal; NotSupported is what the adapter does not offer.
"""

import dataclasses
import json
import math
import os
import pathlib
import sys
from typing import Any, Callable

import numpy

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "kits" /
                       "python"))

import dropcheck_adapter as kit  # noqa: E402
from dropcheck_adapter import NotSupported  # noqa: E402

_WORDS = {"f64": "float64", "f32": "float32", "f16": "float16",
          "bf16": "uint16"}
_NAMES = {"float64": "f64", "float32": "f32", "float16": "f16",
          "bfloat16": "bf16"}
_LAW = {"block"}  # of the config: part of the layer, not an option


@dataclasses.dataclass
class Subject:
    name: str
    layer: str  # the law that it promises
    make: Callable[[dict], Any]
    summary: str = ""
    dtypes: str = "f32"
    reseed: bool = True
    own_state: bool = False
    backward: bool = False
    mask: bool = False
    in_place: bool = False
    understands: tuple[str, ...] = ()  # other keys of the config
    variants: list = dataclasses.field(default_factory=list)
    options: dict = dataclasses.field(default_factory=dict)
    spatial_axes: int | None = None
    generator: str = ""

    def description(self, arrays, version):
        fields = {"protocol": "1", "name": self.name, "layer": self.layer,
                  "version": version, "dtypes": self.dtypes,
                  "reseed": str(int(self.reseed)),
                  "own_state": str(int(self.own_state)),
                  "backward": str(int(self.backward)),
                  "mask_output": str(int(self.mask)),
                  "in_place": str(int(self.in_place)),
                  "options": json.dumps(self.options),
                  "variants": json.dumps(self.variants),
                  "strides": arrays.strides, "summary": self.summary,
                  "generator": self.generator}
        if self.spatial_axes is not None:
            fields["spatial_axes"] = str(self.spatial_axes)
        return fields


class Arrays:
    """How values become arrays of the library; here NumPy's."""

    strides = "compact"
    mutable = True  # a result in the input's memory, or a changed input, matter

    def take(self, words, dtype):
        """An array of the library on `words`, bf16 as 16-bit words."""
        if dtype == "bf16":
            raise NotSupported("NumPy has no bf16")
        return words

    def give(self, result):
        """A compact NumPy array of the result, bf16 as 16-bit words, and the
        name of its dtype."""
        array = numpy.asarray(result)
        return array, _NAMES.get(str(array.dtype), str(array.dtype))

    def layout(self, result):
        """Strides of the result, in elements; None if it is compact."""
        return None

    def same_memory(self, result, given):
        return (isinstance(result, numpy.ndarray) and
                isinstance(given, numpy.ndarray) and
                result.ctypes.data == given.ctypes.data)


class Torch(Arrays):
    """PyTorch's tensors. `device` is where the layer runs."""

    strides = "non-negative"

    def __init__(self, torch, device="cpu"):
        self.torch = torch
        self.device = device

    def take(self, words, dtype):
        torch = self.torch
        if dtype == "bf16":
            words = words.view(numpy.int16)
        tensor = torch.from_numpy(words)
        if dtype == "bf16":
            tensor = tensor.view(torch.bfloat16)
        return tensor if self.device == "cpu" else tensor.to(self.device)

    def give(self, result):
        torch = self.torch
        if not isinstance(result, torch.Tensor):
            raise TypeError(f"returned a {type(result).__name__}")
        # By DLPack: what crosses is what any other library would see.
        tensor = result.detach().cpu().contiguous()
        dtype = _NAMES.get(str(tensor.dtype).removeprefix("torch."), "")
        if dtype == "bf16":
            tensor = tensor.view(torch.int16)
        return numpy.from_dlpack(tensor), dtype

    def layout(self, result):
        if result.is_contiguous() or result.numel() == 0:
            return None
        return result.stride()

    def same_memory(self, result, given):
        return (isinstance(result, self.torch.Tensor) and
                result.data_ptr() == given.data_ptr())


class Jax(Arrays):
    """JAX's arrays, which nothing can change."""

    mutable = False

    def __init__(self, jax, device="cpu"):
        import ml_dtypes
        self.jax = jax
        self.bfloat16 = ml_dtypes.bfloat16
        name = "gpu" if device == "cuda" else device
        self.device = jax.devices(name)[0]
        self.host = jax.devices("cpu")[0]

    def take(self, words, dtype):
        values = words.view(self.bfloat16) if dtype == "bf16" else words
        return self.jax.device_put(values, self.device)

    def give(self, result):
        if not isinstance(result, self.jax.Array):
            raise TypeError(f"returned a {type(result).__name__}")
        dtype = _NAMES.get(str(result.dtype), str(result.dtype))
        host = self.jax.device_put(result, self.host)
        if dtype == "bf16":
            host = host.view("uint16")
        return numpy.from_dlpack(host), dtype


def jax_key(jax, seed):
    """A key of all 64 bits of a seed: jax.random.key takes 32 without x64."""
    key = jax.random.key(seed & 0xFFFFFFFF)
    return jax.random.fold_in(key, seed >> 32)


class TorchLayer:
    """A function (tensor, training) -> tensor, with gradients by autograd."""

    def __init__(self, torch, function, in_place=False):
        self.torch = torch
        self.function = function
        self.in_place = in_place
        self.leaf = self.output = None

    def forward(self, x, training):
        if self.in_place:
            return self._in_place(x, training)
        self.leaf = x.requires_grad_(True)
        self.output = self.function(self.leaf, training)
        return self.output

    def _in_place(self, x, training):
        self.leaf = None
        if not x.is_contiguous():  # a copy would have other strides
            return self.function(x, training)
        self.leaf = x.clone().requires_grad_(True)
        given = self.leaf.clone()  # a leaf is refused
        self.output = self.function(given, training)
        x.copy_(given.detach())
        same = self.output.data_ptr() == given.data_ptr()
        return x if same else self.output

    def backward(self, gradient):
        if self.leaf is None:
            raise NotSupported("in place on strided memory keeps no graph")
        (result,) = self.torch.autograd.grad(
            self.output, self.leaf, gradient, retain_graph=True)
        return result

    def reseed(self, seed):
        self.torch.manual_seed(seed)


def refused(call, *arguments):
    """What the layer answers; what it raises is its refusal."""
    try:
        return call(*arguments)
    except (kit.NotSupported, kit.LayerError):
        raise
    except (Exception, SystemExit) as error:
        text = str(error).strip().split("\n")[0]
        raise kit.LayerError(f"{type(error).__name__}: {text}") from error


def _numbers(text):
    return tuple(int(one) for one in text.split(",")) if text else ()


def _laid_out(values, strides, offset):
    """A copy of compact values in memory with these strides, and beginning
    `offset` elements behind a multiple of 16 bytes."""
    if not strides:
        strides = tuple(one // values.itemsize for one in
                        numpy.empty(values.shape, values.dtype).strides)
    span = offset + 1 + sum((extent - 1) * stride for extent, stride
                            in zip(values.shape, strides) if extent)
    memory = numpy.zeros(max(span, offset), values.dtype)
    begin = memory[offset:]
    copy = numpy.lib.stride_tricks.as_strided(
        begin, values.shape, [one * values.itemsize for one in strides])
    copy[...] = values
    return copy


class _Server:
    def __init__(self, subjects, arrays, version):
        self.subjects = {one.name: one for one in subjects}
        self.arrays = arrays
        self.version = version
        self.layers = {}

    def subject(self, request):
        name = request.get("subject", "")
        if not name:  # the first is the one that adapter verify tries
            return next(iter(self.subjects.values()))
        if name not in self.subjects:
            raise KeyError(f"there is no subject '{name}'")
        return self.subjects[name]

    def list(self, request, tensors):
        return {"subjects": json.dumps(
            [{"name": one.name, "layer": one.layer, "summary": one.summary}
             for one in self.subjects.values()])}, {}

    def describe(self, request, tensors):
        self.layers.clear()
        subject = self.subject(request)
        return subject.description(self.arrays, self.version), {}

    def make(self, request, tensors):
        subject = self.subject(request)
        understood = {"drop_probability", "dtype", *subject.understands, *_LAW}
        if subject.in_place:
            understood.add("in_place")
        config = kit._config(request["config"],
                             {**kit.PLAIN, "layer": subject.layer}, understood)
        if config["dtype"] not in subject.dtypes.split(","):
            raise NotSupported(f"dtype {config['dtype']}")
        self.layers[request["id"]] = refused(subject.make, config)
        return {}, {}

    def destroy(self, request, tensors):
        del self.layers[request["layer"]]
        return {}, {}

    def reseed(self, request, tensors):
        refused(self.layers[request["layer"]].reseed, int(request["seed"]))
        return {}, {}

    def _taken(self, tensor, strides="", offset=0):
        values = numpy.frombuffer(tensor.data, _WORDS[tensor.dtype])
        laid_out = _laid_out(values.reshape(tensor.shape), _numbers(strides),
                             offset)
        return laid_out, self.arrays.take(laid_out, tensor.dtype)

    def _given(self, result):
        array, dtype = refused(self.arrays.give, result)
        if dtype not in _WORDS:
            raise kit.LayerError(f"returned values of dtype {dtype}")
        flat = numpy.ascontiguousarray(array).reshape(-1)
        return kit.Tensor(dtype, array.shape, flat.view(numpy.uint8))

    def forward(self, request, tensors):
        layer = self.layers[request["layer"]]
        training, repeat = request["training"] == "1", int(request["repeat"])
        outputs, fields, answer = [], {}, {}
        for _ in range(repeat):
            words, x = self._taken(tensors["input"],
                                   request.get("input.strides", ""),
                                   int(request.get("input.offset", "0")))
            result = refused(layer.forward, x, training)
            outputs.append(self._given(result))
            if repeat > 1 or not self.arrays.mutable:
                continue
            if self.arrays.same_memory(result, x):
                fields["alias"] = "input"
            else:
                answer.update(self._changed(tensors["input"], words))
            strides = self.arrays.layout(result)
            if strides is not None:
                fields["output.strides"] = ",".join(map(str, strides))
        return fields, {"output": outputs, **answer}

    def _changed(self, sent, words):
        now = numpy.ascontiguousarray(words)
        if now.tobytes() == bytes(sent.data):
            return {}
        flat = now.reshape(-1).view(numpy.uint8)
        return {"input_after": kit.Tensor(sent.dtype, sent.shape, flat)}

    def backward(self, request, tensors):
        layer = self.layers[request["layer"]]
        if not hasattr(layer, "backward"):
            raise NotSupported("the layer has no backward")
        _, gradient = self._taken(tensors["grad_output"],
                                  request.get("grad_output.strides", ""))
        result = refused(layer.backward, gradient)
        return {}, {"grad_input": self._given(result)}

    def mask(self, request, tensors):
        kept = refused(self.layers[request["layer"]].mask)
        entries = numpy.ascontiguousarray(kept, numpy.uint8)
        return {}, {"mask": kit.Tensor("u8", entries.shape,
                                       entries.reshape(-1))}

    def answer(self, request, tensors):
        known = ("list", "describe", "make", "destroy", "reseed", "forward",
                 "backward", "mask")
        if request["op"] not in known:
            raise NotSupported(f"unknown operation {request['op']}")
        return getattr(self, request["op"])(request, tensors)


def serve(subjects, arrays, version):
    """Answers until the input ends."""
    out = os.dup(1)
    os.dup2(2, 1)  # what is printed must not stand among the frames
    server = _Server(subjects, arrays, version)
    while (frame := kit._read_frame()) is not None:
        fields, tensors = frame
        if fields.get("op") == "quit":
            kit._write_frame(out, {"status": "ok"}, {})
            return
        try:
            reply, answer = server.answer(fields, tensors)
        except Exception as error:
            status = getattr(error, "status", "error")
            message = str(error) or type(error).__name__
            reply, answer = {"status": status, "message": message}, {}
        kit._write_frame(out, {"status": "ok", **reply}, answer)


def device():
    """Where the layers run: $DROPCHECK_DEVICE, cpu unless it is set."""
    return os.environ.get("DROPCHECK_DEVICE") or "cpu"


def valid(p):
    """Whether p is a probability."""
    return not math.isnan(p) and 0 <= p <= 1
