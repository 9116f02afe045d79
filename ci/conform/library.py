"""impl/adapters/libraries/NAME/library.toml: a library, how it is had here and
what is verified of it.

    name = "timm"                 # as the folder
    title = "timm"                # for people
    language = "Python"
    version = "1.0.31"
    documentation = "https://..."
    profile = "pr"                # optional
    time_limit = 600              # optional: seconds for all of its runs
    environment = "torch"         # optional: installed together with the
                                  # libraries that name the same one
    python = "3.12"               # optional: of the environment; else that
                                  # which runs ci/conformance
    devices = ["cpu", "cuda"]     # optional
    unavailable = "..."           # optional: why it cannot be had; not tried

    [install]                     # all optional; commands come last
    pip = ["timm==1.0.31"]
    npm = ["@tensorflow/tfjs@4.22.0"]
    apt = ["libdlib-dev"]
    commands = [["mvn", "-q", "-Dmaven.repo.local={environment}/m2", "..."]]

    [build]
    commands = [["cargo", "build", "--release", "--manifest-path",
                 "{source}/Cargo.toml", "--target-dir", "{environment}"]]

    [variables]                   # of the environment of all its processes
    KERAS_BACKEND = "jax"

    [[run]]                       # one call of dropcheck verify each
    subjects = ["cmd:{python} {source}/adapter.py"]
    arguments = ["--p", "0.1"]    # optional
    devices = ["cuda"]            # optional: on these only

Words may hold {environment} (its folder), {source} (the adapter's folder),
{python} (that of the environment), {kits} and {build} (where dropcheck was
built), all of them relative to the root, where every command runs.
"""

import dataclasses
import pathlib
import tomllib

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
LIBRARIES = ROOT / "impl" / "adapters" / "libraries"
DEVICES = ("cpu", "cuda")


class BadLibrary(Exception):
    """A library.toml that says what cannot be, or a name that is not there."""


@dataclasses.dataclass
class Run:
    subjects: list[str]
    arguments: list[str]
    devices: tuple[str, ...] = DEVICES


@dataclasses.dataclass
class Library:
    name: str
    title: str
    language: str
    version: str
    documentation: str
    folder: pathlib.Path
    profile: str = "pr"
    time_limit: float = 900
    environment: str = ""
    python: str = ""
    devices: tuple[str, ...] = ("cpu",)
    unavailable: str = ""
    pip: tuple[str, ...] = ()
    npm: tuple[str, ...] = ()
    apt: tuple[str, ...] = ()
    install: tuple[tuple[str, ...], ...] = ()
    build: tuple[tuple[str, ...], ...] = ()
    variables: dict[str, str] = dataclasses.field(default_factory=dict)
    runs: tuple[Run, ...] = ()


_TEXTS = ("name", "title", "language", "version", "documentation")
_OPTIONAL = {"profile": str, "time_limit": (int, float), "environment": str,
             "python": str, "devices": list, "unavailable": str, "install": dict,
             "build": dict, "variables": dict, "run": list}


def _require(rule, path, text):
    if not rule:
        raise BadLibrary(f"{path}: {text}")


def _words(value, path, name):
    texts = isinstance(value, list) and all(isinstance(one, str)
                                            for one in value)
    _require(texts, path, f"{name} is {value!r}, but must be a list of texts")
    return tuple(value)


def _commands(table, path, name):
    commands = table.get("commands", [])
    _require(isinstance(commands, list), path,
             f"{name}.commands is {commands!r}, but must be a list of lists")
    return tuple(_words(one, path, f"{name}.commands") for one in commands)


def _known(table, names, path, where):
    for name in table:
        _require(name in names, path, f"{where}'{name}' is unknown, but must "
                 f"be one of {', '.join(names)}")


def _devices(value, path):
    devices = _words(value, path, "devices")
    for device in devices:
        _require(device in DEVICES, path, f"devices has '{device}', but must "
                 f"have some of {', '.join(DEVICES)}")
    return devices


def _runs(data, path):
    runs = []
    for table in data.get("run", []):
        _known(table, ("subjects", "arguments", "devices"), path, "run: ")
        subjects = _words(table.get("subjects"), path, "run.subjects")
        _require(subjects, path, "a run has no subjects")
        arguments = _words(table.get("arguments", []), path, "run.arguments")
        runs.append(Run(list(subjects), list(arguments),
                        _devices(table.get("devices", list(DEVICES)), path)))
    return tuple(runs)


def read_library(path):
    """The library of a library.toml. Raises BadLibrary."""
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadLibrary(f"{path}: {error}") from error
    _known(data, (*_TEXTS, *_OPTIONAL), path, "")
    for name in _TEXTS:
        _require(isinstance(data.get(name), str) and data[name], path,
                 f"{name} is {data.get(name)!r}, but must be a text")
    for name, kind in _OPTIONAL.items():
        _require(name not in data or isinstance(data[name], kind), path,
                 f"{name} is {data.get(name)!r}, which has the wrong type")
    _require(data["name"] == path.parent.name, path,
             f"name is '{data['name']}', but must be that of the folder")
    install, build = data.get("install", {}), data.get("build", {})
    _known(install, ("pip", "npm", "apt", "commands"), path, "install: ")
    _known(build, ("commands",), path, "build: ")
    devices = _devices(data.get("devices", ["cpu"]), path)
    runs = _runs(data, path)
    _require(runs or data.get("unavailable"), path,
             "it has no run, and does not say why it is unavailable")
    optional = {name: data[name] for name in
                ("profile", "time_limit", "environment", "python",
                 "unavailable", "variables") if name in data}
    return Library(**{name: data[name] for name in _TEXTS}, **optional,
                   folder=path.parent, devices=devices, runs=runs,
                   pip=_words(install.get("pip", []), path, "pip"),
                   npm=_words(install.get("npm", []), path, "npm"),
                   apt=_words(install.get("apt", []), path, "apt"),
                   install=_commands(install, path, "install"),
                   build=_commands(build, path, "build"))


def read_libraries(folder=LIBRARIES):
    """All libraries by name."""
    return {path.parent.name: read_library(path)
            for path in sorted(folder.glob("*/library.toml"))}


def chosen(libraries, names):
    """The libraries named, or all. Raises BadLibrary for an unknown name."""
    for name in names:
        if name not in libraries:
            raise BadLibrary(f"there is no library '{name}', but "
                             f"{', '.join(libraries) or 'none at all'}")
    return [libraries[name] for name in names or libraries]
