# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the SDK's objects for Azure Blob Storage say, as this project's values (the SDK is not imported)."""

from __future__ import annotations

import datetime
import hashlib
import re
from collections.abc import Sequence
from typing import Any

from ..protocol import SHA256, Item, Properties
from ..settings import COMPLIANCE, GOVERNANCE
from .blocks import ReadCheck

MODES = {GOVERNANCE: "Unlocked", COMPLIANCE: "Locked"}

_HEX = re.compile(r"[0-9a-f]{64}", re.ASCII)

Retention = tuple[str, float]
"""What the store calls the mode, and seconds since the epoch."""


def moment_of(retention: Retention) -> datetime.datetime:
    """Return when a retention ends. Azure has whole seconds: it is never earlier than asked for."""
    return datetime.datetime.fromtimestamp(-(-retention[1] // 1), datetime.timezone.utc)


def sha256_of(metadata: dict[str, str] | None) -> str | None:
    """Return the SHA-256 that is noted with a blob, where it can be one."""
    noted = (metadata or {}).get(SHA256)
    return noted if isinstance(noted, str) and _HEX.fullmatch(noted) else None


def check_of(place: str, blob: Any) -> ReadCheck:
    """Return the check of what is read of a blob; one that somebody else stored may have an MD5 alone."""
    sha256, md5 = sha256_of(blob.metadata), blob.content_settings.content_md5
    if sha256:
        return ReadCheck(place, {SHA256: (hashlib.sha256(), sha256)})
    running = new_md5()
    if md5 and running is not None:
        return ReadCheck(place, {"md5": (running, bytes(md5).hex())})
    return ReadCheck(place, {})


def new_md5() -> Any:
    """Return a running MD5; None on a host that has none, as FIPS wants it."""
    try:
        return hashlib.md5(usedforsecurity=False)
    except ValueError:
        return None


def can_validate() -> bool:
    """Whether the SDK can add its MD5 to each request: it asks for a plain one, which a FIPS host refuses."""
    try:
        hashlib.md5()  # noqa: S324
    except ValueError:
        return False
    return True


def whole_size(blob: Any) -> int:
    """Return the size of a blob of which a range was read: the SDK has the range's in its place."""
    total = str(blob.content_range or "").rpartition("/")[2]
    return int(total) if total.isdigit() else int(blob.size)


def properties_of(blob: Any) -> Properties:
    """Return what a blob says of itself."""
    policy = blob.immutability_policy
    expiry = getattr(policy, "expiry_time", None)
    modes = {stored.lower(): mode for mode, stored in MODES.items()}
    return Properties(
        size=int(blob.size),
        modified=blob.last_modified.timestamp(),
        version=str(blob.etag),
        sha256=sha256_of(blob.metadata),
        locked_until=expiry.timestamp() if expiry is not None else None,
        lock_mode=modes.get(str(getattr(policy, "policy_mode", None) or "").rpartition(".")[2].lower()),
        legal_hold=bool(blob.has_legal_hold),
    )


def items_of(found: Sequence[Any], prefix: str) -> list[Item]:
    """Return the blobs that a page lists, without the prefixes in it; ``prefix`` is the store's."""
    blobs = [one for one in found if not hasattr(one, "prefix")]
    items = [Item(blob.name[len(prefix) :], int(blob.size), blob.last_modified.timestamp()) for blob in blobs]
    return [item for item in items if item.name]
