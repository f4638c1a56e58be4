# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How an archive that was read is kept, as results show it: sealed or not, signed by whom, copied where (pure)."""

from __future__ import annotations

from typing import Any

from .._storage.archive_file import ArchiveFile
from .._storage.archive_source import ArchiveSource
from .._storage.local_copy import Room
from .._storage.manifest_file import ManifestMatch
from .._storage.trust import NO_SIGNATURE, Signature, fault_of


def of_storing(file: ArchiveFile) -> dict[str, Any]:
    """Return ``{sealed, signed, signed_by, signature_fault}`` of an archive that was read to its end.

    ``sealed`` is true only where the identity that was given opened it, from its first byte to its last.
    """
    return storing_of(file.source, file.match, file.signature)


def storing_of(source: ArchiveSource, match: ManifestMatch, signature: Signature) -> dict[str, Any]:
    """Return the same of an archive whose manifest stands in for its records.

    ``signed_by`` and ``signature_fault`` are None where nobody was named who may sign.
    """
    is_asked = source.sealing.allowed_signers is not None
    fault = fault_of(match, signature) if is_asked else None
    return {
        "sealed": source.is_sealed,
        "signed": signature.status != NO_SIGNATURE,
        "signed_by": signature.signer if is_asked and fault is None else None,
        "signature_fault": fault,
    }


def shortly(file: ArchiveFile) -> dict[str, Any]:
    """Return ``{sealed, signed_by}``, for results in which a guard or a verdict says the rest."""
    shown = of_storing(file)
    return {name: shown[name] for name in ("sealed", "signed_by")}


def of_room(room: Room | None) -> dict[str, Any]:
    """Return ``{download}``, with the room that a copy takes at most, or nothing where none is needed."""
    return {"download": room._asdict()} if room else {}
