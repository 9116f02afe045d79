"""Half precision where 1 / (1 - p) is beyond its largest number, 65504."""
import mlx.core as mx
import mlx.nn as nn

for p in (0.9999, 0.99999):
    y = nn.Dropout(p)(mx.ones(1000, mx.float16))
    print(p, "NaN:", mx.isnan(y).sum().item(), "of 1000")
