# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Debian's packages, downloaded with apt and unpacked into a directory: without root's rights, and without a trace.

They come from the package sources that this machine already trusts: for its own release, or for another suite.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Sequence
from pathlib import Path

from . import sources
from .cache import GetError, run, say, tail

# The C library belongs to the machine's own loader: another one beside it would not start.
LEFT_TO_THE_MACHINE = {"libc6", "libc-bin", "libc6-dev"}


def configuration(scratch: Path, *, own_sources: bool) -> str:
    """Read after the machine's own settings (proxies stay), it moves what apt writes, and the sources if asked to."""
    settings = {
        "Dir::State::Lists": scratch / "lists",
        "Dir::Cache": scratch / "cache",
        "Acquire::Languages": "none",
        "Acquire::Retries": "3",
        "APT::Install-Recommends": "false",
        "Debug::NoLocking": "true",
    }
    if own_sources:
        settings |= {"Dir::Etc::SourceList": "/dev/null", "Dir::Etc::SourceParts": scratch / "sources"}
    # The hooks of the machine act on the machine (they empty /var/cache/apt, for one), which is not ours to do.
    hooks = ["APT::Update::Pre-Invoke", "APT::Update::Post-Invoke", "APT::Update::Post-Invoke-Success"]
    lines = [f"#clear {hook};" for hook in hooks]
    return "\n".join(lines + [f'{name} "{value}";' for name, value in settings.items()]) + "\n"


def parse_simulation(text: str) -> list[str]:
    """The packages, each as ``name=version``, that ``apt-get --simulate install`` says it would unpack."""
    matches = re.findall(r"^Inst (\S+) (?:\[[^\]]*\] )?\((\S+) ", text, re.MULTILINE)
    return [f"{name}={version}" for name, version in matches if name.partition(":")[0] not in LEFT_TO_THE_MACHINE]


def unpack(wanted: Sequence[str], scratch: Path, target: Path, *, suite: str | None = None) -> None:
    """Unpack packages into ``target``; those of this release with the libraries that they need and the machine lacks.

    :raises GetError: they can't be had.
    """
    for tool in ("apt-get", "dpkg-deb"):
        if shutil.which(tool) is None:
            raise GetError(f"there is no {tool} here")
    # apt's own user must be able to pass, or it warns about a download without its sandbox.
    scratch.chmod(0o755)
    for directory in (scratch / "lists" / "partial", scratch / "cache" / "archives" / "partial", target):
        directory.mkdir(parents=True)
    if suite:
        sources.write(scratch / "sources", suite)
    settings, log = scratch / "apt.conf", scratch / "apt.log"
    settings.write_text(configuration(scratch, own_sources=bool(suite)), encoding="utf-8")
    apt = ["apt-get", "-q", "-c", str(settings)]
    # A source that doesn't know the suite makes update fail although another source has the package: download decides.
    run([*apt, "update"], what="reading package lists", cwd=scratch, log=log)
    packages = list(wanted) if suite else _with_libraries(apt, wanted, scratch)
    say(f"downloading {len(packages)} of Debian's packages (usually under a minute; nothing is installed)")
    if run([*apt, "download", *packages], what="downloading", cwd=scratch, log=log) != 0:
        raise GetError(f"apt-get could not download {', '.join(wanted)}:\n{tail(log)}")
    for package in sorted(scratch.glob("*.deb")):
        if run(["dpkg-deb", "-x", package, target], what="unpacking", cwd=scratch, log=log) != 0:
            raise GetError(f"dpkg-deb could not unpack {package.name}:\n{tail(log)}")


def _with_libraries(apt: Sequence[str], wanted: Sequence[str], scratch: Path) -> list[str]:
    plan = scratch / "plan.log"
    if run([*apt, "--simulate", "install", *wanted], what="looking for libraries", cwd=scratch, log=plan) != 0:
        raise GetError(f"apt-get does not know all of {', '.join(wanted)}:\n{tail(plan)}")
    packages = parse_simulation(plan.read_text(encoding="utf-8", errors="replace"))
    if not packages:
        raise GetError(f"{', '.join(wanted)} seem to be installed but are not on PATH")
    return packages
