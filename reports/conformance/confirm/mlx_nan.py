"""A drop probability that is no number."""
import mlx.core as mx
import mlx.nn as nn

for p in (-0.1, 1.0, float("nan")):
    try:
        print(p, nn.Dropout(p)(mx.ones(8)))
    except ValueError as error:
        print(p, "ValueError:", error)
