"""The reference evaluator of ONNX: the operator Dropout-13 in training mode.

Its generator is made anew by each call, from the system or from the seed of the
node: there is no seed for a sequence of calls.
"""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "common"))

import numpy  # noqa: E402
import onnx  # noqa: E402
from library_adapter import Arrays, NotSupported, Subject, serve  # noqa: E402
from onnx.reference import ReferenceEvaluator  # noqa: E402

OPTIONS = {"at_one": "either", "dropped_nonfinite": "either",
           "dropped_zero": "either", "evaluation_return": "either"}
TYPES = {"f32": onnx.TensorProto.FLOAT, "f64": onnx.TensorProto.DOUBLE,
         "f16": onnx.TensorProto.FLOAT16}
# Exporters write the ratio of half-precision models as a float.
RATIOS = {**TYPES, "f16": onnx.TensorProto.FLOAT}


def require_float(p, dtype):
    """The ratio is a float where x is: not every p can be asked for."""
    off = abs(float(numpy.float32(p)) - p)
    if dtype != "f64" and 0 < p < 1 and off > 2**-25 * (1 - p):
        raise NotSupported("a float ratio is not close enough to p")


class Layer:
    def __init__(self, config):
        require_float(config["drop_probability"], config["dtype"])
        kind = TYPES[config["dtype"]]
        values = onnx.helper.make_tensor_value_info
        node = onnx.helper.make_node("Dropout", ["x", "ratio", "training"],
                                     ["y", "mask"])
        graph = onnx.helper.make_graph(
            [node], "dropout",
            [values("x", kind, None),
             values("training", onnx.TensorProto.BOOL, [])],
            [values("y", kind, None),
             values("mask", onnx.TensorProto.BOOL, None)],
            [onnx.helper.make_tensor("ratio", RATIOS[config["dtype"]], [],
                                     [config["drop_probability"]])])
        opset = onnx.helper.make_opsetid("", 13)
        self.session = ReferenceEvaluator(
            onnx.helper.make_model(graph, opset_imports=[opset]))

    def forward(self, x, training):
        result, self.kept = self.session.run(
            ["y", "mask"], {"x": x, "training": numpy.array(training)})
        return result

    def mask(self):
        return self.kept


serve([
    Subject("Dropout-13", "dropout", Layer, dtypes="f32,f64,f16", reseed=False,
            own_state=True, mask=True, options=OPTIONS, generator="mt19937",
            summary="training_mode = true"),
], Arrays(), f"onnx {onnx.__version__}")
