# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Packages of this machine's own Debian, downloaded with what they need and unpacked into a directory."""

from __future__ import annotations

import re
import shutil
from collections.abc import Sequence
from pathlib import Path

from consul.cache import GetError, run, say, tail

# The C library belongs to the machine's own loader: another one beside it would not start.
LEFT_TO_THE_MACHINE = {"libc6", "libc-bin", "libc6-dev"}


def apt_configuration(scratch: Path) -> str:
    """Read after the machine's own settings (sources and proxies stay), it moves what apt writes and drops hooks."""
    settings = {
        "Dir::State::Lists": scratch / "lists",
        "Dir::Cache": scratch / "cache",
        "Acquire::Languages": "none",
        "Acquire::Retries": "3",
        "APT::Install-Recommends": "false",
        "Debug::NoLocking": "true",
    }
    hooks = ["APT::Update::Pre-Invoke", "APT::Update::Post-Invoke", "APT::Update::Post-Invoke-Success"]
    lines = [f"#clear {hook};" for hook in hooks]
    return "\n".join(lines + [f'{name} "{value}";' for name, value in settings.items()]) + "\n"


def parse_simulation(text: str) -> list[str]:
    """The packages, each as ``name=version``, that ``apt-get --simulate install`` says it would unpack."""
    found = re.findall(r"^Inst (\S+) (?:\[[^\]]*\] )?\((\S+) ", text, re.MULTILINE)
    return [f"{name}={version}" for name, version in found if name.partition(":")[0] not in LEFT_TO_THE_MACHINE]


def unpack(wanted: Sequence[str], scratch: Path, target: Path) -> None:
    """Unpack packages, and those that they need and the machine lacks, into ``target``.

    apt keeps its lists and downloads in ``scratch``, so neither root's rights nor a change to this machine is needed.

    :raises GetError: they can't be had.
    """
    for tool in ("apt-get", "dpkg-deb"):
        if shutil.which(tool) is None:
            raise GetError(f"there is no {tool} here")
    # apt's own user must be able to pass, or it warns about a download without its sandbox.
    scratch.chmod(0o755)
    for directory in (scratch / "lists" / "partial", scratch / "cache" / "archives" / "partial", target):
        directory.mkdir(parents=True)
    configuration = scratch / "apt.conf"
    configuration.write_text(apt_configuration(scratch), encoding="utf-8")
    apt = ["apt-get", "-q", "-c", str(configuration)]
    log, plan = scratch / "apt.log", scratch / "plan.log"
    run([*apt, "update"], what="reading package lists", cwd=scratch, log=log)
    if run([*apt, "--simulate", "install", *wanted], what="looking for libraries", cwd=scratch, log=plan) != 0:
        raise GetError(f"apt-get does not know all of {', '.join(wanted)}:\n{tail(plan)}")
    packages = parse_simulation(plan.read_text(encoding="utf-8", errors="replace"))
    if not packages:
        raise GetError(f"{', '.join(wanted)} seem to be installed but are not on PATH")
    say(f"downloading {len(packages)} packages (usually under a minute; nothing is installed)")
    if run([*apt, "download", *packages], what="downloading", cwd=scratch, log=log) != 0:
        raise GetError(f"apt-get could not download them:\n{tail(log)}")
    for package in sorted(scratch.glob("*.deb")):
        if run(["dpkg-deb", "-x", package, target], what="unpacking", cwd=scratch, log=log) != 0:
            raise GetError(f"dpkg-deb could not unpack {package.name}:\n{tail(log)}")
