"""DropBlock2d: rates above 1, empty maps, and which side an even block takes."""
import torch
from timm.layers import DropBlock2d, drop_block_2d

torch.manual_seed(0)
x = torch.ones(1000, 1, 8, 11)
y = DropBlock2d(1.5, block_size=3).train()(x)
print("drop_prob = 1.5 drops", round((y == 0).float().mean().item(), 3))
try:
    DropBlock2d(0.1).train()(torch.ones(2, 3, 0, 5))
except ZeroDivisionError as error:
    print("a map of 0 x 5: ZeroDivisionError:", error)
y = drop_block_2d(torch.ones(20000, 1, 7, 5), 0.1, block_size=2)
rates = (y == 0).float().mean(dim=(0, 1))
print("size 2: first", round(rates[0, 0].item(), 3),
      "last", round(rates[-1, -1].item(), 3))
