"""Ratios outside [0, 1)."""
import numpy as np
import onnx.parser
from onnx.reference import ReferenceEvaluator

model = onnx.parser.parse_model("""<ir_version: 8, opset_import: ["": 13]>
drop (float[n] x, float ratio, bool t) => (float[n] y)
{ y = Dropout(x, ratio, t) }""")
for ratio in (-0.1, 1.0):
    feed = {"x": np.ones(4, np.float32), "t": np.array(True),
            "ratio": np.array(ratio, np.float32)}
    print(ratio, ReferenceEvaluator(model).run(None, feed)[0])
