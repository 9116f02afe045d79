"""Dropout-13 in training mode: successive runs of one session."""
import numpy as np
import onnx.parser
import onnxruntime as ort

model = onnx.parser.parse_model("""<ir_version: 8, opset_import: ["": 13]>
drop (float[n] x, float ratio, bool t) => (float[n] y) { y = Dropout(x, ratio, t) }""")
session = ort.InferenceSession(model.SerializeToString())
feed = {"x": np.ones(4096, np.float32), "ratio": np.array(0.3, np.float32),
        "t": np.array(True)}
dropped = np.stack([session.run(None, feed)[0] == 0 for _ in range(2000)])
print("element 0 in 60 runs:", "".join("10"[int(d)] for d in dropped[:60, 0]))
changes = np.count_nonzero(dropped[1:, 0] != dropped[:-1, 0])
print(f"element 0 changes {changes} times in 2000 runs, 840 are due")
a, b = dropped[:, 307], dropped[:, 430]
print(f"430 is dropped in {b[a].mean():.3f} of the runs where 307 is, "
      f"in {b[~a].mean():.3f} of the others")
