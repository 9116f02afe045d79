"""Verify a dropout layer written in Python: dropcheck's worker protocol.

    class MyDropout:
        def __init__(self, config): ...          # config["drop_probability"]
        def forward(self, x, training): ...      # x: Tensor -> Tensor
        def backward(self, gradient): ...        # optional
        def mask(self): ...          # optional: Tensor("u8", ...), 1 is kept
        def reseed(self, seed): ...              # optional

    serve(MyDropout, layer="dropout", dtypes="f32,f64")

and dropcheck verify 'cmd:python3 my_dropout.py'. See PROTOCOL.md, dropout.py.
"""

import json
import os
import struct

NAMES = {name.upper(): name for name in ("f64", "f32", "f16", "bf16", "u8")}
CODES = {name: code for code, name in NAMES.items()}
FORMATS = {"f64": "d", "f32": "f", "f16": "e", "bf16": "H", "u8": "B"}
PLAIN = {"in_place": False, "channels_last": False, "scale_by_keep": True,
         "shared_axes": [], "samples": 0}


class LayerError(Exception):  # the layer refuses: often the right answer
    status = "layer-error"


class NotSupported(Exception):  # the adapter does not have what is asked for
    status = "not-supported"


class Tensor:
    """Compact row-major values; `data` has the buffer protocol."""
    def __init__(self, dtype, shape, data):
        self.dtype, self.shape, view = dtype, tuple(shape), memoryview(data)
        self.data = view.cast("B") if view.nbytes else memoryview(b"")

    def values(self):
        """The elements in order, bf16 as 16-bit words. With NumPy:
        numpy.frombuffer(x.data, FORMATS[x.dtype]).reshape(x.shape)."""
        return self.data.cast(FORMATS[self.dtype])


def _read_exactly(count):
    view, have = memoryview(bytearray(count)), 0
    while have < count:
        got = os.readv(0, [view[have:]])
        if not got:
            return None  # the host is gone
        have += got
    return view


def _read_frame():
    length = _read_exactly(8)
    frame = length and _read_exactly(int.from_bytes(length, "little"))
    if frame is None:
        return None
    end = 8 + int.from_bytes(frame[:8], "little")
    header = json.loads(bytes(frame[8:end]))
    fields, tensors = header.pop("__metadata__", {}), {}
    for name, entry in header.items():
        first, last = entry["data_offsets"]
        tensors[name] = Tensor(NAMES[entry["dtype"]], entry["shape"],
                               frame[end + first:end + last])
    return fields, tensors


def _write_frame(out, fields, tensors):
    header, pieces, offset = {"__metadata__": fields}, [], 0
    for name, tensor in tensors.items():
        data = tensor if isinstance(tensor, list) else [tensor]
        end = offset + sum(one.data.nbytes for one in data)
        shape = ([len(data)] if len(data) > 1 else []) + list(data[0].shape)
        header[name] = {"dtype": CODES[data[0].dtype], "shape": shape,
                        "data_offsets": [offset, end]}
        pieces += [one.data for one in data if one.data.nbytes]
        offset = end
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    lengths = struct.pack("<QQ", 8 + len(text) + offset, len(text))
    pieces.insert(0, memoryview(lengths + text))
    while pieces:
        written = os.writev(out, pieces[:1000])
        while pieces and written >= pieces[0].nbytes:
            written -= pieces.pop(0).nbytes
        if written:
            pieces[0] = pieces[0][written:]


def _config(text, plain, understands):
    config = json.loads(text)
    for key, value in config.items():
        if key not in understands and plain.get(key) != value:
            raise NotSupported(f"{key} = {value}")
    config["drop_probability"] = float(config["drop_probability"])
    return config


def serve(make, layer, understands=(), **describe):
    """`understands`: other options of the config; `describe`: dtypes, ..."""
    out = os.dup(1)
    os.dup2(2, 1)  # what is printed must not stand among the frames
    has = {name: str(int(hasattr(make, name)))
           for name in ("reseed", "backward", "mask")}
    fields = {"protocol": "1", "name": make.__name__, "dtypes": "f32",
              "reseed": has["reseed"], "own_state": has["reseed"],
              "backward": has["backward"], "mask_output": has["mask"]}
    fields.update({key: value if isinstance(value, str) else json.dumps(value)
                   for key, value in {"layer": layer, **describe}.items()})
    understands = {"drop_probability", "dtype", *understands}
    layers, plain = {}, {**PLAIN, "layer": layer}

    def answer(request, tensors):
        op, one = request["op"], layers.get(request.get("layer"))
        if op in ("describe", "quit"):
            return fields if op == "describe" else None, {}
        if op == "make":
            config = _config(request["config"], plain, understands)
            layers[request["id"]] = make(config)
        elif one is None:
            raise (KeyError if "layer" in request else NotSupported)(
                f"no layer {request.get('layer')} for {op}")
        elif op == "destroy":
            del layers[request["layer"]]
        elif not hasattr(one, op):
            raise NotSupported(f"the layer has no {op}")
        elif op == "reseed":
            one.reseed(int(request["seed"]))
        elif op == "backward":
            return {}, {"grad_input": one.backward(tensors["grad_output"])}
        elif op == "mask":
            return {}, {"mask": one.mask()}
        else:
            x, training = tensors["input"], request["training"] == "1"
            return {}, {"output": [one.forward(x, training)
                                   for _ in range(int(request["repeat"]))]}
        return {}, {}

    while (frame := _read_frame()) is not None:
        try:
            reply, tensors = answer(*frame)
        except Exception as error:
            reply, tensors = {"status": getattr(error, "status", "error"),
                              "message": str(error) or repr(error)}, {}
        _write_frame(out, {"status": "ok", **(reply or {})}, tensors)
        if reply is None:
            return
