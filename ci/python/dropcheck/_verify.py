"""verify and identify."""

from __future__ import annotations

import datetime
import json
import platform
import secrets
import sys
from typing import Any, Callable, Iterable, Mapping, Optional, Sequence, Union

from . import _native
from ._errors import require_one_of
from ._layers import Adapter, dtype_words
from ._result import Identification, Result

Progress = Callable[[int, int, str], Any]
_PROFILES = ("smoke", "pr", "nightly", "exhaustive")


def verify(
        target: Any,
        layer: str = "dropout",
        p: Union[float, Sequence[float], None] = None,
        *,
        factory: Optional[bool] = None,
        framework: Optional[str] = None,
        device: Optional[str] = None,
        reseed: Optional[Callable[[int], Any]] = None,
        own_state: bool = False,
        returns_mask: bool = False,
        recipe: Union[str, Mapping[str, Any], None] = None,
        dtypes: Iterable[Any] = ("f32",),
        shapes: Optional[Iterable[Sequence[int]]] = None,
        variants: Iterable[Mapping[str, Any]] = (),
        options: Optional[Mapping[str, Any]] = None,
        spatial_axes: Optional[int] = None,
        strides: str = "compact",
        only: Iterable[str] = (),
        profile: str = "smoke",
        delta: Optional[float] = None,
        seed: Optional[int] = None,
        alpha: float = 1e-9,
        share: float = 1.0,
        threads: int = 0,
        call_timeout: float = 60.0,
        time_limit: Optional[float] = None,
        shrink: Optional[float] = None,
        name: Optional[str] = None,
        replay: Optional[str] = None,
        progress: Optional[Progress] = None,
) -> Result:
    """Verifies a dropout layer against the law `layer`.

    target        a function f(x); a class, called with the drop probability; a
                  layer with forward or __call__; a torch.nn.Module. Passed by
                  name where the signature has it: p (rate, drop_prob, ...),
                  training (or deterministic), in_place, seed, rng (a NumPy
                  generator), key (JAX).
    layer         what it promises to be: see `layers()`.
    p             drop probability, one or several; default .1, .3, .5 for what
                  takes any.
    factory       True for a function that makes layers; default: classes do.
    framework     numpy, torch, jax or tensorflow: what arrays it is given;
                  default torch for modules, else numpy.
    device        where the layer runs (torch, jax); results come to the host.
    reseed        called with an integer of 64 bits; makes findings repeatable.
    own_state     True if layers share no generator: they then run in parallel.
    returns_mask  True if a call returns (output, mask), 1 for kept: the mask is
                  compared with what was done.
    recipe        how each mask follows from the seed: it is then recomputed
                  and compared bit for bit. "numpy.random", "numpy.random.f32"
                  (rng.random), "jax.bernoulli" (the key that is passed),
                  "torch.bernoulli", or a dict: {"like": "numpy.random",
                  "kept": "u>=drop"}.
    dtypes        f64, f32, f16, bf16.
    shapes        in place of those that the law is best seen on.
    variants      options to verify too: [{"in_place": True}].
    options       documented differences from the strict contract:
                  {"at_one": "error"}.
    only          globs on checks: ["drop_rate", "independence*"].
    profile       smoke (seconds), pr, nightly, exhaustive.
    delta         error of the rate that must be found; replaces the profile's.
    seed          of the run; default fresh. A false alarm of the whole run has
                  probability at most alpha * share.
    shrink        seconds for each refuted check to look for a smaller case;
                  default the profile's, 0 for none.
    replay        the token of a finding: repeats that one alone.
    progress      called with (done, total, what) a few times a second.
    time_limit    seconds; a profile that needs more is refused.
    call_timeout  seconds for one call; a longer one is a finding.
    threads       0 is all cores; layers that share a generator run one by one.
    strides       of the inputs that the layer takes: compact, non-negative, any.
    spatial_axes  of a channel layer, where it is not the law's own number.
    name          of the layer in findings and replay tokens.

    Raises ValueError or TypeError that names the argument; KeyboardInterrupt
    ends the run. What the layer does wrong is a finding, never an exception.
    """
    _require_positive(delta=delta, alpha=alpha, share=share,
                      call_timeout=call_timeout, time_limit=time_limit)
    if shrink is not None and not 0 <= shrink < float("inf"):
        raise ValueError(f"shrink is {shrink}, but must be at least 0")
    if not isinstance(threads, int) or threads < 0:
        raise ValueError(f"threads is {threads}, but must be a whole number of "
                         "at least 0")
    if progress is not None and not callable(progress):
        raise TypeError(f"progress is {progress!r}, but must be a function of "
                        "(done, total, what)")
    require_one_of("layer", layer, [each["layer"] for each in layers()])
    require_one_of("profile", profile, _PROFILES)
    probabilities = _probabilities(p, target)
    adapter = Adapter(target, factory=factory, framework=framework,
                      device=device, drop_probabilities=probabilities,
                      reseed=reseed, returns_mask=returns_mask)
    names = [dtype_words(dtype) for dtype in
             ([dtypes] if isinstance(dtypes, str) else dtypes)]
    if not names:
        raise ValueError("dtypes is empty, but must have one dtype, or some")
    contract = _contract(adapter, layer, name or _name_of(target), names)
    contract.update(variants=[dict(variant) for variant in variants],
                    options=dict(options) if options is not None else None,
                    spatial_axes=spatial_axes, strides=strides,
                    own_state=own_state, mask_output=returns_mask,
                    recipe=recipe if recipe is None or isinstance(recipe, str)
                    else dict(recipe))
    settings = {
        "profile": profile, "drop_probabilities": probabilities,
        "shapes": [list(shape) for shape in shapes or ()], "dtypes": names,
        "only": [only] if isinstance(only, str) else list(only),
        "seed": _seed(seed), "alpha": alpha,
        "share": share, "threads": threads, "call_timeout": call_timeout,
        "time_limit": time_limit, "delta": delta, "shrink": shrink,
        "started": datetime.datetime.now(datetime.timezone.utc).strftime(
            "%Y-%m-%dT%H:%M:%SZ"),
        "command": f"dropcheck.verify({contract['name']}, layer={layer!r})",
        "environment": {"python": platform.python_version(),
                        "os": platform.platform(),
                        "framework": contract["version"]},
    }
    return Result(_native.verify(adapter, json.dumps(contract),
                                 json.dumps(settings), replay, progress))


def identify(target: Any, p: float = 0.1, *, factory: Optional[bool] = None,
             framework: Optional[str] = None, device: Optional[str] = None,
             reseed: Optional[Callable[[int], Any]] = None, dtype: Any = "f32",
             shape: Optional[Sequence[int]] = None, seed: Optional[int] = None,
             alpha: float = 1e-9) -> Identification:
    """Names the law of an unknown layer, from calls alone.

    Arguments are those of `verify`; `shape` is the one input shape to read.
    """
    adapter = Adapter(target, factory=factory, framework=framework,
                      device=device, drop_probabilities=[float(p)],
                      reseed=reseed)
    contract = _contract(adapter, "dropout", _name_of(target),
                         [dtype_words(dtype)])
    settings = {"p": float(p), "seed": _seed(seed), "alpha": alpha,
                "shape": None if shape is None else list(shape)}
    return Identification(_native.identify(adapter, json.dumps(contract),
                                           json.dumps(settings)))


def declares(**arguments: Any) -> Callable[[Any], Any]:
    """Says for `dropcheck verify py:MODULE:NAME` what a target promises.

    Arguments are those of `verify` that describe the layer: layer, framework,
    device, dtypes, factory, reseed, own_state, returns_mask, recipe, options,
    variants and spatial_axes.
    """
    def mark(target: Any) -> Any:
        target.__dropcheck__ = arguments
        return target

    return mark


def layers() -> list[dict[str, str]]:
    """The laws that a layer can be verified against."""
    return _native.layers()


def _probabilities(p: Any, target: Any) -> list[float]:
    if p is None:
        own = getattr(target, "p", None)
        if isinstance(own, float) and not isinstance(target, type):
            return [own]
        return [0.1, 0.3, 0.5]
    if isinstance(p, (bool, str)):
        raise TypeError(f"p is {p!r}, but must be a number in [0, 1], or some")
    values = [float(p)] if isinstance(p, (int, float)) else [
        float(each) for each in p]
    if not values:
        raise ValueError("p is empty, but must be a drop probability, or some")
    for value in values:
        if not 0 <= value <= 1:
            raise ValueError(f"p is {value}, but must be in [0, 1]")
    return values


def _require_positive(**numbers: Optional[float]) -> None:
    for name, value in numbers.items():
        if value is not None and (isinstance(value, bool) or
                                  not isinstance(value, (int, float))):
            raise TypeError(f"{name} is {value!r}, but must be a number")
        if value is not None and not 0 < value < float("inf"):
            raise ValueError(f"{name} is {value}, but must be positive and "
                             "finite")


def _seed(seed: Optional[int]) -> int:
    if seed is None:
        return secrets.randbits(63)
    if not isinstance(seed, int):
        raise TypeError(f"seed is {seed!r}, but must be a whole number")
    if not 0 <= seed < 2**64:
        raise ValueError(f"seed is {seed}, but must be in [0, 2^64)")
    return seed


def _contract(adapter: Adapter, layer: str, name: str,
              dtypes: list[str]) -> dict[str, Any]:
    return {"name": name, "layer": layer, "dtypes": dtypes,
            "version": _version(adapter.framework.name),
            "reseed": adapter.offers_reseed(),
            "backward": adapter.offers_backward()}


def _version(framework: str) -> str:
    module = sys.modules.get(framework)
    return f"{framework} {getattr(module, '__version__', '')}".strip()


def _name_of(target: Any) -> str:
    named = target if hasattr(target, "__qualname__") else type(target)
    name = f"{named.__module__}.{named.__qualname__}"
    return "python:" + plain(name)


def plain(name: str) -> str:
    """With letters that a replay token writes as they stand."""
    return "".join(c if c.isalnum() or c in "._:-" else "_" for c in name)
