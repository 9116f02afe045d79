"""A torch with a GPU, made of NumPy: what the adapter of PyTorch uses of it.

Tensors know their device; one that is not on the host gives no memory to
others, and the device takes no tensors of the host. Dropout on the device is
right but for $FAKE_TORCH_BUG: "tail", the last 3 of 4 elements are kept.
"""

import os
import types

import numpy

__version__ = "fake"
int16, bfloat16 = "torch.int16", "torch.bfloat16"
_generator = numpy.random.default_rng()


class Tensor:
    def __init__(self, values, device="cpu", dtype=None):
        self.values, self.device = values, device
        self.dtype = dtype or f"torch.{values.dtype}"
        self.gradient = None

    def to(self, device):
        return Tensor(self.values.copy(), device, self.dtype)

    def cpu(self):
        return self if self.device == "cpu" else self.to("cpu")

    def view(self, dtype):
        return Tensor(self.values, self.device, dtype)

    def detach(self):
        return self

    contiguous = detach

    def is_contiguous(self):
        return self.values.flags.c_contiguous

    def requires_grad_(self, required):
        return self

    def clone(self):
        return Tensor(self.values.copy(), self.device, self.dtype)

    def copy_(self, other):
        self.values[...] = other.values

    def numel(self):
        return self.values.size

    def data_ptr(self):
        return self.values.ctypes.data

    def __dlpack__(self, **words):
        if self.device != "cpu":
            raise BufferError("the memory is not on the host")
        return self.values.__dlpack__(**words)

    def __dlpack_device__(self):
        return self.values.__dlpack_device__()


def from_numpy(values):
    return Tensor(values)


class Dropout:
    def __init__(self, p=0.5, inplace=False):
        if p < 0 or p > 1 or numpy.isnan(p):
            raise ValueError(f"dropout probability is {p}")
        self.p, self.inplace, self.training = p, inplace, True

    def train(self, training):
        self.training = training
        return self

    def eval(self):
        return self.train(False)

    def __call__(self, x):
        if x.device != "cuda":
            raise RuntimeError("the tensor is not on the device")
        if not self.training or self.p == 0:
            return x
        kept = _generator.random(x.values.shape) >= self.p
        if os.environ.get("FAKE_TORCH_BUG") == "tail":
            flat = kept.reshape(-1)
            flat[flat.size - flat.size % 4:] = True
        scale = x.values.dtype.type(1 / (1 - self.p) if self.p < 1 else 0)
        mask = (kept * scale).astype(x.values.dtype)
        with numpy.errstate(invalid="ignore"):
            result = (x.values * mask).astype(x.values.dtype)
        if self.inplace:
            x.values[...] = result
            return x
        made = Tensor(result, x.device)
        made.gradient = mask
        return made


def _gradient(output, given, incoming, retain_graph):
    mask = 1 if output.gradient is None else output.gradient
    return (Tensor(incoming.values * mask, "cuda"),)


def manual_seed(seed):
    global _generator
    _generator = numpy.random.default_rng(seed)


def seed():
    manual_seed(None)


def set_num_threads(count):
    pass


def compile(layer):
    return layer


class _Nn(types.SimpleNamespace):
    def __getattr__(self, name):
        return Dropout


nn = _Nn(functional=types.SimpleNamespace())
autograd = types.SimpleNamespace(grad=_gradient)
cuda = types.SimpleNamespace(get_device_name=lambda: "Fake GPU")
