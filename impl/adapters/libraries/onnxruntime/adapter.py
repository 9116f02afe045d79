"""ONNX Runtime: the operator Dropout-13 in training mode.

The ratio is in [0, 1) by the operator's page. Each layer is a session of its
own, whose node has the seed as its attribute.
"""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "common"))

import numpy  # noqa: E402
import onnx  # noqa: E402
import onnxruntime  # noqa: E402
from library_adapter import Arrays, NotSupported, Subject, serve  # noqa: E402

OPTIONS = {"at_one": "error", "dropped_nonfinite": "either",
           "dropped_zero": "either"}
TYPES = {"f32": onnx.TensorProto.FLOAT, "f64": onnx.TensorProto.DOUBLE}


def model(ratio, dtype, seed):
    kind = TYPES[dtype]
    values = onnx.helper.make_tensor_value_info
    words = {} if seed is None else {"seed": seed}
    node = onnx.helper.make_node("Dropout", ["x", "ratio", "training"],
                                 ["y", "mask"], **words)
    graph = onnx.helper.make_graph(
        [node], "dropout",
        [values("x", kind, None),
         values("training", onnx.TensorProto.BOOL, [])],
        [values("y", kind, None),
         values("mask", onnx.TensorProto.BOOL, None)],
        [onnx.helper.make_tensor("ratio", kind, [], [ratio])])
    opset = onnx.helper.make_opsetid("", 13)
    return onnx.helper.make_model(graph, opset_imports=[opset], ir_version=8)


def require_float(p, dtype):
    """The ratio is a float where x is: not every p can be asked for."""
    off = abs(float(numpy.float32(p)) - p)
    if dtype == "f32" and 0 < p < 1 and off > 2**-25 * (1 - p):
        raise NotSupported("a float ratio is not close enough to p")


class Layer:
    def __init__(self, config):
        require_float(config["drop_probability"], config["dtype"])
        self.config = config
        self.open(None)

    def open(self, seed):
        made = model(self.config["drop_probability"], self.config["dtype"],
                     seed)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        # Else a node with a constant ratio may be taken out.
        options.graph_optimization_level = \
            onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
        options.log_severity_level = 4
        self.session = onnxruntime.InferenceSession(
            made.SerializeToString(), options, ["CPUExecutionProvider"])

    def reseed(self, seed):
        # The attribute is a signed number of 64 bits.
        self.open(int(numpy.uint64(seed).astype(numpy.int64)))

    def forward(self, x, training):
        result, self.kept = self.session.run(
            ["y", "mask"], {"x": x, "training": numpy.array(training)})
        return result

    def mask(self):
        return self.kept


serve([
    Subject("Dropout-13", "dropout", Layer, dtypes="f32,f64", own_state=True,
            mask=True, options=OPTIONS, summary="training_mode = true"),
], Arrays(), f"onnxruntime {onnxruntime.__version__}")
