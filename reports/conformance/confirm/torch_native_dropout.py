"""The decomposition of native_dropout draws in the dtype of its input."""
import torch
from torch._decomp.decompositions import native_dropout

x = torch.ones(20_000_000)
for dtype in (torch.float32, torch.float16, torch.bfloat16):
    kept = native_dropout(x.to(dtype), 0.1, True)[1]
    tiny = native_dropout(x.to(dtype), 1e-30, True)[1]
    print(dtype, "p = 0.1 drops", 1 - kept.double().mean().item(),
          "p = 1e-30 drops", (~tiny).double().mean().item())
print("26 / 256 =", 26 / 256)
