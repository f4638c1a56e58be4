# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What both ways to a Consul binary share: the environment, the cache, and running a long command that shows life."""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

NEW = "1.22.7"
OLD = "1.8.7"
VARIABLES = {NEW: "CONSUL_BIN", OLD: "CONSUL_OLD_BIN"}

HEARTBEAT = 15.0

speaker = "tools/consul/get"
"""Whose words ``say`` passes on; a command that borrows from here sets its own name."""


class GetError(Exception):
    """No binary can be had; the text says what to do."""


def say(text: str) -> None:
    """Tell the person; stdout belongs to the path alone."""
    print(f"{speaker}: {text}", file=sys.stderr, flush=True)


def parse_version(text: str) -> str | None:
    """The version in the output of ``consul version``, such as 1.22.7."""
    match = re.search(r"^Consul v(\d+\.\d+\.\d+)", text, re.MULTILINE)
    return match.group(1) if match else None


def version_of(binary: Path | str) -> str | None:
    """The version a binary gives of itself, or None when it is no Consul that runs here."""
    try:
        done = subprocess.run([str(binary), "version"], capture_output=True, text=True, timeout=60, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return parse_version(done.stdout)


def from_environment(version: str) -> Path | None:
    """The binary that the user names by a variable or, for the new version, has on PATH."""
    variable = VARIABLES[version]
    named = os.environ.get(variable)
    if named:
        path = shutil.which(named)
        found = version_of(path) if path else None
        if path is None or found is None:
            raise GetError(f"{variable}={named} is not a Consul binary that runs here: correct it or unset it.")
        note = "" if found == version else f", although {version} is what the tests are written for"
        say(f"using {variable}={named} (Consul {found}{note})")
        return Path(path).absolute()
    if version == NEW:
        path = shutil.which("consul")
        found = version_of(path) if path else None
        series = version.rpartition(".")[0] + "."
        if path and found and found.startswith(series):
            say(f"using {path} from PATH (Consul {found})")
            return Path(path).absolute()
        if path:
            say(f"not using {path} from PATH (Consul {found or 'of unknown version'}, wanted {series}x)")
    return None


def cache_directory() -> Path:
    """Where binaries are kept: outside the source tree, so that cleaning the tree does not cost a build."""
    base = os.environ.get("XDG_CACHE_HOME") or ""
    root = Path(base) if os.path.isabs(base) else Path.home() / ".cache"
    return root / "disaster_recovery.consul"


def cached(version: str, make: Callable[[Path], Path]) -> Path:
    """The cached binary; when there is none, ``make`` is called once, however many ask at the same time.

    ``make`` gets an empty directory and returns the binary it put there. The binary is checked before it gets its
    final name, so the cache never holds half a file or another version.
    """
    home = cache_directory() / f"consul-{version}"
    target = home / "consul"
    if os.access(target, os.X_OK):
        return target
    home.mkdir(parents=True, exist_ok=True)
    with locked(home.parent / f"consul-{version}.lock", f"Consul {version}"):
        if os.access(target, os.X_OK):
            return target
        with tempfile.TemporaryDirectory(prefix="disaster-recovery-consul-") as scratch:
            made = make(Path(scratch))
            found = version_of(made)
            if found != version:
                raise GetError(f"the result should be Consul {version} but says {found or 'nothing'}; it was not kept.")
            partial = home / f"consul.partial.{os.getpid()}"
            try:
                shutil.copyfile(made, partial)
                partial.chmod(0o755)
                os.replace(partial, target)
            finally:
                partial.unlink(missing_ok=True)
    say(f"Consul {version} is ready: {target}")
    return target


@contextmanager
def locked(path: Path, what: str) -> Iterator[None]:
    """Hold the cache's lock for one thing; the kernel drops it when the holder dies."""
    with path.open("a", encoding="utf-8") as handle:
        began = time.monotonic()
        told = began - HEARTBEAT
        while True:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                now = time.monotonic()
                if now - told >= HEARTBEAT:
                    say(f"waiting for another run that is getting {what} ({now - began:.0f} s)")
                    told = now
                time.sleep(0.5)
        yield


def run(command: Sequence[str | Path], *, what: str, cwd: Path, log: Path, env: Mapping[str, str] | None = None) -> int:
    """Run a command with its output in ``log`` and a line every few seconds; return its exit status.

    It runs in a session of its own, so that all its children can be ended with it, whatever ends this run; that
    includes the end of whoever called us, who can't be waiting for the result any more.
    """
    caller = os.getppid()
    began = told = time.monotonic()
    with log.open("ab") as output:
        process = subprocess.Popen(
            [str(part) for part in command],
            cwd=cwd,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            while True:
                try:
                    return process.wait(0.5)
                except subprocess.TimeoutExpired:
                    now = time.monotonic()
                if os.getppid() != caller:
                    raise GetError("whoever asked for this is gone")
                if now - told >= HEARTBEAT:
                    say(f"{what}: {now - began:.0f} s so far")
                    told = now
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()


def tail(log: Path, lines: int = 15) -> str:
    """The last lines of a log, indented, for an error message."""
    try:
        text = log.read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return "    (no output)"
    return "\n".join(f"    {line}" for line in text.splitlines()[-lines:]) or "    (no output)"
