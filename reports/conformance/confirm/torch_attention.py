"""Drop probabilities of attention that are none, by the math backend."""
import torch
from torch.nn.attention import SDPBackend, sdpa_kernel

x = torch.ones(1, 4, 4)
for p in (-0.1, float("nan"), 1.5):
    try:
        with sdpa_kernel(SDPBackend.MATH):
            y = torch.nn.functional.scaled_dot_product_attention(
                x, x, x, dropout_p=p)
        print(p, "equal to p = 0:", torch.allclose(y, x))
    except RuntimeError as error:
        print(p, "RuntimeError:", error)
