"""Dropout2D scales before it drops."""
import numpy as np
import paddle

x = paddle.full([1, 1000, 1, 1], np.finfo(np.float32).max * 0.9)
for kind in (paddle.nn.Dropout, paddle.nn.Dropout2D):
    y = kind(0.5)(x).numpy()
    print(kind.__name__, "dropped to 0:", (y == 0).sum(), "NaN:",
          np.isnan(y).sum(), "infinite:", np.isinf(y).sum())
