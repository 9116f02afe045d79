"""Two seeds that differ in bit 32 only, and one that differs in bit 0."""
from tinygrad import Context, Tensor


def mask(seed):
    Tensor.manual_seed(seed)
    with Context(TRAINING=1):
        return "".join(str(int(one > 0)) for one in
                       Tensor.ones(40).dropout(0.5).tolist())


for seed in (5, 5 + 2**32, 4):
    print(f"seed {seed}: {mask(seed)}")
