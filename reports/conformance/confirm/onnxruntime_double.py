"""Doubles, and a ratio that is one too."""
import numpy as np
import onnx.parser
import onnxruntime as ort

model = onnx.parser.parse_model("""<ir_version: 8, opset_import: ["": 13]>
drop (double[n] x, double ratio, bool t) => (double[n] y)
{ y = Dropout(x, ratio, t) }""")
session = ort.InferenceSession(model.SerializeToString())
y = session.run(None, {"x": np.ones(64), "ratio": np.array(0.1),
                       "t": np.array(True)})[0]
print("kept:", y.max(), "due:", 1 / (1 - 0.1))
