# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which tool is taken, and how a program is started."""

from __future__ import annotations

from pathlib import Path

import pytest

from ansible_collections.disaster_recovery.consul.plugins.module_utils._errors import SealedError
from ansible_collections.disaster_recovery.consul.plugins.module_utils._storage.sealing import pyrage_filter, tools
from ansible_collections.disaster_recovery.consul.plugins.module_utils._storage.sealing.recipients import (
    OTHER,
    SSH,
    X25519,
)

PLAIN, EXOTIC = frozenset({X25519, SSH}), frozenset({X25519, OTHER})
RECIPIENT = "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p"


class Host:
    """A host with programs of one's choice, and with or without pyrage."""

    def __init__(self, directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self._directory, self._monkeypatch = directory, monkeypatch
        monkeypatch.setenv("PATH", str(directory))

    def has(self, *names: str, pyrage: bool = False, script: str = "exit 0") -> None:
        self._monkeypatch.setattr(pyrage_filter, "is_installed", lambda: pyrage)
        for name in names:
            path = self._directory / name
            path.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
            path.chmod(0o755)


@pytest.fixture
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Host:
    return Host(tmp_path, monkeypatch)


@pytest.mark.parametrize(
    ("programs", "pyrage", "kinds", "expected"),
    [
        (("age", "rage"), True, PLAIN, "pyrage"),
        (("age", "rage"), True, EXOTIC, "age"),
        (("age", "rage"), False, PLAIN, "age"),
        (("rage",), False, PLAIN, "rage"),
        (("rage",), True, EXOTIC, "rage"),
        ((), True, PLAIN, "pyrage"),
    ],
)
def test_pyrage_comes_first_where_it_knows_the_keys(
    host: Host, programs: tuple[str, ...], pyrage: bool, kinds: frozenset[str], expected: str
) -> None:
    host.has(*programs, pyrage=pyrage)
    assert tools.tool_for(kinds).name == expected


def test_a_host_without_a_tool(host: Host) -> None:
    host.has()
    with pytest.raises(SealedError, match="no tool that seals") as caught:
        tools.tool_for(PLAIN)
    assert "pyrage" in caught.value.hint
    assert "age" in caught.value.hint


def test_a_host_without_a_program_for_keys_of_plugins(host: Host) -> None:
    host.has(pyrage=True)
    with pytest.raises(SealedError, match="no program age"):
        tools.tool_for(EXOTIC)


def test_recipients_are_not_on_the_command_line(host: Host) -> None:
    # The arguments, and then what is in the file that they name.
    host.has("age", script='echo "$@"; while read -r line; do echo "$line"; done < "$3"')
    with tools.encryption(tools.tool_for(PLAIN), [RECIPIENT, "ssh-rsa AAAA me"])() as sealing:
        arguments, *recipients = b"".join(sealing.finish()).decode().splitlines()
    assert arguments.startswith("-e -R /dev/fd/")
    assert recipients == [RECIPIENT, "ssh-rsa AAAA me"]


def test_a_program_opens_with_the_path_of_the_key(host: Host, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    host.has("age", script='echo "$@"')
    monkeypatch.chdir(tmp_path)
    with tools.decryption(tools.tool_for(PLAIN), "-key", b"AGE-SECRET-KEY-1")() as opening:
        assert b"".join(opening.finish()).decode().split() == ["-d", "-i", f"{tmp_path}/-key"]


@pytest.mark.parametrize(("text", "expected"), [("1\n", True), ("0\n", False), (None, False), ("\u00e4", False)])
def test_fips(text: str | None, expected: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    switch = tmp_path / "fips_enabled"
    if text is not None:
        switch.write_text(text, encoding="utf-8")
    monkeypatch.setattr(tools, "_FIPS_SWITCH", str(switch))
    assert tools.is_fips_host() == expected
