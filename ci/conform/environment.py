"""An environment of its own for each library, or for some that share one."""

import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import time

from .library import ROOT

BUILD = ROOT / "build" / "conformance"


class NotHad(Exception):
    """The library cannot be had here; the message says why."""


class Stopped(Exception):
    """A process that took longer than it may."""


def process(command, log, limit, variables=None, patience=0):
    """Runs a command in the root, in a process group of its own, and returns
    its status. After `limit` seconds it is interrupted, and may go on for
    `patience` seconds to write what it has; then it raises Stopped."""
    with open(log, "a", encoding="utf-8") as file:
        print("+", *command, file=file, flush=True)
        try:
            child = subprocess.Popen(
                command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=file,
                stderr=subprocess.STDOUT, start_new_session=True,
                env={**os.environ, **(variables or {})})
        except OSError as error:
            print(f"{command[0]}: {error.strerror}", file=file)
            return 127
        try:
            try:
                return child.wait(timeout=limit)
            except subprocess.TimeoutExpired:
                child.send_signal(signal.SIGINT)
                return child.wait(timeout=patience)
        except BaseException as error:
            os.killpg(child.pid, signal.SIGKILL)
            child.wait()
            if not isinstance(error, subprocess.TimeoutExpired):
                raise
            raise Stopped(f"it took longer than {limit:.0f} s") from error


def last_words(log):
    """The last telling line of a log, without addresses."""
    lines = [line.strip() for line in
             pathlib.Path(log).read_text("utf-8", "replace").splitlines()]
    lines = [line for line in lines if line and not line.startswith("+ ")]
    errors = [line for line in lines if re.search("error", line, re.I)]
    line = (errors or lines or ["it said nothing"])[-1]
    return re.sub(r"\w+://\S+", "(address)", line)[:300]


def disk_of(folder):
    """Bytes below a folder."""
    return sum(path.lstat().st_size for path in pathlib.Path(folder).rglob("*")
               if path.is_symlink() or path.is_file())


def _relative(path):
    path = pathlib.Path(path)
    return str(path.relative_to(ROOT) if path.is_relative_to(ROOT) else path)


def python_of(version):
    """The interpreter of that version; "" is the one that runs this. Raises
    NotHad."""
    if not version:
        return sys.executable
    here = pathlib.Path(sys.base_prefix)
    candidates = [shutil.which(f"python{version}"),
                  *here.parent.glob(f"{version}.*/bin/python{version}")]
    for candidate in filter(None, candidates):
        done = subprocess.run([candidate, "--version"], capture_output=True)
        if done.returncode == 0:
            return str(candidate)
    raise NotHad(f"there is no Python {version}")


class Environment:
    """The folder in which a library and what it needs are installed.

    `carried`: nothing is installed, what this machine has is used. `reused`:
    a folder that was kept is taken as it is.
    """

    def __init__(self, library, program, carried=False, reused=False):
        self.name = library.environment or library.name
        self.folder = BUILD / self.name
        self.log = BUILD / f"{self.name}.log"
        self.program = program
        self.carried = carried
        self.python = library.python
        self.had = self.reused = reused and self.folder.exists()
        if self.reused:
            self.log.write_text("", "utf-8")
        self.installed = set()
        self.seconds = 0.0

    def words(self, library):
        """What stands for {environment} and the others."""
        python = os.environ.get("DROPCHECK_PYTHON") or sys.executable
        if not self.carried and library.pip:
            python = _relative(self.folder / "venv" / "bin" / "python")
        build = pathlib.Path(self.program).resolve().parent.parent.parent
        return {"environment": _relative(self.folder), "python": python,
                "source": _relative(library.folder),
                "kits": "impl/adapters/kits", "build": _relative(build)}

    def filled(self, library, command):
        words = self.words(library)
        return [re.sub(r"\{(\w+)\}",
                       lambda found: words.get(found[1], found[0]), word)
                for word in command]

    def install(self, library, together=()):
        """Installs and builds the library; `together`: those that share the
        environment. Raises NotHad."""
        if library.unavailable:
            raise NotHad(library.unavailable)
        if library.name in self.installed:
            return
        started = time.monotonic()
        try:
            if not self.had:
                self._begin()
                for name in ("apt", "pip", "npm"):
                    wanted = sorted({one for each in (library, *together)
                                     for one in getattr(each, name)})
                    if wanted and not self.carried:
                        getattr(self, "_" + name)(wanted)
                self.had = True
            if not self.carried:
                self._commands(library, library.install + library.build)
            self.installed.add(library.name)
        finally:
            self.seconds += time.monotonic() - started

    def _begin(self):
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        self.log.unlink(missing_ok=True)
        self.log.touch()

    def _do(self, command, variables=None):
        try:
            status = process(command, self.log, 1200, variables)
        except Stopped as error:
            raise NotHad(f"{command[0]}: {error}") from error
        if status:
            raise NotHad(f"{command[0]} failed with status {status}: "
                         f"{last_words(self.log)}")

    def _apt(self, packages):
        missing = [one for one in packages if subprocess.run(
            ["dpkg", "-s", one], capture_output=True).returncode]
        if missing:
            self._do(["apt-get", "install", "-y", "-q",
                      "--no-install-recommends", *missing])

    def _pip(self, packages):
        venv = self.folder / "venv"
        self._do([python_of(self.python), "-m", "venv", str(venv)])
        self._do([str(venv / "bin" / "pip"), "install", "-q", "--no-compile",
                  "--no-cache-dir", "--disable-pip-version-check", *packages])

    def _npm(self, packages):
        self._do(["npm", "install", "--no-audit", "--no-fund", "--prefix",
                  str(self.folder), *packages])

    def _commands(self, library, commands):
        for command in commands:
            self._do(self.filled(library, command), library.variables)

    def remove(self):
        """Removes the folder; the log stays."""
        shutil.rmtree(self.folder, ignore_errors=True)
