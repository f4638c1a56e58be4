# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The package sources of this machine, rewritten for another suite of Debian."""

from __future__ import annotations

import os
import re
from pathlib import Path

from .cache import GetError

ETC = Path("/etc/apt")
OS_RELEASE = Path("/etc/os-release")


def write(directory: Path, suite: str) -> None:
    """Write the adapted sources of this machine.

    :raises GetError: none fits.
    """
    codename = parse_codename(OS_RELEASE.read_text(encoding="utf-8")) if OS_RELEASE.exists() else None
    if codename is None:
        raise GetError(f"{OS_RELEASE} names no VERSION_CODENAME, so the package sources can't be adapted")
    directory.mkdir()
    one_line = [ETC / "sources.list", *sorted((ETC / "sources.list.d").glob("*.list"))]
    for number, path in enumerate([*one_line, *sorted((ETC / "sources.list.d").glob("*.sources"))]):
        if os.access(path, os.R_OK) and path.is_file():
            adapt = adapt_deb822 if path.suffix == ".sources" else adapt_one_line
            adapted = adapt(path.read_text(encoding="utf-8", errors="replace"), codename, suite)
            if adapted:
                (directory / f"{number:02}{path.suffix}").write_text(adapted, encoding="utf-8")
    if not any(directory.iterdir()):
        raise GetError(f"no package source under {ETC} names the suite {codename} with the component main")


def parse_codename(os_release: str) -> str | None:
    """VERSION_CODENAME of an os-release file."""
    match = re.search(r"^VERSION_CODENAME=[\"']?([a-z]+)[\"']?\s*$", os_release, re.MULTILINE)
    return match.group(1) if match else None


def adapt_one_line(text: str, codename: str, suite: str) -> str:
    """The ``deb`` lines for ``codename`` and main, with another suite in its place.

    Updates, security and third-party suites (``codename-…``) are left out: the package is in the suite itself, and
    those of an old release may have moved or expired.
    """
    pattern = re.compile(rf"^\s*deb\s+((?:\[[^\]]*\]\s+)?)(\S+)\s+{re.escape(codename)}\s+(.+)$")
    adapted = []
    for line in text.splitlines():
        match = pattern.match(line.partition("#")[0])
        if match and "main" in match.group(3).split() and not match.group(2).startswith("cdrom:"):
            adapted.append(f"deb {match.group(1)}{match.group(2)} {suite} main\n")
    return "".join(adapted)


def adapt_deb822(text: str, codename: str, suite: str) -> str:
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
            fields |= {"types": " deb", "suites": f" {suite}", "components": " main"}
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
