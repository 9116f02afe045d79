"""Makes of a Python function, class or module what the oracle can ask.

Nothing is guessed: what the signature names is passed, what it does not name
is not supported.
"""

from __future__ import annotations

import copy
import importlib.util
import inspect
import sys
from typing import Any, Callable, Optional

from ._errors import NotSupported, require_one_of

_PROBABILITY = ("p", "rate", "drop_prob", "drop_p", "drop_rate", "dropout_p",
                "dropout_rate", "drop_probability", "prob", "probability")
_TRAINING = ("training", "train", "is_training")
_IN_PLACE = ("inplace", "in_place")
_DTYPES = {"f64": "float64", "f32": "float32", "f16": "float16",
           "bf16": "bfloat16"}


class Framework:
    """How arrays enter and leave. The default is NumPy."""

    def __init__(self, name: str = "numpy", device: Optional[str] = None):
        self.name = name
        self.device = device

    def take(self, given: Any) -> Any:
        """An array of the framework on the memory of `given`."""
        import numpy
        try:
            return numpy.asarray(given)
        except (BufferError, TypeError, ValueError) as error:
            raise NotSupported(f"NumPy cannot read it: {error}") from error

    def give(self, result: Any) -> Any:
        """Something that DLPack or the buffer protocol can read."""
        return result

    def reseed(self, seed: int) -> Optional[bool]:
        """Sets the framework's generator; None if it has none of its own."""
        return None


class Torch(Framework):
    def take(self, given: Any) -> Any:
        import torch
        tensor = torch.from_dlpack(given)
        return tensor if self.device is None else tensor.to(self.device)

    def give(self, result: Any) -> Any:
        import torch
        if not isinstance(result, torch.Tensor):
            return result
        result = result.detach()
        plain = result.device.type == "cpu" and not result.is_neg()
        return result if plain else result.resolve_neg().cpu()

    def reseed(self, seed: int) -> bool:
        import torch
        torch.manual_seed(seed)
        return True


class Jax(Framework):
    def take(self, given: Any) -> Any:
        import jax
        array = jax.dlpack.from_dlpack(given)
        if self.device is None:
            return array
        return jax.device_put(array, jax.devices(self.device)[0])

    def give(self, result: Any) -> Any:
        import jax
        if isinstance(result, jax.Array) and self.device is not None:
            return jax.device_put(result, jax.devices("cpu")[0])
        return result


class TensorFlow(Framework):
    def take(self, given: Any) -> Any:
        import numpy
        import tensorflow
        return tensorflow.convert_to_tensor(numpy.asarray(given))

    def give(self, result: Any) -> Any:
        return result.numpy() if hasattr(result, "numpy") else result


_FRAMEWORKS = {"numpy": Framework, "torch": Torch, "jax": Jax,
               "tensorflow": TensorFlow}


def framework_for(target: Any, name: Optional[str],
                  device: Optional[str]) -> Framework:
    if name is None:
        name = "torch" if _is_torch(target) else "numpy"
    require_one_of("framework", name, _FRAMEWORKS)
    if importlib.util.find_spec(name) is None:
        raise ValueError(f"framework is '{name}', which is not installed here")
    if device is not None and name in ("numpy", "tensorflow"):
        raise ValueError(f"device is '{device}', but {name} takes none here")
    return _FRAMEWORKS[name](name, device)


def _is_torch(target: Any) -> bool:
    torch = sys.modules.get("torch")
    if torch is None:
        return False
    module = torch.nn.Module
    return isinstance(target, module) or (
        inspect.isclass(target) and issubclass(target, module))


def names_in(function: Callable[..., Any]) -> list[str]:
    """Names of the parameters that can be passed by name."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return []
    kinds = (inspect.Parameter.POSITIONAL_OR_KEYWORD,
             inspect.Parameter.KEYWORD_ONLY)
    return [each.name for each in parameters if each.kind in kinds]


def require_known(function: Callable[..., Any]) -> None:
    """Raises TypeError for a parameter that must be given and is not known."""
    try:
        parameters = list(inspect.signature(function).parameters.values())
    except (TypeError, ValueError):
        return
    known = _PROBABILITY + _TRAINING + _IN_PLACE + (
        "deterministic", "rng", "generator", "seed", "key")
    for each in parameters[1:]:
        given = each.default is not inspect.Parameter.empty
        starred = each.kind in (inspect.Parameter.VAR_POSITIONAL,
                                inspect.Parameter.VAR_KEYWORD)
        if not given and not starred and each.name not in known:
            raise TypeError(f"target has the parameter '{each.name}', which "
                            "must have a default or be one of "
                            f"{', '.join(known)}")


def _first(names: list[str], known: tuple[str, ...]) -> Optional[str]:
    return next((name for name in names if name in known), None)


class Seeds:
    """One key for each call after a reseed."""

    def __init__(self) -> None:
        self.seed = 0
        self.calls = 0

    def reseed(self, seed: int) -> None:
        self.seed, self.calls = seed, 0

    def next(self) -> tuple[int, int]:
        self.calls += 1
        return self.seed, self.calls


class Calling:
    """Calls a function or a layer object with what its signature names."""

    def __init__(self, function: Callable[..., Any], names: list[str],
                 framework: Framework, config: dict[str, Any],
                 set_seed: Optional[Callable[[int], Any]]):
        self.function = function
        self.names = names
        self.framework = framework
        self.config = config
        self.set_seed = set_seed
        self.seeds = Seeds()
        self.generator = self._fresh_generator()
        self.returns_mask = False
        self.latest_mask: Any = None
        self._fixed: dict[bool, dict[str, Any]] = {}

    def _fresh_generator(self, seed: Optional[int] = None) -> Any:
        if "rng" not in self.names and "generator" not in self.names:
            return None
        import numpy
        return numpy.random.default_rng(seed)

    def keywords(self, training: bool) -> dict[str, Any]:
        if training not in self._fixed:
            self._fixed[training] = self._fixed_keywords(training)
        words = dict(self._fixed[training])
        if "rng" in self.names:
            words["rng"] = self.generator
        if "generator" in self.names and self.framework.name == "numpy":
            words["generator"] = self.generator
        if "seed" in self.names:
            seed, call = self.seeds.next()
            words["seed"] = (seed + 0x9E3779B97F4A7C15 * call) % 2**64
        if "key" in self.names:
            import jax
            seed, call = self.seeds.next()
            key = jax.random.key(seed % 2**32)
            key = jax.random.fold_in(key, seed >> 32)
            words["key"] = jax.random.fold_in(key, call)
        return words

    def _fixed_keywords(self, training: bool) -> dict[str, Any]:
        """Those that are the same in every call."""
        words: dict[str, Any] = {}
        if name := _first(self.names, _TRAINING):
            words[name] = training
        elif "deterministic" in self.names:
            words["deterministic"] = not training
        elif not training:
            raise NotSupported("it has no parameter for evaluation")
        if name := _first(self.names, _PROBABILITY):
            words[name] = self.config["p"]
        if name := _first(self.names, _IN_PLACE):
            words[name] = self.config["in_place"]
        return words

    def forward(self, given: Any, training: bool) -> Any:
        result = self.function(self.framework.take(given),
                               **self.keywords(training))
        return self.framework.give(self.without_mask(result))

    def without_mask(self, result: Any) -> Any:
        """The output of (output, mask); keeps the mask."""
        if not self.returns_mask:
            return result
        if not isinstance(result, (tuple, list)) or len(result) != 2:
            raise TypeError(f"returned a {type(result).__name__}, but must "
                            "return (output, mask), as returns_mask says")
        output, self.latest_mask = result
        return output

    def mask(self) -> bytes:
        """The mask of the latest call, one byte for each element."""
        import numpy
        mask = numpy.asarray(self.framework.give(self.latest_mask))
        if mask.dtype != bool and not numpy.issubdtype(mask.dtype,
                                                       numpy.integer):
            raise TypeError(f"returned a mask of {mask.dtype}, but must be "
                            "bool or integers")
        if mask.size and not 0 <= int(mask.min()) <= int(mask.max()) <= 255:
            raise TypeError("returned a mask with entries outside [0, 255]")
        return mask.astype(numpy.uint8).tobytes()

    def reseed(self, seed: int) -> None:
        self.seeds.reseed(seed)
        self.generator = self._fresh_generator(seed)
        if self.set_seed is not None:
            self.set_seed(seed)
        else:
            self.framework.reseed(seed)


class ObjectLayer(Calling):
    """A function, or a layer object with forward or __call__."""

    def __init__(self, layer: Any, names: list[str], framework: Framework,
                 config: dict[str, Any],
                 set_seed: Optional[Callable[[int], Any]]):
        super().__init__(getattr(layer, "forward", layer), names, framework,
                         config, set_seed)
        self.layer = layer

    def backward(self, grad_output: Any) -> Any:
        if not hasattr(self.layer, "backward"):
            raise NotSupported("it has no method backward")
        grad = self.layer.backward(self.framework.take(grad_output))
        return self.framework.give(grad)

    def reseed(self, seed: int) -> None:
        if hasattr(self.layer, "reseed"):
            self.layer.reseed(seed)
        else:
            super().reseed(seed)


class TorchLayer(Calling):
    """A torch.nn.Module, or a function on tensors; gradients by autograd."""

    def __init__(self, function: Any, names: list[str], framework: Framework,
                 config: dict[str, Any],
                 set_seed: Optional[Callable[[int], Any]]):
        super().__init__(function, names, framework, config, set_seed)
        self.module = function if _is_torch(function) else None
        self.input: Any = None
        self.output: Any = None

    def keywords(self, training: bool) -> dict[str, Any]:
        if self.module is not None:
            self.module.train(training)
            return {}
        return super().keywords(training)

    def forward(self, given: Any, training: bool) -> Any:
        self.input = self.framework.take(given)
        if not self.config["in_place"]:
            self.input.requires_grad_(True)
        self.output = self.without_mask(
            self.function(self.input, **self.keywords(training)))
        return self.framework.give(self.output)

    def backward(self, grad_output: Any) -> Any:
        import torch
        if self.config["in_place"]:
            raise NotSupported("autograd has no gradient of a leaf in place")
        grad = self.framework.take(grad_output)
        (result,) = torch.autograd.grad(self.output, self.input, grad,
                                        retain_graph=True)
        return self.framework.give(result)


class Adapter:
    """What `_native` is given: makes layers, and says what they offer.

    A class, or a function with factory=True, makes layers; anything else is
    the layer itself, and has the drop probability that it has unless its
    signature takes one.
    """

    def __init__(self, target: Any, *, factory: Optional[bool],
                 framework: Optional[str], device: Optional[str],
                 drop_probabilities: list[float],
                 reseed: Optional[Callable[[int], Any]],
                 returns_mask: bool = False):
        if not callable(target) and not hasattr(target, "forward"):
            raise TypeError(f"target is a {type(target).__name__}, but must "
                            "be a function, a class, or a layer that can be "
                            "called")
        if reseed is not None and not callable(reseed):
            raise TypeError(f"reseed is {reseed!r}, but must be a function of "
                            "a seed")
        self.target = target
        self.factory = inspect.isclass(target) if factory is None else factory
        self.drop_probabilities = drop_probabilities
        self.target_names = names_in(target)
        sample = (self._construct(drop_probabilities[0], {})
                  if self.factory else target)
        self.torch_module = _is_torch(sample)
        self.framework = framework_for(sample, framework, device)
        self.names = []
        if not self.torch_module:
            called = getattr(sample, "call", getattr(sample, "forward", sample))
            require_known(called)
            self.names = names_in(called)
        self.has_reseed = hasattr(sample, "reseed")
        self.has_backward = hasattr(sample, "backward")
        self.reseed = reseed
        self.returns_mask = returns_mask

    def offers_reseed(self) -> bool:
        own = {"seed", "key", "rng"} | (
            {"generator"} if self.framework.name == "numpy" else set())
        return (self.reseed is not None or self.has_reseed or
                self.framework.name == "torch" or
                not own.isdisjoint(self.names))

    def offers_backward(self) -> bool:
        return self.framework.name == "torch" or self.has_backward

    def _construct(self, p: float, words: dict[str, Any]) -> Any:
        if name := _first(self.target_names, _PROBABILITY):
            return self.target(**{name: p}, **words)
        return self.target(p, **words)

    def _words_for(self, config: dict[str, Any],
                   understood: list[str]) -> dict[str, Any]:
        """Keyword arguments for the options that differ from the default."""
        words: dict[str, Any] = {}
        if config["in_place"] and (name := _first(understood, _IN_PLACE)):
            words[name] = True
        elif config["in_place"]:
            raise NotSupported("it has no parameter for in_place")
        if config["channels_last"] and "data_format" in understood:
            words["data_format"] = "channels_last"
        elif config["channels_last"]:
            raise NotSupported("it has no parameter data_format")
        plain = {"scale_by_keep": True, "shared_axes": [], "samples": 0}
        for name, value in plain.items():
            if config[name] == value:
                continue
            if name not in understood:
                raise NotSupported(f"it has no parameter {name}")
            words[name] = config[name]
        return words

    def _layer(self, config: dict[str, Any]) -> Any:
        if self.factory:
            return self._construct(config["p"],
                                   self._words_for(config, self.target_names))
        self._words_for(config, self.names)
        if (_first(self.names, _PROBABILITY) is None and
                config["p"] not in self.drop_probabilities):
            raise NotSupported("one layer has one drop probability; give its "
                               "class, or a function that takes p, for others")
        return copy.deepcopy(self.target) if self.torch_module else self.target

    def __call__(self, config: dict[str, Any]) -> Any:
        kind = TorchLayer if self.framework.name == "torch" else ObjectLayer
        made = kind(self._layer(config), self.names, self.framework, config,
                    self.reseed)
        made.returns_mask = self.returns_mask
        return made


def dtype_words(dtype: Any) -> str:
    """The name that the oracle uses: f32, also for 'float32', np.float32 or
    torch.float32."""
    text = getattr(dtype, "__name__", None) or str(dtype)
    text = text.removeprefix("torch.")
    for short, long in _DTYPES.items():
        if text in (short, long):
            return short
    require_one_of("dtype", text, _DTYPES)
    return text
