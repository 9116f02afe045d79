"""Seeds that differ above bit 31 only."""
import torch

for device in ["cpu"] + ["cuda"] * torch.cuda.is_available():
    masks = []
    for seed in (1, 1 + 2**32, 1 + 2**63, 2):
        torch.manual_seed(seed)
        masks.append(torch.nn.Dropout(0.5)(torch.ones(4096, device=device)))
    print(torch.__version__, device, [torch.equal(masks[0], mask)
                                      for mask in masks[1:]])
