"""The node's seed 0 and 1, and seeds 2^31 - 1 apart: one mask."""
import numpy as np
import onnx.parser
import onnxruntime as ort


def mask(seed):
    model = onnx.parser.parse_model(f"""<ir_version: 8, opset_import: ["": 13]>
    drop (float[n] x, float ratio, bool t) => (float[n] y)
    {{ y = Dropout <seed: int = {seed}> (x, ratio, t) }}""")
    session = ort.InferenceSession(model.SerializeToString())
    feed = {"x": np.ones(4096, np.float32), "t": np.array(True),
            "ratio": np.array(0.3, np.float32)}
    return session.run(None, feed)[0]


print("seeds 0 and 1:", np.array_equal(mask(0), mask(1)))
print("seeds 5 and 5 + 2^31 - 1:", np.array_equal(mask(5), mask(5 + 2**31 - 1)))
print("seeds 5 and 6:", np.array_equal(mask(5), mask(6)))
