"""Modules made with inplace=True: is the input changed?"""
import torch

for kind in ("Dropout", "AlphaDropout", "FeatureAlphaDropout"):
    x = torch.ones(2, 64, 2, 2)
    y = getattr(torch.nn, kind)(0.5, inplace=True)(x)
    print(kind, "in place:", y is x, "input changed:",
          not torch.equal(x, torch.ones_like(x)))
