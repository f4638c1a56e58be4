# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Build programs with Go, from the versions that a go.mod pins: Consul's is here, others in their folders."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from .cache import GetError, run, say, tail

HERE = Path(__file__).resolve().parent
# The first Go that fetches the toolchain a go.mod asks for.
SELF_UPDATING = (1, 21, 0)

Version = tuple[int, int, int]


@dataclass(frozen=True)
class FromGo:
    """Build packages of the module in ``directory``, the first one as the target and others beside it.

    ``keeps_caches``: whether Go's own caches, which the user has anyway, keep what was downloaded and compiled.
    ``takes``: how long it usually does.
    """

    directory: str
    packages: tuple[str, ...]
    takes: str
    keeps_caches: bool = False

    def __call__(self, scratch: Path, target: Path) -> None:
        module = scratch / "module"
        module.mkdir()
        for name in ("go.mod", "go.sum"):
            shutil.copy(HERE / self.directory / name, module / name)
        go = _go(required_go((module / "go.mod").read_text(encoding="utf-8")), scratch)
        names = [package.rpartition("/")[2] for package in self.packages]
        say(f"building {' and '.join(names)} with {go}: usually {self.takes}, once; downloads the sources first")
        log = scratch / "build.log"
        # Go's own scratch files go with ours when it is ended in the middle.
        environment = build_environment(dict(os.environ), scratch) | {"GOTMPDIR": str(scratch)}
        if not self.keeps_caches:
            # Go makes what it downloads read-only, directories included, unless told not to.
            environment["GOFLAGS"] += " -modcacherw"
            environment |= {"GOCACHE": str(scratch / "compiled"), "GOMODCACHE": str(scratch / "downloaded")}
        for package, name in zip(self.packages, [target.name, *names[1:]], strict=True):
            path = target.with_name(name)
            command = [go, "build", "-mod=mod", "-trimpath", "-ldflags", "-s -w", "-o", str(path), package]
            if run(command, what="building", cwd=module, log=log, env=environment) != 0:
                raise GetError(f"go could not build {package}; it needs a Go module proxy or the network:\n{tail(log)}")


def build_environment(environment: dict[str, str], scratch: Path) -> dict[str, str]:
    """The user's environment (proxy, caches) without the settings that would change what is built."""
    for name in ("GOOS", "GOARCH", "GOEXPERIMENT", "GOBIN"):
        environment.pop(name, None)
    # An empty GOFLAGS would let the one from `go env -w` through, so it says what the command line says.
    fixed = {"CGO_ENABLED": "0", "GO111MODULE": "on", "GOWORK": "off", "GOFLAGS": "-mod=mod"}
    return _without_counters(environment, scratch) | fixed


def _without_counters(environment: dict[str, str], scratch: Path) -> dict[str, str]:
    """Go counts each call in the user's configuration directory: here it gets another, and the user's settings."""
    configuration = environment.get("XDG_CONFIG_HOME") or os.path.join(environment.get("HOME") or "/", ".config")
    settings = environment.get("GOENV") or os.path.join(configuration, "go", "env")
    return environment | {"GOENV": settings, "XDG_CONFIG_HOME": str(scratch)}


def required_go(go_mod: str) -> Version:
    """The Go version that a go.mod asks for."""
    match = re.search(r"^go\s+(\S+)", go_mod, re.MULTILINE)
    return parse_go_version(match.group(1) if match else "") or SELF_UPDATING


def parse_go_version(text: str) -> Version | None:
    """The version in ``1.25.9`` or ``go version go1.26 linux/amd64``."""
    match = re.search(r"(?:^|\bgo)(\d+)\.(\d+)(?:\.(\d+))?", text)
    return (int(match.group(1)), int(match.group(2)), int(match.group(3) or 0)) if match else None


def _go(required: Version, outside: Path) -> str:
    """The go command, once it is known that it can build this."""
    wanted = ".".join(map(str, required))
    go = shutil.which("go") or shutil.which("/usr/local/go/bin/go")
    if go is None:
        raise GetError(f"there is no Go here to build it with: install Go {wanted} or newer")
    # Asked outside the module: inside, an old Go would already try to fetch the newer one.
    version = parse_go_version(_ask(go, "version", cwd=outside, local=True))
    if version is None:
        raise GetError(f"{go} does not say its version: install Go {wanted} or newer")
    if version < required:
        ours = ".".join(map(str, version))
        if version < SELF_UPDATING or _ask(go, "env", "GOTOOLCHAIN", cwd=outside).strip().startswith("local"):
            raise GetError(f"Go {ours} at {go} is too old: install Go {wanted} or newer")
        say(f"Go {ours} will first fetch Go {wanted} for this build (its GOTOOLCHAIN setting allows that)")
    return go


def _ask(go: str, *arguments: str, cwd: Path, local: bool = False) -> str:
    environment = _without_counters(dict(os.environ), cwd) | ({"GOTOOLCHAIN": "local"} if local else {})
    done = subprocess.run(
        [go, *arguments], cwd=cwd, env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    return done.stdout
