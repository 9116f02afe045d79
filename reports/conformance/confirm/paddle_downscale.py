"""Evaluation of downscale_in_infer on one axis."""
import paddle

layer = paddle.nn.Dropout(0.5, mode="downscale_in_infer")
layer.eval()
for shape in ([2, 7], [7], []):
    try:
        print(shape, layer(paddle.ones(shape)).numpy().tolist())
    except Exception as error:
        print(shape, type(error).__name__, str(error).strip().split("\n")[-1])
