"""Half-precision data with a float ratio, as exporters write it."""
import numpy as np
import onnx.parser
from onnx.reference import ReferenceEvaluator

model = onnx.parser.parse_model("""<ir_version: 8, opset_import: ["": 13]>
drop (float16[n] x, float ratio, bool t) => (float16[n] y)
{ y = Dropout(x, ratio, t) }""")
onnx.checker.check_model(model, full_check=True)
feed = {"x": np.ones(8, np.float16), "t": np.array(True),
        "ratio": np.array(0.25, np.float32)}
print(ReferenceEvaluator(model).run(None, feed)[0].dtype)
