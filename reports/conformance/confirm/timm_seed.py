"""Two seeds that differ in bit 32 only."""
import torch
from timm.layers import DropPath

masks = []
for seed in (1, 1 + 2**32, 2):
    torch.manual_seed(seed)
    masks.append(DropPath(0.5).train()(torch.ones(40, 1)))
print([torch.equal(masks[0], one) for one in masks])
