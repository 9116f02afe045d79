"""An adapter that misbehaves as its one argument says."""

import json
import os
import pathlib
import random
import struct
import sys
import time
from array import array

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "kits" / "python"))
import dropcheck_adapter  # noqa: E402
from dropcheck_adapter import Tensor, serve  # noqa: E402

STREAM = os.dup(1)  # the frames' own, which the kit hides
MODE = sys.argv[1]
KEPT = []


def frame(header, data=b""):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<QQ", 8 + len(text) + len(data), len(text)) + text + data


def misbehave(x):
    if MODE == "exit":
        os._exit(3)
    if MODE == "abort":
        os.abort()
    if MODE == "hang":
        time.sleep(3600)
    if MODE == "memory":
        while True:
            KEPT.append(b"x" * (16 << 20))
    if MODE == "print":
        os.write(STREAM, b"loss = 0.125, epoch 3 of 10\n")
    if MODE == "short_print":
        os.write(STREAM, b"ok\n")
    if MODE == "big_endian":
        answer = frame({"__metadata__": {"status": "ok"}})
        os.write(STREAM, answer[7::-1] + answer[8:])
    if MODE == "short_length":
        answer = frame({"__metadata__": {"status": "ok"}})
        os.write(STREAM, struct.pack("<Q", len(answer) - 16) + answer[8:])
    if MODE == "number":
        os.write(STREAM, frame({"__metadata__": {"status": "ok", "alias": 1}}))
    if MODE == "no_status":
        os.write(STREAM, frame({"__metadata__": {}}))
    if MODE == "newline":
        os.write(STREAM, b"\n")
    if MODE == "half_frame":
        os.write(STREAM, struct.pack("<Q", 1000) + b"half")
        os._exit(0)
    if MODE == "half_frame_hang":
        os.write(STREAM, struct.pack("<Q", 1000) + b"half")
        time.sleep(3600)
    if MODE == "huge_length":
        os.write(STREAM, struct.pack("<Q", 1 << 63))
    if MODE == "nan_json":
        os.write(STREAM, frame(b'{"__metadata__": {"status": NaN}}'))
    if MODE == "wrong_answer":
        os.write(STREAM, frame({"__metadata__": {"status": "ok"}}))
    if MODE == "claims_exabyte":
        os.write(STREAM, frame({
            "__metadata__": {"status": "ok"},
            "output": {"dtype": "F32", "shape": [1 << 58],
                       "data_offsets": [0, 1 << 60]}}))


class Destroyed:
    """Where the kit keeps its layers: it is told when one goes."""

    def __del__(self):
        if MODE == "destroy_print":
            os.write(STREAM, b"freed\n")
        if MODE == "destroy_hang":
            time.sleep(3600)
        if MODE == "destroy_exit":
            os._exit(3)


class Layer:
    def __init__(self, config):
        self.random = random.Random()
        self.end = Destroyed()
        self.drop = config["drop_probability"]
        self.scale = 1 / (1 - self.drop)
        if MODE == "half_rate":
            self.drop /= 2

    def forward(self, x, training):
        if x.data.nbytes > 64:  # small inputs get through
            misbehave(x)
        if MODE == "wrong_shape":
            return Tensor(x.dtype, (1, *x.shape), x.data)
        if MODE == "wrong_dtype":
            return Tensor("f64", x.shape, array("d", x.values()))
        if not training:
            return Tensor(x.dtype, x.shape, x.data)
        draw, scale = self.random.random, self.scale
        return Tensor(x.dtype, x.shape, array("f", (
            value * scale if draw() >= self.drop else 0
            for value in x.values())))

    def reseed(self, seed):
        if MODE == "two_answers":
            os.write(STREAM, frame({"__metadata__": {"status": "ok"}}))
        if MODE != "lies":
            self.random.seed(seed.to_bytes(8, "little"))

    def backward(self, gradient):
        return gradient


def twice(out, fields, tensors, write=dropcheck_adapter._write_frame):
    write(out, fields, tensors)
    write(out, fields, tensors)


if MODE == "twice":
    dropcheck_adapter._write_frame = twice
if MODE == "bad_flag":
    serve(Layer, layer="dropout", own_state="yes")
elif MODE == "no_such_law":
    serve(Layer, layer="dropuot")
elif MODE == "no_law":
    serve(Layer, layer="dropout", **{"summary": "", "protocol": "2"})
elif MODE == "bad_dtype":
    serve(Layer, layer="dropout", dtypes="f8")
else:
    serve(Layer, layer="dropout")
