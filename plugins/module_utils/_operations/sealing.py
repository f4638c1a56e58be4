# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What sealing a new archive takes, found out before there is one.

What encrypts and signs is imported only when it is asked for: Ansible compiles a module's code anew each time that it
runs, on each host of a fleet.
"""

from __future__ import annotations

from typing import NamedTuple

from .._storage.new_archive import Seal, Sign
from .._storage.protocol import Writer
from .._storage.settings import SealingSettings


class Sealed(NamedTuple):
    """How a new archive is sealed: what encrypts it and what signs its manifest, each None where that isn't asked for.

    ``tool``: the program or library that encrypts. ``remarks``: what is risky about it, in words.
    """

    seal: Seal | None = None
    sign: Sign | None = None
    tool: str | None = None
    remarks: tuple[str, ...] = ()


def prepare_sealing(settings: SealingSettings) -> Sealed:
    """Make sure that archives can be sealed as settings say, and return how.

    :raises OptionError: a recipient can't be used. :raises SealedError: there is no tool that encrypts.
    :raises SignatureError: the key can't sign, or there is no tool that does. :raises FileError: a file can't be read.
    """
    seal, tool, remarks = _encryption(settings) if settings.encrypts else (None, None, ())
    sign = _signature(settings.signing_key) if settings.signing_key is not None else None
    return Sealed(seal, sign, tool, remarks)


def _encryption(settings: SealingSettings) -> tuple[Seal, str | None, tuple[str, ...]]:
    from .._storage.sealing.age import SealingWriter, check_recipients, sealed_with

    remarks = tuple(check_recipients(settings))

    def seal(inner: Writer) -> SealingWriter:
        return SealingWriter(inner, settings)

    return seal, sealed_with(settings), remarks


def _signature(signing_key: str) -> Sign:
    from .._storage.sealing.signatures import check_signing_key, sign

    # A key that can't sign is better found out before a snapshot is taken.
    check_signing_key(signing_key)
    return lambda text: sign(text, signing_key)
