"""Alpha dropout of half precision close to p = 1."""
import torch

for p in (0.9999, 1 - 2**-34, 1 - 2**-53, 1.0):
    x = torch.ones(1000, dtype=torch.float16)
    y = torch.nn.AlphaDropout(p)(x)
    print(p, "NaN:", y.isnan().sum().item(), "of 1000")
