# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Unpack the old Consul from Debian 11's package, through the package sources that this machine already trusts."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path

from .cache import OLD, VARIABLES, GetError, run, say, tail

SUITE = "bullseye"
ETC = Path("/etc/apt")
OS_RELEASE = Path("/etc/os-release")


def unpack_from_debian(scratch: Path) -> Path:
    """Download Debian 11's Consul into ``scratch``, unpack it there and return the binary.

    apt gets lists, cache and sources of its own, so neither root's rights nor a change to this machine is needed.
    """
    remedy = f"Set {VARIABLES[OLD]} to a Consul {OLD} binary you have."
    for tool in ("apt-get", "dpkg-deb"):
        if shutil.which(tool) is None:
            raise GetError(f"Consul {OLD} comes from Debian 11's package, and there is no {tool} here. {remedy}")
    codename = parse_codename(OS_RELEASE.read_text(encoding="utf-8")) if OS_RELEASE.exists() else None
    if codename is None:
        raise GetError(f"{OS_RELEASE} names no VERSION_CODENAME, so the package sources can't be adapted. {remedy}")

    # apt's own user must be able to pass, or it warns about a download without its sandbox.
    scratch.chmod(0o755)
    parts = scratch / "sources"
    for directory in (parts, scratch / "lists" / "partial", scratch / "cache" / "archives" / "partial"):
        directory.mkdir(parents=True)
    if not _write_sources(parts, codename):
        raise GetError(f"no package source under {ETC} names the suite {codename} with the component main. {remedy}")
    configuration = scratch / "apt.conf"
    configuration.write_text(apt_configuration(scratch), encoding="utf-8")

    say(f"downloading Consul {OLD} from Debian 11's packages (usually under a minute; nothing is installed)")
    log = scratch / "apt.log"
    apt = ["apt-get", "-q", "-c", str(configuration)]
    # A source that doesn't know the suite makes update fail although another source has the package: download decides.
    run([*apt, "update"], what="reading package lists", cwd=scratch, log=log)
    if run([*apt, "download", f"consul={OLD}*"], what="downloading", cwd=scratch, log=log) != 0:
        raise GetError(f"apt-get could not download Debian 11's Consul {OLD}:\n{tail(log)}\n  {remedy}")
    packages = sorted(scratch.glob("consul_*.deb"))
    if not packages:
        raise GetError(f"apt-get left no package behind:\n{tail(log)}\n  {remedy}")
    if run(["dpkg-deb", "-x", packages[0], scratch / "package"], what="unpacking", cwd=scratch, log=log) != 0:
        raise GetError(f"dpkg-deb could not unpack {packages[0].name}:\n{tail(log)}\n  {remedy}")
    return scratch / "package" / "usr" / "bin" / "consul"


def parse_codename(os_release: str) -> str | None:
    """VERSION_CODENAME of an os-release file."""
    match = re.search(r"^VERSION_CODENAME=[\"']?([a-z]+)[\"']?\s*$", os_release, re.MULTILINE)
    return match.group(1) if match else None


def apt_configuration(scratch: Path) -> str:
    """Read after the machine's own settings (proxies stay), it moves all of apt's state and drops the hooks."""
    settings = {
        "Dir::Etc::SourceList": "/dev/null",
        "Dir::Etc::SourceParts": scratch / "sources",
        "Dir::State::Lists": scratch / "lists",
        "Dir::Cache": scratch / "cache",
        "Acquire::Languages": "none",
        "Acquire::Retries": "3",
    }
    # The hooks of the machine act on the machine (they empty /var/cache/apt, for one), which is not ours to do.
    hooks = ["APT::Update::Pre-Invoke", "APT::Update::Post-Invoke", "APT::Update::Post-Invoke-Success"]
    lines = [f"#clear {hook};" for hook in hooks]
    return "\n".join(lines + [f'{name} "{value}";' for name, value in settings.items()]) + "\n"


def _write_sources(parts: Path, codename: str) -> bool:
    """Write the adapted sources of this machine; False when none fits."""
    found = sorted((ETC / "sources.list.d").glob("*.sources"))
    lists = [ETC / "sources.list", *sorted((ETC / "sources.list.d").glob("*.list"))]
    written = False
    for number, path in enumerate([*lists, *found]):
        if not os.access(path, os.R_OK) or path.is_dir():
            continue
        text = path.read_text(encoding="utf-8", errors="replace")
        adapt = adapt_deb822 if path.suffix == ".sources" else adapt_one_line
        adapted = adapt(text, codename)
        if adapted:
            suffix = path.suffix if path.suffix == ".sources" else ".list"
            (parts / f"{number:02}{suffix}").write_text(adapted, encoding="utf-8")
            written = True
    return written


def adapt_one_line(text: str, codename: str) -> str:
    """The ``deb`` lines for ``codename`` and main, with Debian 11's suite in its place.

    Updates, security and third-party suites (``codename-…``) are left out: the package is in the suite itself, and
    those of an old release may have moved or expired.
    """
    pattern = re.compile(rf"^\s*deb\s+((?:\[[^\]]*\]\s+)?)(\S+)\s+{re.escape(codename)}\s+(.+)$")
    adapted = []
    for line in text.splitlines():
        match = pattern.match(line.partition("#")[0])
        if match and "main" in match.group(3).split() and not match.group(2).startswith("cdrom:"):
            adapted.append(f"deb {match.group(1)}{match.group(2)} {SUITE} main\n")
    return "".join(adapted)


def adapt_deb822(text: str, codename: str) -> str:
    """The same for the stanzas of a ``.sources`` file."""
    adapted = []
    for stanza in re.split(r"\n[ \t]*\n", text):
        fields = parse_stanza(stanza)
        values = {name: value.split() for name, value in fields.items()}
        if (
            codename in values.get("suites", [])
            and "deb" in values.get("types", [])
            and "main" in values.get("components", [])
            and values.get("enabled", ["yes"])[0].lower() not in ("no", "false", "off", "without", "disable", "0")
        ):
            fields |= {"types": " deb", "suites": f" {SUITE}", "components": " main"}
            adapted.append("".join(f"{name.title()}:{value}\n" for name, value in fields.items()))
    return "\n".join(adapted)


def parse_stanza(stanza: str) -> dict[str, str]:
    """Field names in lower case to raw values; lines of a longer value (an embedded key) stay together."""
    fields: dict[str, str] = {}
    name = ""
    for line in stanza.splitlines():
        if line.startswith("#"):
            continue
        if line[:1] in (" ", "\t") and name:
            fields[name] += "\n" + line
        elif ":" in line:
            name, _colon, value = line.partition(":")
            name = name.strip().lower()
            fields[name] = value
    return fields
