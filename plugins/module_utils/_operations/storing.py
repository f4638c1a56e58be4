# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How an archive that was read is kept, as results show it: sealed or not, signed by whom, copied where (pure)."""

from __future__ import annotations

from typing import Any

from .._storage.archive_file import ArchiveFile
from .._storage.archive_source import ArchiveSource
from .._storage.local_copy import Room
from .._storage.trust import Signature
from .._system.atomic_files import Digest


def of_storing(file: ArchiveFile) -> dict[str, Any]:
    """Return ``{sealed, stored, signature}``: ``stored`` are the bytes as they lie in the store.

    ``sealed`` is true only where the identity that was given opened it, from its first byte to its last.
    """
    return storing_of(file.source, file.stored, file.signature)


def storing_of(source: ArchiveSource, stored: Digest, signature: Signature) -> dict[str, Any]:
    """Return the same of an archive whose manifest stands in for its records.

    :param stored: of its bytes as they lie in the store.
    """
    return {
        "sealed": source.is_sealed,
        "stored": {"size": stored.size, "sha256": stored.sha256},
        "signature": {"status": signature.status, "signer": signature.signer, "reason": signature.reason or None},
    }


def of_room(room: Room | None) -> dict[str, Any]:
    """Return ``{download}``, with the room that a copy takes at most, or nothing where none is needed."""
    return {"download": room._asdict()} if room else {}
