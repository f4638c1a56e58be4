# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the SDK's objects for Google Cloud Storage say, as this project's values (the SDK is not imported)."""

from __future__ import annotations

import base64
import datetime
import hashlib
import re
from collections.abc import Sequence
from typing import Any

from ..protocol import SHA256, Item, Properties
from ..settings import COMPLIANCE, GOVERNANCE
from .blocks import ReadCheck

MODES = {GOVERNANCE: "Unlocked", COMPLIANCE: "Locked"}
"""What the modes of a lock are called there."""
LISTED = "items(name,size,timeCreated),nextPageToken"

_HEX = re.compile(r"[0-9a-f]{64}", re.ASCII)

Retention = tuple[str, float]
"""What the store calls the mode, and seconds since the epoch."""


def new_crc32c() -> Any:
    """Return a running CRC32C, of the library that comes with the SDK; it has the methods of a hash."""
    import google_crc32c

    return google_crc32c.Checksum()


def in_base64(digest: bytes) -> str:
    """Return a checksum as the service writes it."""
    return base64.b64encode(digest).decode()


def crc32c_hex(noted: object) -> str | None:
    """Return in hex what a resource says in base64; None where it says nothing, or nothing readable."""
    if not isinstance(noted, str):
        return None
    try:
        return base64.b64decode(noted, validate=True).hex() or None
    except ValueError:
        return None


def check_of(place: str, crc32c: object, sha256: str | None) -> ReadCheck:
    """Return the check of what is read of an object."""
    expected: dict[str, tuple[Any, str]] = {}
    noted = crc32c_hex(crc32c)
    if noted:
        expected["crc32c"] = (new_crc32c(), noted)
    if sha256:
        expected[SHA256] = (hashlib.sha256(), sha256)
    return ReadCheck(place, expected)


def sha256_of(blob: Any) -> str | None:
    """Return the SHA-256 that is noted with an object, where it can be one."""
    noted = (blob.metadata or {}).get(SHA256)
    return noted if isinstance(noted, str) and _HEX.fullmatch(noted) else None


def retain(blob: Any, retention: Retention) -> None:
    """Set the retention of an object, before it is sent."""
    mode, until = retention
    blob.retention.mode = mode
    blob.retention.retain_until_time = datetime.datetime.fromtimestamp(until, datetime.timezone.utc)


def properties_of(blob: Any) -> Properties:
    """Return what a described object says of itself."""
    ends = [end.timestamp() for end in (blob.retention.retain_until_time, blob.retention_expiration_time) if end]
    modes = {stored: mode for mode, stored in MODES.items()}
    return Properties(
        size=int(blob.size),
        modified=blob.time_created.timestamp(),
        version=str(blob.generation),
        sha256=sha256_of(blob),
        locked_until=max(ends, default=None),
        lock_mode=modes.get(blob.retention.mode),
        legal_hold=bool(blob.temporary_hold or blob.event_based_hold),
    )


def items_of(blobs: Sequence[Any], prefix: str) -> list[Item]:
    """Return what a page lists; ``prefix`` is the store's. The object that stands for the folder itself is left out."""
    found = [Item(blob.name[len(prefix) :], int(blob.size), blob.time_created.timestamp()) for blob in blobs]
    return [item for item in found if item.name]


def keeps_removed(bucket: Any) -> bool:
    """Whether a bucket keeps what was overwritten or removed: versions, or soft delete."""
    policy = getattr(bucket, "soft_delete_policy", None)
    return bool(bucket.versioning_enabled or (policy is not None and policy.retention_duration_seconds))
