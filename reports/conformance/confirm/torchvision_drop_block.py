"""DropBlock on maps that are small or empty, and the eps of its scale."""
import torch
from torchvision.ops import DropBlock2d, DropBlock3d

for name, layer, shape in (
        ("2 x 2", DropBlock2d(0.1, 3), (2, 3, 2, 2)),
        ("no channels", DropBlock2d(0.1, 3), (2, 0, 4, 5)),
        ("2 x 4 x 5", DropBlock3d(0.1, 3), (2, 3, 2, 4, 5))):
    try:
        layer.train()(torch.ones(shape))
        print(name, "is taken")
    except (ValueError, RuntimeError) as error:
        print(f"{name}: {type(error).__name__}: {str(error)[:50]}")
y = DropBlock3d(1e-300, 3).train()(torch.full((1, 1, 1, 1, 1), 3.0))
print(f"nothing dropped, but 3 becomes {y.item():.7f}")
