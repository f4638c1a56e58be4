# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which tool seals and opens archives on this host, and how it is started."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import NamedTuple, Protocol

from ..._errors import SealedError
from . import pyrage_filter
from .programs import Program
from .recipients import OTHER

PYRAGE, AGE, RAGE = "pyrage", "age", "rage"
_PROGRAMS = (AGE, RAGE)
_FIPS_SWITCH = "/proc/sys/crypto/fips_enabled"


class Filter(Protocol):
    """Bytes go in, and others come out: ``programs.Program``, or ``pyrage_filter.PyrageFilter``."""

    def __enter__(self) -> Filter: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    def feed(self, data: bytes) -> list[bytes]: ...

    def finish(self) -> list[bytes]: ...

    def close(self) -> None: ...


class Tool(NamedTuple):
    """PYRAGE, AGE or RAGE; ``path`` is that of the program, and empty for pyrage."""

    name: str
    path: str = ""


def tool_for(kinds: frozenset[str]) -> Tool:
    """Return the tool that knows keys of these kinds: pyrage before the programs.

    :raises SealedError: this host has none.
    """
    is_for_programs = OTHER in kinds
    if not is_for_programs and pyrage_filter.is_installed():
        return Tool(PYRAGE)
    for name in _PROGRAMS:
        path = shutil.which(name)
        if path is not None:
            return Tool(name, os.path.abspath(path))
    if is_for_programs:
        raise SealedError(
            "this host has no program age, which post-quantum keys and keys of plugins need",
            hint="Install age there (its package is called age).",
        )
    raise SealedError(
        "this host has no tool that seals and opens archives",
        hint="Install age there (its package is called age), or the Python library pyrage (pip install pyrage).",
    )


def encryption(tool: Tool, recipients: Sequence[str]) -> Callable[[], Filter]:
    """Return what starts an encryption to these recipients.

    :raises FilterFailed: the tool does not take one of them. The programs say so only when they have begun.
    """
    if tool.name == PYRAGE:
        work = pyrage_filter.encryption(recipients)
        return lambda: pyrage_filter.PyrageFilter(work)
    return lambda: _encrypting_program(tool, recipients)


def decryption(tool: Tool, identity_file: str, identity: bytes) -> Callable[[], Filter]:
    """Return what starts to open an archive.

    :param identity: what the file holds.
    :raises FilterFailed: the tool can't use the keys. The programs say so only when they have begun.
    """
    if tool.name == PYRAGE:
        work = pyrage_filter.decryption(identity)
        return lambda: pyrage_filter.PyrageFilter(work)
    return lambda: Program([tool.path, "-d", "-i", os.path.abspath(identity_file)])


def is_fips_host() -> bool:
    """Whether this host's kernel runs in FIPS mode."""
    try:
        with open(_FIPS_SWITCH, encoding="ascii") as switch:
            return switch.read().strip() == "1"
    except (OSError, UnicodeDecodeError):
        return False


def _encrypting_program(tool: Tool, recipients: Sequence[str]) -> Program:
    # They are handed over in memory: a command line is for everybody to see, and has a limit.
    descriptor = os.memfd_create("recipients")
    try:
        with open(descriptor, "wb", closefd=False) as file:
            file.write("".join(f"{recipient}\n" for recipient in recipients).encode())
        return Program([tool.path, "-e", "-R", f"/dev/fd/{descriptor}"], keep_open=(descriptor,))
    finally:
        os.close(descriptor)
