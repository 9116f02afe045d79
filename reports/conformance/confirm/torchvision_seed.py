"""Two seeds that differ in bit 32 only."""
import torch
from torchvision.ops import stochastic_depth

masks = []
for seed in (1, 1 + 2**32, 2):
    torch.manual_seed(seed)
    masks.append(stochastic_depth(torch.ones(40, 1), 0.5, "row"))
print([torch.equal(masks[0], one) for one in masks])
